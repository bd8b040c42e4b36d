"""Telling a process from a later one with the same pid."""

import os
import select
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Identity:
    """A process that cannot be mistaken for another: pid, and when it started."""

    pid: int
    started: str

    @property
    def alive(self) -> bool:
        return identify(self.pid) == self

    def send(self, number: signal.Signals) -> None:
        """Signal it; that it is gone is not an error."""
        if self.alive:
            try:
                os.kill(self.pid, number)
            except ProcessLookupError:
                return

    def wait(self, seconds: float) -> bool:
        """Whether it was gone before the deadline."""
        watched = self._watched()
        if watched is None:
            return self._polled(seconds)
        try:
            ended = select.poll()
            ended.register(watched, select.POLLIN)
            # Asked after it was opened: from here on the descriptor means this very process.
            return not self.alive or bool(ended.poll(seconds * 1000))
        finally:
            os.close(watched)

    def _watched(self) -> int | None:
        """A descriptor that becomes readable when it ends; not every kernel has them."""
        try:
            return os.pidfd_open(self.pid)
        except (AttributeError, OSError):
            return None

    def _polled(self, seconds: float) -> bool:
        end = time.monotonic() + seconds
        while self.alive:
            if time.monotonic() > end:
                return False
            time.sleep(0.02)
        return True


def identify(pid: int) -> Identity | None:
    """None when no such process runs; one that only waits to be reaped does not run."""
    stat = Path(f"/proc/{pid}/stat")
    if stat.parent.parent.joinpath("self").exists():
        return _from_proc(pid, stat)
    asked = subprocess.run(
        ["/bin/ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return Identity(pid, asked.stdout.strip()) if asked.stdout.strip() else None


def note(file: Path, identity: Identity) -> None:
    """Write it down; a reader sees the old one or the new one."""
    draft = file.with_name(f"{file.name}.{os.getpid()}")
    draft.write_text(f"{identity.pid} {identity.started}\n")
    draft.replace(file)


def noted(file: Path) -> Identity | None:
    """The process written down there, if it still runs."""
    try:
        pid, _, started = file.read_text().strip().partition(" ")
        found = Identity(int(pid), started)
    except (FileNotFoundError, ValueError):
        return None
    return found if found.alive else None


def _from_proc(pid: int, stat: Path) -> Identity | None:
    try:
        # The name in parentheses may hold anything, also spaces and parentheses.
        fields = stat.read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    state, started = fields[0], fields[19]
    if state in "ZX":
        return None
    return Identity(pid, f"{_boot()}:{started}")


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
