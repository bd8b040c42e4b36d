"""What builds may count on, read from files that look like the kernel's."""

from pathlib import Path

import pytest

from autostack.drivers.machine import cgroup, memory
from autostack.engine.release import MIB

MEMINFO = "MemTotal: 4194304 kB\nMemFree: 100 kB\nMemAvailable: 2097152 kB\n"


@pytest.fixture
def kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("proc/self", "cgroup/box/inner"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "proc/meminfo").write_text(MEMINFO)
    (tmp_path / "proc/self/cgroup").write_text("0::/box/inner\n")
    monkeypatch.setattr(memory, "PROC", tmp_path / "proc")
    monkeypatch.setattr(cgroup, "ROOT", tmp_path / "cgroup")
    cgroup.version.cache_clear()
    return tmp_path


def test_the_machines_memory_with_a_tenth_kept_for_apps(kernel: Path) -> None:
    assert (kernel / "proc/meminfo").read_text() == MEMINFO

    found = memory.look()

    assert (found.total, found.available) == (4096 * MIB, 2048 * MIB)
    assert found.reserve == 4096 * MIB // 10


def test_a_group_around_the_platform_is_its_machine(kernel: Path) -> None:
    box = kernel / "cgroup/box"
    (box / "memory.max").write_text(f"{1024 * MIB}\n")
    (box / "memory.current").write_text(f"{900 * MIB}\n")
    (box / "memory.stat").write_text(f"inactive_file {300 * MIB}\nactive_file 0\n")
    (box / "memory.events").write_text("oom_kill 0\n")
    (box / "inner/memory.max").write_text("max\n")

    found = memory.look(reserve=0)

    assert (found.total, found.available) == (1024 * MIB, 424 * MIB)


def test_what_version_one_writes_for_no_limit_is_none(kernel: Path) -> None:
    (kernel / "proc/self/cgroup").write_text("4:memory:/box\n")
    (kernel / "cgroup/memory/box").mkdir(parents=True)
    (kernel / "cgroup/memory/box/memory.limit_in_bytes").write_text("9223372036854771712\n")

    assert memory.look().total == 4096 * MIB
