"""Hiding known bytes in output. Pure but for the file that tells the collector what to hide.

The collector imports little and knows no variables: whoever starts an instance writes the forms of
its secrets beside its spool, for the collector's group alone, as one line of hexadecimal digits
each.
"""

import os
from collections.abc import Iterable, Iterator

MASK = b"[hidden]"
ENDING = ".hide"
LONGEST = 1024
_START = 4


class Hiding:
    """The forms to hide. Made once, used on every block."""

    def __init__(self, forms: Iterable[bytes] = ()) -> None:
        pieces = {part for form in forms for part in _pieces(form)}
        self.forms = sorted(pieces, key=len, reverse=True)
        self.longest = max(map(len, self.forms), default=0)
        self._starts: dict[bytes, list[bytes]] = {}
        for form in self.forms:
            for size in range(1, _START + 1):
                self._starts.setdefault(form[:size], []).append(form)

    def hide(self, text: bytes) -> bytes:
        for form in self.forms:
            if form in text:
                text = text.replace(form, MASK)
        return text

    def cover(self, text: bytes) -> bytes:
        """As long as before: for text whose places count."""
        for form in self.forms:
            if form in text:
                text = text.replace(form, MASK[: len(form)].ljust(len(form), b"."))
        return text

    def begun(self, text: bytes) -> int:
        """How many bytes at the end may be the beginning of a secret that is still to come."""
        for length in range(min(self.longest - 1, len(text)), 0, -1):
            tail = text[-length:]
            if any(form.startswith(tail) for form in self._starts.get(tail[:_START], ())):
                return length
        return 0


def _pieces(form: bytes) -> Iterator[bytes]:
    """A very long one is hidden piece by piece, so that nothing has to wait for all of it."""
    for at in range(0, len(form), LONGEST):
        piece = form[at : at + LONGEST]
        if len(piece) >= _START:
            yield piece


def write(spool: str, hiding: Hiding) -> None:
    """Before the instance prints anything. The group comes from the directory."""
    target = beside(spool)
    draft = f"{target}.draft"
    fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o640)
    with os.fdopen(fd, "wb") as out:
        os.fchmod(fd, 0o640)
        out.write(b"".join(b"%b\n" % form.hex().encode() for form in hiding.forms))
    os.replace(draft, target)  # noqa: PTH105 - the collector's own modules use plain paths


def read(spool: str) -> Hiding:
    """Nothing to hide where there is no such file; one that cannot be read is an OSError."""
    try:
        with open(beside(spool), "rb") as file:  # noqa: PTH123
            return Hiding(bytes.fromhex(line.decode()) for line in file)
    except FileNotFoundError:
        return Hiding()


def remove(spool: str) -> None:
    try:
        os.unlink(beside(spool))  # noqa: PTH108
    except FileNotFoundError:
        return


def beside(spool: str) -> str:
    return spool.removesuffix(".out") + ENDING
