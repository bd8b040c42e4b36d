"""What containers print, from the engine's own files into the platform's spools.

The engine writes a JSON line a line printed, and keeps several files behind each other. Where
reading ended is remembered beside the instance; what reached the spool after the last note of
it is counted and left out, so that nothing is lost or doubled when this process dies at any
moment. One reader at a time: the note is locked.
"""

import fcntl
import json
import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from autostack.drivers.machine import remark

CHUNK = 1024 * 1024
FILES = 16
"""More than the engine keeps of one container."""
NOTE = "output.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Where reading ended: a file of the engine by its inode, and how long the spool was then."""

    inode: int = 0
    offset: int = 0
    spool: int = 0


def behind(source: Path, room: Path) -> bool:
    """Whether there is something to bring over; a look that costs microseconds."""
    try:
        seen = source.stat()
    except OSError:
        return False
    note = _read(room / NOTE) or Note()
    return (seen.st_ino, seen.st_size) != (note.inode, note.offset)


def bring(source: Path, target: Path, room: Path) -> None:
    """Append to `target` what is new in `source`. PermissionError where it is not ours to read."""
    with _locked(room) as place, _opened(target) as spool:
        size = os.fstat(spool).st_size
        note = _read(place)
        if note is None:
            note = Note(spool=size)
            _write(place, note)
        surplus = max(0, size - note.spool)
        for fd in _files(source, note.inode):
            with _closing(fd):
                inode = os.fstat(fd).st_ino
                offset = note.offset if inode == note.inode else 0
                for text, end in _payload(fd, offset):
                    skipped = min(surplus, len(text))
                    surplus -= skipped
                    _write_all(spool, text[skipped:])
                    note = Note(inode=inode, offset=end, spool=os.fstat(spool).st_size)
                    _write(place, note)


def add(target: Path, room: Path, text: str) -> None:
    """A remark of the platform's, which is not taken for something brought over."""
    with _locked(room) as place, _opened(target) as spool:
        before = os.fstat(spool).st_size
        remark.append(target, text)
        note = _read(place)
        if note is not None:
            grown = os.fstat(spool).st_size - before
            _write(place, replace(note, spool=note.spool + grown))


def text_of(line: bytes) -> bytes:
    """What the app printed, as the engine kept it: bytes that are no UTF-8 are lost to it."""
    try:
        told: dict[str, Any] = json.loads(line)
        return str(told.get("log", "")).encode(errors="replace")
    except (ValueError, AttributeError):  # no line of the engine's
        return b""


def _payload(fd: int, offset: int) -> Iterator[tuple[bytes, int]]:
    """Text and the offset behind it, in pieces; a line that is still being written waits."""
    pending = b""
    while data := os.pread(fd, CHUNK, offset + len(pending)):
        whole, feed, pending = (pending + data).rpartition(b"\n")
        if feed:
            offset += len(whole) + 1
            yield b"".join(map(text_of, whole.split(b"\n"))), offset


def _files(source: Path, inode: int) -> Iterator[int]:
    """From the one that was read last to the newest; all of them where it is gone."""
    held: list[int] = []
    for number in range(FILES):
        path = source if number == 0 else source.with_name(f"{source.name}.{number}")
        try:
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except FileNotFoundError:
            break
        held.append(fd)
        if os.fstat(fd).st_ino == inode:
            break
    yield from reversed(held)


@contextmanager
def _closing(fd: int) -> Generator[None]:
    try:
        yield
    finally:
        os.close(fd)


@contextmanager
def _opened(target: Path) -> Generator[int]:
    """As a process's own launcher opens it: append-only, never through a link."""
    target.parent.mkdir(parents=True, exist_ok=True)
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    fd = os.open(target, flags, 0o640)
    try:
        if os.geteuid() == 0:
            # The program that reads logs has a group of its own, which the directory carries.
            os.fchown(fd, -1, target.parent.stat().st_gid)
        yield fd
    finally:
        os.close(fd)


@contextmanager
def _locked(room: Path) -> Generator[Path]:
    fd = os.open(room / "output.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield room / NOTE
    finally:
        os.close(fd)


def _read(place: Path) -> Note | None:
    with suppress(OSError, ValueError, TypeError):
        return Note(**json.loads(place.read_text()))
    return None


def _write(place: Path, note: Note) -> None:
    draft = place.with_suffix(".draft")
    draft.write_text(json.dumps(asdict(note)))
    draft.replace(place)


def _write_all(fd: int, data: bytes) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(fd, left) :]
