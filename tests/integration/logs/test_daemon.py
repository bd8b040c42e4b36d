"""The collector as a process: killed, flooded, and idle."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import psutil
import pytest

from autostack.core.logs import places, reader
from autostack.core.logs.reader import START
from autostack.core.logs.records import NOTE

MB = 1024 * 1024

pytestmark = pytest.mark.alone


class Daemon:
    """One collector over one home, started and killed at will."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.process: subprocess.Popen[bytes] | None = None
        Path(places.instance_spools(str(home))).mkdir(parents=True)

    def start(self) -> int:
        # Measuring coverage would cost more memory than the collector itself.
        environ = {k: v for k, v in os.environ.items() if not k.startswith("COVERAGE_")}
        environ["AUTOSTACK_HOME"] = str(self.home)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "autostack.entrypoints.logs"], env=environ
        )
        return self.process.pid

    def end(self, number: int = signal.SIGKILL) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        code = self.process.wait(10)
        self.process = None
        return code

    def spool(self, key: str) -> Path:
        return Path(places.instance_spools(str(self.home))) / f"{key}.out"

    def texts(self, key: str) -> list[str]:
        folder = f"{places.instance_segments(str(self.home))}/{key}"
        return [line.text for line in reader.forward(folder, START, limit=10**9)]


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    made = Daemon(tmp_path)
    yield made
    if made.process is not None:
        made.end()


@pytest.fixture
def key() -> str:
    return str(uuid4())


def until(condition: Callable[[], bool], *, limit: float = 20) -> None:
    end = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < end, "did not happen in time"
        time.sleep(0.005)


def test_a_line_is_kept_within_a_third_of_a_second(daemon: Daemon, key: str) -> None:
    daemon.start()
    waits: list[float] = []
    with daemon.spool(key).open("ab", buffering=0) as out:
        out.write(b"ready\n")
        until(lambda: daemon.texts(key) == ["ready"])
        for number in range(20):
            time.sleep(0.05)
            began = time.monotonic()
            out.write(b"line %d\n" % number)
            until(lambda: daemon.texts(key)[-1] == f"line {number}")  # noqa: B023 - asked at once
            waits.append(time.monotonic() - began)

    assert sorted(waits)[10] < 0.1
    assert daemon.end(signal.SIGTERM) == 0


def test_kills_lose_no_line_and_double_none(daemon: Daemon, key: str) -> None:
    """An app prints 2 MB a second, through ten deaths of the collector and the times between."""
    script = (
        "import sys, time\n"
        "for block in range(600):\n"
        "    lines = (f'line {block * 100 + n} {\"x\" * 40}\\n' for n in range(100))\n"
        "    sys.stdout.write(''.join(lines))\n"
        "    sys.stdout.flush()\n"
        "    time.sleep(0.003)\n"
    )
    with daemon.spool(key).open("ab") as out:
        app = subprocess.Popen([sys.executable, "-c", script], stdout=out)
    while app.poll() is None:
        daemon.start()
        time.sleep(0.35)
        daemon.end()
        time.sleep(0.05)
    daemon.start()

    until(lambda: bool(daemon.texts(key)) and daemon.texts(key)[-1].startswith("line 59999 "))
    numbers = [int(text.split()[1]) for text in daemon.texts(key)]

    assert app.returncode == 0
    assert numbers == list(range(60_000))


@pytest.mark.attack("I22")
def test_a_flood_is_bounded_in_what_is_kept_and_in_disk_space(daemon: Daemon, key: str) -> None:
    """300 MB as fast as they can be written; a neighbour is still heard meanwhile."""
    neighbour = str(uuid4())
    daemon.start()
    until(lambda: Path(places.instance_segments(str(daemon.home))).exists())
    script = (
        "import sys\n"
        "block = b''.join(b'%09d %s\\n' % (n, b'x' * 117) for n in range(8192))\n"
        "for _ in range(300):\n"
        "    sys.stdout.buffer.write(block)\n"
    )
    with daemon.spool(key).open("ab") as out:
        app = subprocess.Popen([sys.executable, "-c", script], stdout=out)
    with daemon.spool(neighbour).open("ab") as out:
        out.write(b"can you hear me?\n")
    until(lambda: daemon.texts(neighbour) == ["can you hear me?"], limit=10)
    app.wait(60)
    with daemon.spool(key).open("ab") as out:
        out.write(b"the end\n")

    until(lambda: "the end" in daemon.texts(key)[-2:], limit=30)
    folder = f"{places.instance_segments(str(daemon.home))}/{key}"
    lines = reader.forward(folder, START, limit=10**9)
    dropped = sum(int(line.text.split()[1]) for line in lines if line.record.mark == NOTE)
    kept = sum(line.record.mark != NOTE for line in lines)
    assert kept + dropped == 300 * 8192 + 1
    assert dropped > 0
    assert daemon.spool(key).stat().st_blocks * 512 < 32 * MB


def test_an_idle_collector_costs_nearly_nothing(daemon: Daemon, key: str) -> None:
    pid = daemon.start()
    for _ in range(20):
        daemon.spool(str(uuid4())).write_bytes(b"hello\n")
    daemon.spool(key).write_bytes(b"hello\n")
    until(lambda: daemon.texts(key) == ["hello"])
    time.sleep(1.5)
    process = psutil.Process(pid)
    before = process.cpu_times()
    time.sleep(4)
    after = process.cpu_times()

    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    memory = next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    used = after.user + after.system - before.user - before.system

    assert used <= 0.02, f"{used} s of CPU in 4 s"
    assert memory < 15 * 1024


def test_it_starts_over_small_when_its_launcher_was_large(daemon: Daemon, key: str) -> None:
    environ = {**os.environ, "AUTOSTACK_HOME": str(daemon.home)}
    script = (
        "import pydantic, runpy\n"
        "runpy.run_module('autostack.entrypoints.logs', run_name='__main__')\n"
    )
    daemon.process = subprocess.Popen([sys.executable, "-c", script], env=environ)
    daemon.spool(key).write_bytes(b"hello\n")
    until(lambda: daemon.texts(key) == ["hello"])

    maps = Path(f"/proc/{daemon.process.pid}/maps").read_text()

    assert "pydantic_core" not in maps
