"""Forked parts of one program: each dies alone and comes back; all end with their parent."""

import os
import select
import signal
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

STEADY = 10.0
LONGEST_PAUSE = 30.0
TICK = 1.0


@dataclass(slots=True)
class Child:
    """A part, how to run it, and how it has been doing."""

    name: str
    run: Callable[[], None]
    pid: int | None = None
    started: float = 0.0
    deaths: int = 0
    due: float = 0.0


def pause(deaths: int) -> float:
    """Seconds before the next try: the first is at once, then 0.5, 1, 2 … 30."""
    return 0.0 if deaths <= 1 else min(LONGEST_PAUSE, 0.25 * 2 ** min(deaths - 1, 10))


@dataclass(slots=True)
class Parent:
    """Keeps the children running until it is told to stop."""

    children: Sequence[Child]
    on_start: Callable[[Child], None]
    """Told each time a child has been forked."""
    stop_limit: float = 20.0
    _stopping: bool = field(default=False, init=False)

    def serve(self, tick: Callable[[], None]) -> None:
        """Return when all children have ended after SIGTERM or SIGINT; `tick` runs each second."""
        wake, woken = os.pipe()
        os.set_blocking(woken, False)
        signal.set_wakeup_fd(woken, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        # Its only use is to wake the wait below.
        signal.signal(signal.SIGCHLD, _ignore)
        os.set_blocking(wake, False)
        while not self._stopping:
            self._reap()
            self._start_due()
            tick()
            _wait(wake, self._until_due())
        self._end(wake)

    def _stop(self, *_: object) -> None:
        self._stopping = True

    def _until_due(self) -> float:
        now = time.monotonic()
        return min([TICK, *(max(0.0, c.due - now) for c in self.children if c.pid is None)])

    def _start_due(self) -> None:
        now = time.monotonic()
        for child in self.children:
            if child.pid is None and child.due <= now and not self._stopping:
                child.pid, child.started = _fork(child), now
                self.on_start(child)

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            for child in self.children:
                if child.pid == pid:
                    _ended(child)
                    if not self._stopping:
                        _say_how(child, os.waitstatus_to_exitcode(status))

    def _end(self, wake: int) -> None:
        """Ask, wait, insist."""
        end = time.monotonic() + self.stop_limit
        _signal(self.children, signal.SIGTERM)
        while any(child.pid for child in self.children):
            if time.monotonic() > end:
                _signal(self.children, signal.SIGKILL)
            _wait(wake, 0.2)
            self._reap()


def _ignore(_number: int, _frame: object) -> None:
    pass


def _ended(child: Child) -> None:
    now = time.monotonic()
    child.pid = None
    child.deaths = 1 if now - child.started > STEADY else child.deaths + 1
    child.due = now + pause(child.deaths)


def _say_how(child: Child, code: int) -> None:
    how = f"signal {-code}" if code < 0 else f"exit code {code}"
    sys.stderr.write(f"{child.name} ended ({how})\n")
    sys.stderr.flush()


def _signal(children: Sequence[Child], number: signal.Signals) -> None:
    for child in children:
        if child.pid is not None:
            os.kill(child.pid, number)


def _wait(wake: int, seconds: float) -> None:
    ready, _, _ = select.select([wake], [], [], seconds)
    if ready:
        os.read(wake, 4096)


def _fork(child: Child) -> int:
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid == 0:
        os._exit(_live(child))
    return pid


def _live(child: Child) -> int:
    """The child's whole life; nothing of the parent's may run in it afterwards."""
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    try:
        child.run()
    except SystemExit as asked:
        return asked.code if isinstance(asked.code, int) else 1
    except BaseException:  # noqa: BLE001 - the last frame of this process
        traceback.print_exc()
        return 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return 0
