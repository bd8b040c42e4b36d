"""The log collector: reads what instances print and keeps it. Imports little; one thread.

Run as `python -m autostack.entrypoints.logs`; needs AUTOSTACK_HOME.
"""

import os
import signal
import sys
import time
from types import FrameType

from autostack.core.logs.collector import Collector
from autostack.core.logs.inotify import Watch
from autostack.core.logs.intake import Caps
from autostack.core.logs.places import (
    deployment_lines,
    instance_segments,
    instance_spools,
    run_lines,
)
from autostack.core.logs.retention import Keep, KeepDeployments, enforce, enforce_deployments

_PACE = 0.02
"""Seconds between two rounds: what is printed meanwhile is one wake-up instead of many."""
_LOOK_AGAIN = 60.0
_TIDY = 600.0
_QUIET = 600.0
_HEAVY = "pydantic"


def main() -> None:
    if _HEAVY in sys.modules:
        # The launcher imported much; this program lives long and starts over with little.
        os.execv(sys.executable, [sys.executable, "-m", "autostack.entrypoints.logs"])  # noqa: S606
    os.umask(0o027)
    ending = Ending()
    ending.listen()
    collect(os.environ["AUTOSTACK_HOME"], ending, caps=Caps(), keep=Keep())


class Ending:
    """Whether a signal asked us to end. It interrupts waiting, never work."""

    def __init__(self) -> None:
        self.asked = False
        self.pipe, self._write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def listen(self) -> None:
        signal.set_wakeup_fd(self._write)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask)

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        self.asked = True


def collect(home: str, ending: Ending, *, caps: Caps, keep: Keep) -> None:
    """Until a signal ends it."""
    spool, store = instance_spools(home), instance_segments(home)
    for folder in (spool, store, deployment_lines(home), run_lines(home)):
        os.makedirs(folder, mode=0o750, exist_ok=True)  # noqa: PTH103
    watch = Watch(spool, wake=ending.pipe)
    collector = Collector(spool, store, caps=caps)
    _loop(home, collector, watch, ending, keep)
    collector.finish()
    watch.close()


def _loop(home: str, collector: Collector, watch: Watch, ending: Ending, keep: Keep) -> None:
    look_at = tidy_at = 0.0
    while not ending.asked:
        now = time.monotonic()
        if now >= look_at:
            collector.scan()
            look_at = now + _LOOK_AGAIN
        if now >= tidy_at:
            _tidy(home, collector, keep)
            tidy_at = now + _TIDY
        collector.work()
        wait = collector.wait(_LOOK_AGAIN)
        if wait > 0:
            time.sleep(_PACE)
        names = watch.wait(min(wait, look_at - now))
        if names is None:
            collector.scan()
        else:
            collector.notice(names)


def _tidy(home: str, collector: Collector, keep: Keep) -> None:
    spool, store = instance_spools(home), instance_segments(home)
    collector.tidy(lambda key: os.path.exists(f"{home}/instances/{key}"), quiet=_QUIET)  # noqa: PTH110
    in_use = frozenset(name.removesuffix(".out") for name in os.listdir(spool))  # noqa: PTH208
    try:
        enforce(store, keep, now=time.time(), in_use=in_use)
        for folder in (deployment_lines(home), run_lines(home)):
            enforce_deployments(folder, KeepDeployments(), now=time.time())
    except OSError as error:
        sys.stderr.write(f"logs: {error.strerror}: {error.filename}\n")


if __name__ == "__main__":
    main()
