"""Reads a stream's segments: pages forward and backward, from the end, from a time.

A `Place` is a segment and an offset in it, uncompressed; it stays true when the segment is
compressed. Blocking, and quick: call it in a thread.
"""

import os
from collections.abc import Iterator
from typing import NamedTuple

from autostack.core.logs.records import HEAD, Record, decode
from autostack.core.logs.segments import PACKED, RAW, numbers, unpack

_BLOCK = 256 * 1024


class Place(NamedTuple):
    """Behind a record. The first of all is `Place(0, 0)`."""

    segment: int
    offset: int


START = Place(0, 0)


class Line(NamedTuple):
    """A record, and the place behind it."""

    place: Place
    record: Record

    @property
    def text(self) -> str:
        return self.record.text.removesuffix(b"\r").decode(errors="replace")


def forward(folder: str, after: Place, *, limit: int) -> list[Line]:
    """At most `limit` lines behind a place, oldest first."""
    found: list[Line] = []
    for number in sorted(n for n in numbers(folder) if n >= after.segment):
        offset = after.offset if number == after.segment else 0
        for line in _lines(folder, number, offset):
            found.append(line)
            if len(found) == limit:
                return found
    return found


def backward(folder: str, before: Place | None, *, limit: int) -> list[Line]:
    """At most `limit` lines up to and with a place (None: the end), oldest first."""
    found: list[Line] = []
    for number in sorted(numbers(folder), reverse=True):
        if before is not None and number > before.segment:
            continue
        until = before.offset if before is not None and number == before.segment else None
        lines = _last_lines(folder, number, until, limit=limit - len(found))
        found = lines + found
        if len(found) >= limit:
            break
    return found


def end(folder: str) -> Place:
    """The place behind everything that is there now."""
    held = numbers(folder)
    if not held:
        return START
    lines = _last_lines(folder, max(held), None, limit=1)
    return lines[-1].place if lines else Place(max(held), 0)


def since(folder: str, at: int) -> Place:
    """A place before the first record of that millisecond or later."""
    held = sorted(numbers(folder))
    chosen = held[0] if held else 0
    for number in held:
        if _first_at(folder, number) >= at:
            break
        chosen = number
    place = Place(chosen, 0)
    for line in _lines(folder, chosen, 0):
        if line.record.at >= at:
            break
        place = line.place
    return place


def grown(folder: str, place: Place) -> bool:
    """Whether there may be something behind a place: one or two system calls."""
    try:
        size = os.stat(f"{folder}/{place.segment}{RAW}").st_size  # noqa: PTH116
    except FileNotFoundError:
        return bool(numbers(folder))
    return size > place.offset or os.path.exists(f"{folder}/{place.segment + 1}{RAW}")  # noqa: PTH110


def _lines(folder: str, number: int, offset: int) -> Iterator[Line]:
    """Whole records behind an offset; a last one still being written is left alone."""
    rest = b""
    for block in _blocks(folder, number, offset):
        whole, feed, rest = (rest + block).rpartition(b"\n")
        if feed:
            yield from _parsed(whole, number, offset)
            offset += len(whole) + 1


def _last_lines(folder: str, number: int, until: int | None, *, limit: int) -> list[Line]:
    """The last of a segment; reads no more of a plain one than it needs."""
    size = _size(folder, number) if until is None else until
    span = _BLOCK
    while True:
        begin = max(0, size - span)
        data = b"".join(_blocks(folder, number, begin))[: size - begin]
        if begin:
            torn = data.find(b"\n") + 1
            data, begin = data[torn:], begin + torn
        lines = list(_parsed(data[: data.rfind(b"\n")], number, begin)) if data else []
        if len(lines) >= limit or size <= span:
            return lines[-limit:]
        span *= 4


def _parsed(whole: bytes, number: int, offset: int) -> Iterator[Line]:
    for text in whole.split(b"\n"):
        offset += len(text) + 1
        record = decode(text)
        if record is not None and record.mark != HEAD:
            yield Line(Place(number, offset), record)


def _first_at(folder: str, number: int) -> int:
    head = next(iter(_blocks(folder, number, 0)), b"").partition(b"\n")[0]
    record = decode(head)
    return record.at if record is not None else 0


def _size(folder: str, number: int) -> int:
    try:
        return os.stat(f"{folder}/{number}{RAW}").st_size  # noqa: PTH116
    except FileNotFoundError:
        return sum(len(block) for block in _blocks(folder, number, 0))


def _blocks(folder: str, number: int, offset: int) -> Iterator[bytes]:
    """A segment's content from an offset on, wherever it is by now; nothing if it is gone."""
    try:
        with open(f"{folder}/{number}{RAW}", "rb") as raw:  # noqa: PTH123
            raw.seek(offset)
            while block := raw.read(_BLOCK):
                yield block
    except FileNotFoundError:
        yield from _packed(f"{folder}/{number}{PACKED}", offset)


def _packed(path: str, offset: int) -> Iterator[bytes]:
    try:
        content = b"".join(unpack(path))
    except FileNotFoundError:
        return
    yield content[offset:]
