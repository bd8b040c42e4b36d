"""What the platform costs while nothing happens."""

import time

import psutil

from benchmarks.series import Series
from tests.e2e.processes import below, proportional_memory
from tests.platform import Platform

MB = 1_000_000


def own(platform: Platform) -> list[int]:
    """The platform's own processes: everything below the supervisor but the apps."""
    pid = int((platform.home.run / "supervisord.pid").read_text())
    return [one.pid for one in below(pid) if one.uid < 1_900_000_000 and "bwrap" not in one.command]


def _seconds(pids: list[int]) -> float:
    times = [psutil.Process(pid).cpu_times() for pid in pids if psutil.pid_exists(pid)]
    return sum(spent.user + spent.system for spent in times)


def measure(platform: Platform, *, seconds: float = 60) -> tuple[Series, Series]:
    """(PSS in MB, CPU in % of one core), with whatever is deployed."""
    pids = own(platform)
    before, began = _seconds(pids), time.monotonic()
    time.sleep(seconds)
    share = (_seconds(pids) - before) / (time.monotonic() - began) * 100
    memory = proportional_memory(pids) / MB
    return (
        Series(name="idle memory, own processes (PSS)", unit="MB", values=(memory,), goal=300),
        Series(name="idle CPU", unit="% of a core", values=(share,), goal=1),
    )
