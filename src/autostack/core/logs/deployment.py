"""Reads the log of one deployment. A place is an offset in its file, and so in its archive."""

import json
import zlib
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import NamedTuple

from autostack.core.logs.segments import unpack

_BLOCK = 256 * 1024
_BESIDE = 100
"""Characters that go with each line's text, wherever it is shown."""


class Entry(NamedTuple):
    """One line, and the offset behind it. `at` is in milliseconds since 1970."""

    end: int
    at: int
    step: str
    level: str
    text: str


def forward(path: Path, after: int, *, limit: int) -> list[Entry]:
    """At most `limit` entries behind an offset, oldest first."""
    found: list[Entry] = []
    for entry in _entries(path, after):
        found.append(entry)
        if len(found) == limit:
            break
    return found


class Onward:
    """Reads on from an offset. What it has opened it keeps until it is read to its end: an archive
    unpacked for each piece of it would take minutes. Blocking; not for two threads at a time.
    """

    def __init__(self, path: Path, after: int) -> None:
        self._path, self._place = path, after
        self._open: Generator[Entry] | None = None

    def more(self, *, limit: int) -> list[Entry]:
        """As many of the next entries as make `limit` characters, less at the end."""
        entries = self._open or _entries(self._path, self._place)
        found: list[Entry] = []
        size = 0
        for entry in entries:
            found.append(entry)
            size += len(entry.text) + _BESIDE
            if size >= limit:
                self._open = entries
                break
        else:
            self._open = None
        self._place = found[-1].end if found else self._place
        return found

    @property
    def unread(self) -> bool:
        """Whether the last look stopped before the end."""
        return self._open is not None

    def close(self) -> None:
        if self._open is not None:
            self._open.close()


def tail(path: Path, *, limit: int, before: int | None = None) -> list[Entry]:
    """The last entries up to and with an offset (None: the end), oldest first."""
    size = length(path) if before is None else before
    span = _BLOCK
    while True:
        begin = max(0, size - span)
        data = b"".join(_blocks(path, begin))[: size - begin]
        if begin:
            torn = data.find(b"\n") + 1
            data, begin = data[torn:], begin + torn
        whole = data[: data.rfind(b"\n") + 1]
        entries = list(_parsed(whole, begin))
        if len(entries) >= limit or size <= span:
            return entries[-limit:]
        span *= 4


def length(path: Path) -> int:
    """Bytes written so far; 0 when there is no log."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return sum(map(len, _blocks(path, 0)))


def archive_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.gz")


def _entries(path: Path, offset: int) -> Generator[Entry]:
    rest = b""
    for block in _blocks(path, offset):
        whole, feed, rest = (rest + block).rpartition(b"\n")
        yield from _parsed(whole + feed, offset)
        offset += len(whole) + len(feed)


def _parsed(whole: bytes, offset: int) -> Iterator[Entry]:
    for line in whole.splitlines(keepends=True):
        offset += len(line)
        entry = _entry(line, offset)
        if entry is not None:
            yield entry


def _entry(line: bytes, end: int) -> Entry | None:
    """None for a line that was torn by a full disk or a kill."""
    try:
        found = json.loads(line)
        return Entry(
            end, int(found["at"]), str(found["step"]), str(found["level"]), str(found["text"])
        )
    except (ValueError, TypeError, KeyError):
        return None


def _blocks(path: Path, offset: int) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            file.seek(offset)
            while block := file.read(_BLOCK):
                yield block
    except FileNotFoundError:
        yield from _archived(archive_of(path), offset)


def _archived(path: Path, offset: int) -> Iterator[bytes]:
    try:
        content = b"".join(unpack(str(path)))
    except (FileNotFoundError, zlib.error):
        return
    yield content[offset:]
