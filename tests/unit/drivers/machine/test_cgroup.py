"""Control groups of version 2, on a directory that looks like them."""

import errno
import os
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from autostack.drivers.machine import cgroup
from autostack.drivers.machine.cgroup import OURS, Use
from autostack.engine.release import MIB, Limits

ONE = uuid4()
LIMITS = Limits(memory=256 * MIB, cpu=1.5, pids=99)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The kernel makes a group's files with its directory; here they are laid out before."""
    monkeypatch.setattr(cgroup, "ROOT", tmp_path)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    for place in (tmp_path, tmp_path / OURS):
        place.mkdir(exist_ok=True)
        (place / "cgroup.controllers").write_text("cpuset cpu io memory pids\n")
        (place / "cgroup.subtree_control").write_text("")
        (place / "cgroup.procs").write_text("")
    group = tmp_path / OURS / str(ONE)
    group.mkdir()
    for name in ("memory.max", "memory.swap.max", "memory.oom.group", "pids.max", "cpu.max"):
        (group / name).write_text("max")
    cgroup.version.cache_clear()
    yield tmp_path
    cgroup.version.cache_clear()


def read(root: Path, name: str) -> str:
    return (root / OURS / str(ONE) / name).read_text()


def test_the_version_is_the_one_whose_files_are_there(root: Path) -> None:
    assert cgroup.version() == 2
    assert cgroup.directories(ONE) == [root / OURS / str(ONE)]


def test_controllers_are_handed_down_to_our_group(root: Path) -> None:
    cgroup.create(ONE, LIMITS)

    for place in (root, root / OURS):
        assert (place / "cgroup.subtree_control").read_text() == "+memory +pids +cpu"


def test_every_cap_is_written_and_swap_is_none(root: Path) -> None:
    cgroup.create(ONE, LIMITS)

    assert read(root, "memory.max") == str(256 * MIB)
    assert read(root, "memory.swap.max") == "0"
    assert read(root, "memory.oom.group") == "1"
    assert read(root, "pids.max") == "99"
    assert read(root, "cpu.max") == "150000 100000"


def test_without_a_cap_the_processor_is_shared(root: Path) -> None:
    cgroup.create(ONE, Limits(cpu=None))

    assert read(root, "cpu.max") == "max"


def test_use_leaves_out_what_the_kernel_can_take_back(root: Path) -> None:
    group = root / OURS / str(ONE)
    (group / "memory.current").write_text("5000\n")
    (group / "memory.peak").write_text("7000\n")
    (group / "memory.stat").write_text("anon 3000\ninactive_file 1500\nactive_file 500\n")
    (group / "memory.events").write_text("low 0\noom 2\noom_kill 1\n")

    assert cgroup.use(ONE) == Use(memory=3500, peak=7000, oom_kills=1, held=3000, charged=5000)


def test_a_kernel_without_a_peak_gives_none(root: Path) -> None:
    group = root / OURS / str(ONE)
    for name, text in (("current", "9"), ("stat", "inactive_file 2"), ("events", "oom_kill 0")):
        (group / f"memory.{name}").write_text(text)

    assert cgroup.use(ONE) == Use(memory=7, peak=0, oom_kills=0, held=7, charged=9)


def test_what_is_not_there_uses_nothing_and_is_removed_already(root: Path) -> None:
    gone = uuid4()

    assert root.exists()
    assert cgroup.use(gone) == Use()
    assert cgroup.processes(gone) == []
    assert cgroup.remove(gone)


def test_a_group_that_is_in_use_stays(root: Path) -> None:
    with pytest.raises(OSError, match="not empty") as caught:
        (root / OURS / str(ONE)).rmdir()

    assert caught.value.errno == errno.ENOTEMPTY
    assert not cgroup.remove(ONE)
    assert cgroup.known() == [ONE]


def test_where_nothing_may_be_written_there_is_no_version(root: Path) -> None:
    (root / "cgroup.controllers").write_text("cpu io\n")
    cgroup.version.cache_clear()

    assert cgroup.version() is None
    assert cgroup.directories(ONE) == []


def test_builds_weigh_a_tenth_of_an_app_and_their_disk_is_capped(
    root: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    parent = root / cgroup.BUILDS
    parent.mkdir()
    for name in ("cpu.weight", "io.weight", "io.max", "cgroup.subtree_control"):
        (parent / name).write_text("")
    (parent / "cgroup.controllers").write_text("cpu io memory pids\n")
    monkeypatch.setattr(cgroup, "SYS", fake_disk(tmp_path / "sys", tmp_path))

    cgroup.seat_builds(tmp_path, disk_rate=1000)

    assert (parent / "cpu.weight").read_text() == "10"
    assert (parent / "io.max").read_text() == "7:3 rbps=1000 wbps=1000"
    assert "+io" in (parent / "cgroup.subtree_control").read_text()


def fake_disk(sys: Path, home: Path) -> Path:
    """A partition, whose disk is 7:3."""
    device = home.stat().st_dev
    partition = sys / "block/sda/sda1"
    partition.mkdir(parents=True)
    (partition / "partition").write_text("1")
    (sys / "block/sda/dev").write_text("7:3\n")
    (sys / "dev/block").mkdir(parents=True)
    (sys / f"dev/block/{os.major(device)}:{os.minor(device)}").symlink_to(partition)
    return sys
