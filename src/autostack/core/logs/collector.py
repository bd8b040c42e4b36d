"""Reads what instances print and keeps it. Plain files, one thread, no locks.

Whoever dies where, the record that was written last says where to go on: no line is lost below
the rate, and none is kept twice.
"""

import math
import os
import re
import sys
import time
from collections.abc import Callable, Iterable

from autostack.core.logs import hiding, holes
from autostack.core.logs.intake import Caps, Intake
from autostack.core.logs.segments import Segments

SPOOL = re.compile(r"^([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.out$")
_CHUNK = 128 * 1024
_TURN = 8
"""Chunks one stream may take before its neighbours have theirs."""
_PUNCH = 4 * 1024 * 1024
_PATIENCE = 1.0
"""Seconds until a write that failed is tried again."""


class Collector:
    """All streams of a platform. `spool` and `store` are directories."""

    def __init__(
        self, spool: str, store: str, *, caps: Caps, now: Callable[[], float] = time.time
    ) -> None:
        self._spool, self._store = spool, store
        self._caps, self._now = caps, now
        self._streams: dict[str, Stream] = {}
        self._ready: dict[str, None] = {}
        self._held_until = 0.0

    def scan(self) -> None:
        """Look at every spool: at the start, and now and then, as a watch may miss something."""
        names = os.listdir(self._spool)  # noqa: PTH208
        self.notice(names)
        for gone in self._streams.keys() - {name.removesuffix(".out") for name in names}:
            del self._streams[gone]

    def notice(self, names: Iterable[str]) -> None:
        """These files may have grown."""
        for name in names:
            found = SPOOL.match(name)
            if found:
                self._ready[found[1]] = None

    def work(self) -> None:
        """One turn for each stream that has something; `wait` says when to come again."""
        now = self._now()
        for key, stream in self._streams.items():
            due = stream.due()
            if due is not None and due <= now:
                self._ready[key] = None
        if now < self._held_until:
            return
        ready, self._ready = self._ready, {}
        for key in ready:
            self._turn(key)

    def wait(self, longest: float) -> float:
        """Seconds until there is something to do without anything happening."""
        now = self._now()
        if self._ready:
            return max(0.0, self._held_until - now)
        dues = (stream.due() for stream in self._streams.values())
        return max(0.0, min((due - now for due in dues if due is not None), default=longest))

    def finish(self) -> None:
        """Keep unfinished lines too: the app or we are at an end."""
        for key in tuple(self._streams):
            self._turn(key, ending=True)

    def tidy(self, living: Callable[[str], bool], *, quiet: float) -> None:
        """Remove spools that were read to their end, whose instance is gone, and into which
        nothing was written for `quiet` seconds.
        """
        for name in os.listdir(self._spool):  # noqa: PTH208
            found = SPOOL.match(name)
            if found and not living(found[1]):
                self._close(found[1], before=self._now() - quiet)

    def _close(self, key: str, *, before: float) -> None:
        try:
            stream = self._stream(key)
            if stream.written_at() < before and not stream.drain(self._now(), ending=True):
                stream.close()
                del self._streams[key]
        except OSError as error:
            sys.stderr.write(f"logs: {key}: {error.strerror}\n")
            self._streams.pop(key, None)

    def _stream(self, key: str) -> "Stream":
        if key not in self._streams:
            source, target = f"{self._spool}/{key}.out", f"{self._store}/{key}"
            self._streams[key] = Stream(source, target, caps=self._caps, now=self._now())
        return self._streams[key]

    def _turn(self, key: str, *, ending: bool = False) -> None:
        try:
            if self._stream(key).drain(self._now(), ending=ending):
                self._ready[key] = None
        except FileNotFoundError:
            self._streams.pop(key, None)
        except OSError as error:
            # A full disk, mostly. What was printed stays in the spool until it can be kept.
            sys.stderr.write(f"logs: {key}: {error.strerror}; trying again\n")
            self._streams.pop(key, None)
            self._ready[key] = None
            self._held_until = self._now() + _PATIENCE


class Stream:
    """One spool and its segments."""

    def __init__(self, source: str, target: str, *, caps: Caps, now: float) -> None:
        self._source = source
        self._caps = caps
        self._segments = Segments(target, roll_at=caps.roll_at)
        state = self._segments.resume()
        self._inode = state.inode
        self._intake = Intake(
            caps,
            end=state.end,
            at=state.at,
            mark=state.mark,
            now=now,
            hiding=hiding.read(source),
        )
        # What was printed while nobody read is kept, however much it is.
        self._intake.free_until = os.stat(source).st_size  # noqa: PTH116
        self._fresh = True
        self._punched = 0
        self._can_punch = True

    def written_at(self) -> float:
        return os.stat(self._source).st_mtime  # noqa: PTH116

    def close(self) -> None:
        """Its instance is gone and everything is kept."""
        self._segments.roll()
        os.unlink(self._source)  # noqa: PTH108
        hiding.remove(self._source)

    def due(self) -> float | None:
        return self._intake.due()

    def drain(self, now: float, *, ending: bool = False) -> bool:
        """Keep what is new. True when there is more than one turn's worth."""
        fd, writable = _open(self._source)
        try:
            self._place(fd, now)
            more = self._read(fd, now)
            if not more:
                waited = math.inf if ending else now
                self._keep(self._intake.flush(waited), start=self._intake.end, now=now)
            if writable and self._intake.end - self._punched >= _PUNCH:
                self._free(fd)
            return more
        finally:
            os.close(fd)

    def _place(self, fd: int, now: float) -> None:
        """Another or a shorter file than before is read from its start."""
        seen = os.fstat(fd)
        replaced = self._inode not in (0, seen.st_ino)
        if replaced or seen.st_size < self._intake.read_to:
            self._keep(self._intake.flush(math.inf), start=0, now=now)
            self._intake.end = 0
            self._punched = 0
            self._intake.free_until = 0
        self._inode = seen.st_ino

    def _read(self, fd: int, now: float) -> bool:
        intake = self._intake
        if self._fresh:
            self._fresh = False
            intake.end = max(intake.end, holes.first_data(fd, intake.end))
        for _ in range(_TURN):
            start = intake.end
            data = os.pread(fd, _CHUNK, intake.read_to)
            if data:
                self._keep(intake.take(data, now=now, at=int(now * 1000)), start=start, now=now)
            if len(data) < _CHUNK:
                intake.caught_up()
                return False
        return True

    def _keep(self, blob: bytes, *, start: int, now: float) -> None:
        if blob:
            self._segments.append(blob, inode=self._inode, start=start, at=int(now * 1000))

    def _free(self, fd: int) -> None:
        """Only what is safe on the disk leaves the spool."""
        if not self._can_punch:
            return
        self._segments.sync()
        self._can_punch = holes.punch(fd, self._intake.end)
        self._punched = self._intake.end


def _open(path: str) -> tuple[int, bool]:
    """The spool, and whether we may punch holes into it. Never through a link."""
    flags = os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
    try:
        return os.open(path, os.O_RDWR | flags), True
    except PermissionError:
        return os.open(path, os.O_RDONLY | flags), False
