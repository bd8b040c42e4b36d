"""What the platform costs while nothing happens."""

import time

import psutil

from benchmarks.series import Series
from tests.e2e.processes import Seen, below, proportional_memory
from tests.platform import Platform

MB = 1_000_000
FIRST_APP_UID = 1_900_000_000


def own(platform: Platform) -> list[int]:
    """The platform's own processes: everything below the supervisor but the apps."""
    return [one.pid for one in _all(platform) if not _is_app(one) and "bwrap" not in one.command]


def apps(platform: Platform) -> list[int]:
    return [one.pid for one in _all(platform) if _is_app(one)]


def _all(platform: Platform) -> list[Seen]:
    return list(below(int((platform.home.run / "supervisord.pid").read_text())))


def _is_app(one: Seen) -> bool:
    return one.uid >= FIRST_APP_UID


def _seconds(pids: list[int]) -> float:
    times = [psutil.Process(pid).cpu_times() for pid in pids if psutil.pid_exists(pid)]
    return sum(spent.user + spent.system for spent in times)


def measure(platform: Platform, *, seconds: float = 60) -> tuple[Series, Series]:
    """(PSS in MB, CPU in % of one core), with whatever is deployed."""
    pids = own(platform)
    before, began = _seconds(pids), time.monotonic()
    time.sleep(seconds)
    share = (_seconds(pids) - before) / (time.monotonic() - began) * 100
    memory = proportional_memory(own(platform)) / MB
    return (
        Series(name="memory of its own processes (PSS)", unit="MB", values=(memory,), goal=300),
        Series(name="CPU", unit="% of a core", values=(share,), goal=1),
    )
