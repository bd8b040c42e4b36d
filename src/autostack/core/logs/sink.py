"""Writes the log of one deployment: JSON lines, appended to one file.

    {"at": 1767225600000, "step": "build", "level": "output", "text": "Collecting flask"}

What cannot be written because the disk is full is counted and said when there is room again.
"""

import asyncio
import json
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from autostack.core.clock import Clock, utc_now
from autostack.core.logs.records import LONGEST, cut
from autostack.core.logs.redaction import Redaction

OUTPUT = "output"
"""The level of what a command printed; the platform itself says info, warning or error."""

LARGEST = 64 * 1024 * 1024
PATIENCE = 1.0
"""Seconds an unfinished line is held back."""


class FileSink:
    """The engine's LogSink port on a file. One writer at a time, in one thread."""

    def __init__(
        self,
        path: Path,
        *,
        secrets: Iterable[str] = (),
        clock: Clock = utc_now,
        largest: int = LARGEST,
    ) -> None:
        self._file = _File(path, largest=largest)
        self._redaction = Redaction(secrets)
        self._clock = clock
        self._pending = b""
        self._step = ""
        self._timer: asyncio.TimerHandle | None = None

    def say(self, text: str, *, step: str, level: str = "info") -> None:
        """A line of the platform itself; several lines are several records."""
        self._part()
        hidden = self._redaction.hide(text.encode(errors="replace"))
        self._write(hidden.splitlines() or [b""], step=step, level=level)

    def output(self, data: bytes, *, step: str) -> None:
        """Raw output, in any pieces; kept line by line. What is not kept costs nothing: a program
        may go on printing for hours.
        """
        if self._file.full:
            self._pending = b""
            return
        if step != self._step:
            self.flush()
            self._step = step
        whole, feed, rest = (self._pending + data).rpartition(b"\n")
        self._pending = rest
        if feed:
            self._lines(whole)
        if len(self._pending) > LONGEST:
            self._part()
        self._wait()

    def flush(self) -> None:
        """Everything, also the beginning of a line."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._pending:
            whole, self._pending = self._pending, b""
            self._lines(whole)

    def close(self) -> None:
        self.flush()
        self._file.close()

    def _lines(self, whole: bytes) -> None:
        lines = self._redaction.hide(whole).split(b"\n")
        self._write([shown(line) for line in lines], step=self._step, level=OUTPUT)

    def _part(self) -> None:
        """The line is too long or late; what may be half a secret waits for its other half."""
        held = self._redaction.begun(self._pending)
        ready = self._pending[: len(self._pending) - held]
        self._pending = self._pending[len(ready) :]
        if ready:
            self._lines(ready)

    def _wait(self) -> None:
        """Show the beginning of a line when its end does not come."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        loop = _running_loop()
        if self._pending and loop is not None:
            self._timer = loop.call_later(PATIENCE, self._part)

    def _write(self, lines: Sequence[bytes], *, step: str, level: str) -> None:
        at = int(self._clock().timestamp() * 1000)
        made = (
            _line(piece, at=at, step=step, level=level) for line in lines for piece in cut(line)
        )
        self._file.write(b"".join(made), at=at, step=step)


def shown(line: bytes) -> bytes:
    """What a terminal shows at the end: the text behind the last carriage return."""
    return line.rstrip(b"\r").rpartition(b"\r")[2]


def _line(text: bytes, *, at: int, step: str, level: str) -> bytes:
    record = {"at": at, "step": step, "level": level, "text": text.decode(errors="replace")}
    return json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


class _File:
    """Appends whole lines, and survives a full disk and a missing directory."""

    def __init__(self, path: Path, *, largest: int) -> None:
        self._path = path
        self._largest = largest
        self._fd: int | None = None
        self._size = 0
        self._lost = 0
        self._torn = False
        self._cut = False

    def write(self, lines: bytes, *, at: int, step: str) -> None:
        say = self._teller(at=at, step=step)
        if self._lost and self._append(say(f"… {self._lost} lines lost: the disk was full")):
            self._lost = 0
        if self._size + len(lines) > self._largest:
            self._stop(say)
        else:
            kept = 0 if self._lost else self._append(lines)
            self._lost += lines.count(b"\n") - kept

    @property
    def full(self) -> bool:
        """It was said that the log ends here; only the platform's own words still come."""
        return self._cut

    def close(self) -> None:
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def _teller(self, *, at: int, step: str) -> Callable[[str], bytes]:
        return lambda text: _line(text.encode(), at=at, step=step, level="warning")

    def _stop(self, say: Callable[[str], bytes]) -> None:
        """More than anybody reads: said once, then nothing more is kept."""
        if not self._cut:
            megabytes = self._largest // (1024 * 1024)
            told = say(f"… the log ends here: it is over {megabytes} MB")
            self._cut = self._append(told) > 0

    def _append(self, lines: bytes) -> int:
        """How many whole lines were written; a torn one is ended before the next."""
        try:
            fd = self._open()
            data = b"\n" + lines if self._torn else lines
            written = os.write(fd, data)
        except OSError:
            return 0
        whole = data[:written].count(b"\n") - self._torn
        self._size += written
        self._torn = not data[:written].endswith(b"\n")
        return max(0, whole)

    def _open(self) -> int:
        if self._fd is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
            self._fd = os.open(self._path, flags, 0o644)
            # Its directory is closed to others; within, the api and the collector read it.
            os.fchmod(self._fd, 0o644)
            self._size = os.fstat(self._fd).st_size
            self._torn = self._size > 0 and os.pread(self._fd, 1, self._size - 1) != b"\n"
        return self._fd
