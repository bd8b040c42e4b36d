"""What becomes of a command when the one that runs it is killed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest

from autostack.drivers.machine import cgroup, processes

CHECKOUT = Path(__file__).parents[3]


@pytest.mark.needs("linux")
def test_nothing_of_a_command_outlives_whoever_runs_it(tmp_path: Path) -> None:
    one = uuid4()
    argv = [sys.executable, "-m", "tests.integration.machine.running", str(tmp_path), str(one)]
    environ = {**os.environ, "PYTHONPATH": str(CHECKOUT)}
    with subprocess.Popen(argv, cwd=CHECKOUT, env=environ, stdout=subprocess.PIPE) as runner:
        assert runner.stdout is not None
        assert b"on" in runner.stdout.readline()
        tree = {process.pid for process in processes.inside(runner.pid)}
        assert len(tree) >= 4

        runner.send_signal(signal.SIGKILL)
        runner.wait()

        assert within(5, lambda: not any(lives(pid) for pid in tree))
    cgroup.end(one)


def within(seconds: float, true: Callable[[], bool]) -> bool:
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
