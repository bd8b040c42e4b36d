"""The kept output of one instance: numbered files of records, the older ones compressed.

`1.seg.gz 2.seg.gz 3.seg`: only the last is written, and a file is compressed as a whole or not at
all. A place in it counts uncompressed bytes, so it stays true.
"""

import os
import zlib
from typing import NamedTuple

from autostack.core.logs.records import HEAD, Record, decode, encode

RAW, PACKED = ".seg", ".seg.gz"
_BLOCK = 64 * 1024
_TAIL = 64 * 1024
"""Longer than any record: it holds at least one whole."""
# zlib.compressobj: 16 + 15 writes gzip framing.
_GZIP = 31


class State(NamedTuple):
    """Where a stream stood when its last record was written."""

    end: int = 0
    at: int = 0
    mark: bytes = HEAD
    inode: int = 0


class Segments:
    """Appends to a stream's segments. One writer; readers need no word with it."""

    def __init__(self, folder: str, *, roll_at: int) -> None:
        self._folder = folder
        self._roll_at = roll_at
        self._number = 0
        self._size = 0
        self._inode: int = 0

    def resume(self) -> State:
        """Find the end of what was written, without a line that was cut off by a kill."""
        os.makedirs(self._folder, mode=0o750, exist_ok=True)  # noqa: PTH103
        held = numbers(self._folder)
        self._number = max(held, default=0)
        state = State()
        for number in sorted(held, reverse=True):
            found = self._last(number)
            if found is not None:
                state = found
                break
        self._inode = state.inode
        raw = self._path(RAW)
        self._size = os.path.getsize(raw) if os.path.exists(raw) else self._roll_at  # noqa: PTH110, PTH202
        return state

    def append(self, blob: bytes, *, inode: int, start: int, at: int) -> None:
        """All of it or, when the disk is full, nothing and an OSError. `start` and `inode` say
        where the spool stood before it.
        """
        if self._size >= self._roll_at or (self._size and inode != self._inode):
            self.roll()
        self._inode = inode
        if self._size == 0:
            blob = encode(Record(start, at, HEAD, b"%d" % inode)) + blob
        fd = os.open(self._path(RAW), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
        try:
            _write_all(fd, blob, undo_to=self._size)
        finally:
            os.close(fd)
        self._size += len(blob)

    def sync(self) -> None:
        """What was appended survives a loss of power."""
        fd = os.open(self._path(RAW), os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)

    def roll(self) -> None:
        """Close the segment and compress it; the next record begins another."""
        raw = self._path(RAW)
        if self._number and os.path.exists(raw):  # noqa: PTH110
            pack(raw, self._path(PACKED))
        self._number += 1
        self._size = 0

    def _path(self, ending: str) -> str:
        return f"{self._folder}/{self._number}{ending}"

    def _last(self, number: int) -> State | None:
        path = f"{self._folder}/{number}{RAW}"
        if not os.path.exists(path):  # noqa: PTH110
            return _state_of(b"".join(unpack(f"{self._folder}/{number}{PACKED}")))
        with open(path, "r+b") as file:  # noqa: PTH123
            size = file.seek(0, os.SEEK_END)
            file.seek(0)
            head = file.read(_BLOCK)
            file.seek(max(0, size - _TAIL))
            tail = file.read()
            torn = len(tail) - tail.rfind(b"\n") - 1
            file.truncate(size - torn)
        tail = tail[: len(tail) - torn]
        return _state_of(tail, head)


def numbers(folder: str) -> set[int]:
    """Of the segments that are there."""
    try:
        entries = os.listdir(folder)  # noqa: PTH208
    except FileNotFoundError:
        return set()
    stems = (name.partition(".") for name in entries)
    return {
        int(stem) for stem, _, ending in stems if stem.isdigit() and ending in {"seg", "seg.gz"}
    }


def pack(source: str, target: str) -> None:
    """Compress a closed segment. Under its final name it is always complete."""
    draft = f"{target}.draft"
    squeeze = zlib.compressobj(6, zlib.DEFLATED, _GZIP)
    try:
        with open(source, "rb") as raw, open(draft, "wb") as packed:  # noqa: PTH123
            while block := raw.read(_BLOCK):
                packed.write(squeeze.compress(block))
            packed.write(squeeze.flush())
            packed.flush()
            os.fchmod(packed.fileno(), 0o640)
            os.fsync(packed.fileno())
        os.rename(draft, target)  # noqa: PTH104
    except OSError:
        # A full disk: the segment stays as it is, only larger.
        if os.path.exists(draft):  # noqa: PTH110
            os.unlink(draft)  # noqa: PTH108
        return
    os.unlink(source)  # noqa: PTH108


def unpack(path: str) -> list[bytes]:
    """A compressed file's content in blocks; what is damaged ends it early."""
    blocks: list[bytes] = []
    expand = zlib.decompressobj(_GZIP)
    with open(path, "rb") as packed:  # noqa: PTH123
        while block := packed.read(_BLOCK):
            try:
                blocks.append(expand.decompress(block))
            except zlib.error:
                break
    return blocks


def _state_of(tail: bytes, head: bytes | None = None) -> State | None:
    last = next((found for line in reversed(tail.split(b"\n")) if (found := decode(line))), None)
    if last is None:
        return None
    first = decode((tail if head is None else head).partition(b"\n")[0])
    is_head = first is not None and first.mark == HEAD and first.text.isdigit()
    return State(last.end, last.at, last.mark, int(first.text) if first and is_head else 0)


def _write_all(fd: int, blob: bytes, *, undo_to: int) -> None:
    view = memoryview(blob)
    try:
        while view:
            view = view[os.write(fd, view) :]
    except OSError:
        os.ftruncate(fd, undo_to)
        raise
