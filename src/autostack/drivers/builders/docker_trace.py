"""BuildKit's account of a build: protocol buffers inside JSON lines, of which we read the words.

Only numbers and byte strings occur; the field numbers are those of control.proto (moby/buildkit).
"""

from collections.abc import Iterator

VERTEX, LOG = 1, 3
NAME, CACHED, STARTED = 3, 4, 5
DIGEST = 1
MESSAGE = 4
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_SILENT = "[internal]"


class Trace:
    """Turns messages into what a person reads; each step is named once."""

    def __init__(self) -> None:
        self._named: set[bytes] = set()

    def read(self, message: bytes) -> bytes:
        """Raises ValueError for what is no such message."""
        said: list[bytes] = []
        for number, value in _fields(message):
            if not isinstance(value, bytes):
                continue
            if number == VERTEX:
                said.append(self._step(dict(_fields(value))))
            elif number == LOG:
                text = dict(_fields(value)).get(MESSAGE, b"")
                said.append(text if isinstance(text, bytes) else b"")
        return b"".join(said)

    def _step(self, vertex: dict[int, int | bytes]) -> bytes:
        digest, name = vertex.get(DIGEST, b""), vertex.get(NAME, b"")
        begun = STARTED in vertex or CACHED in vertex
        if not isinstance(digest, bytes) or not isinstance(name, bytes) or not begun:
            return b""
        if digest in self._named or name.startswith(_SILENT.encode()):
            return b""
        self._named.add(digest)
        kept = b" (kept from before)" if vertex.get(CACHED) else b""
        return name + kept + b"\n"


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    place = 0
    while place < len(data):
        key, place = _varint(data, place)
        kind = key & 7
        if kind == _VARINT:
            value: int | bytes
            value, place = _varint(data, place)
        elif kind in (_FIXED64, _FIXED32):
            size = 8 if kind == _FIXED64 else 4
            value, place = data[place : place + size], place + size
        elif kind == _BYTES:
            size, place = _varint(data, place)
            value, place = data[place : place + size], place + size
        else:
            raise ValueError(kind)
        yield key >> 3, value


def _varint(data: bytes, place: int) -> tuple[int, int]:
    value = shift = 0
    while place < len(data):
        byte = data[place]
        place += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:  # noqa: PLR2004 - the bit that says that more follows
            return value, place
        shift += 7
    raise ValueError(place)
