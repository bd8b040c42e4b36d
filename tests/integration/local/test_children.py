"""Forked parts: real processes that are really killed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from autostack.drivers.machine.identity import Identity, noted

PROGRAM = """
import os, signal, sys, time
from pathlib import Path
from autostack.drivers.machine import privileges
from autostack.drivers.machine.identity import identify, note
from autostack.entrypoints.local.children import Child, Parent

folder, me = Path(sys.argv[1]), os.getpid()

def live():
    privileges.die_with_parent(me, signal.SIGKILL)
    time.sleep(60)

def crash():
    sys.exit(3)

def started(child):
    found = identify(child.pid)
    if found:
        note(folder / f"{child.name}.pid", found)
    with (folder / f"{child.name}.starts").open("a") as file:
        file.write(f"{time.monotonic()}\\n")

children = [Child("api", live), Child("worker", live), Child("broken", crash)]
Parent(children=children, on_start=started, stop_limit=2).serve(lambda: None)
"""


@pytest.fixture
def parent(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-c", PROGRAM, str(tmp_path)])
    yield process
    process.kill()
    process.wait(10)


def child(folder: Path, name: str, *, other_than: Identity | None = None) -> Identity:
    """The running child of that name, as soon as there is one."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        found = noted(folder / f"{name}.pid")
        if found and found != other_than:
            return found
        time.sleep(0.01)
    raise TimeoutError(name)


@pytest.mark.usefixtures("parent")
def test_a_killed_child_is_back_at_once(tmp_path: Path) -> None:
    first, neighbour = child(tmp_path, "api"), child(tmp_path, "worker")
    killed = time.monotonic()

    os.kill(first.pid, signal.SIGKILL)
    child(tmp_path, "api", other_than=first)

    assert time.monotonic() - killed < 5
    assert neighbour.alive


def test_children_end_with_a_killed_parent(parent: subprocess.Popen[bytes], tmp_path: Path) -> None:
    children = [child(tmp_path, name) for name in ("api", "worker")]

    parent.kill()

    assert all(each.wait(2) for each in children)


def test_children_end_before_a_parent_that_is_told_to(
    parent: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    children = [child(tmp_path, name) for name in ("api", "worker")]

    parent.terminate()

    assert parent.wait(10) == 0
    assert not any(each.alive for each in children)


@pytest.mark.usefixtures("parent")
def test_one_that_crashes_at_once_is_not_started_in_a_loop(tmp_path: Path) -> None:
    child(tmp_path, "api")

    time.sleep(2)

    starts = (tmp_path / "broken.starts").read_text().splitlines()
    assert 2 <= len(starts) <= 5
