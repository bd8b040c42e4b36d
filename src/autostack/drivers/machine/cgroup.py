"""Control groups, version 1 and 2: caps, use, and the certain end of a process tree."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from uuid import UUID

from autostack.engine.release import Limits

ROOT = Path("/sys/fs/cgroup")
SYS = Path("/sys")
OURS = "autostack"
BUILDS = "autostack-builds"
"""Beside OURS and not in it: builds also rank below the edge, which is in no group of ours."""
WEIGHTS = {"cpu.shares": 102, "cpu.weight": 10, "io.weight": 2, "io.bfq.weight": 2}
"""Of all builds together, where one app has 1024 or 100: a tenth of the processor while both want
to run, for a build that gets less beside a machine's other programs may not end; a fiftieth of the
disk.
"""
CONTROLLERS = ("memory", "pids", "cpu")
BUILD_CONTROLLERS = (*CONTROLLERS, "io")
PERIOD = 100_000  # microseconds, the kernel's default


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """Memory in bytes; `oom_kills` counts processes the kernel ended for want of memory. `held`
    is what of all that is `charged` cannot be had back by dropping cached files.
    """

    memory: int = 0
    peak: int = 0
    oom_kills: int = 0
    held: int = 0
    charged: int = 0


@cache
def version() -> int | None:
    """Which hierarchy carries the controllers here; None where we cannot cap anything."""
    if os.geteuid() != 0:
        return None
    if all(os.access(ROOT / name, os.W_OK) for name in ("memory", "pids")):
        return 1
    with suppress(OSError):
        offered = (ROOT / "cgroup.controllers").read_text().split()
        if {"memory", "pids"} <= set(offered) and os.access(ROOT / "cgroup.procs", os.W_OK):
            return 2
    return None


def parents(under: str) -> list[Path]:
    """One a controller in version 1, a single one in version 2."""
    match version():
        case 1:
            bases = [ROOT / each for each in CONTROLLERS if (ROOT / each).is_dir()]
        case 2:
            bases = [ROOT]
        case _:
            bases = []
    return [base / under for base in bases]


def weighs() -> bool:
    """Whether processors can be shared out here."""
    if version() == 1:
        return (ROOT / "cpu").is_dir()
    with suppress(OSError):
        return "cpu" in (ROOT / "cgroup.controllers").read_text().split()
    return False


def directories(name: UUID, *, under: str = OURS) -> list[Path]:
    return [parent / str(name) for parent in parents(under)]


def join_files(name: UUID, *, under: str = OURS) -> list[str]:
    """Files a process writes its pid to, to be counted."""
    return [str(directory / "cgroup.procs") for directory in directories(name, under=under)]


def create(name: UUID, limits: Limits, *, under: str = OURS) -> None:
    """Make the group with its caps; making it again sets the caps anew."""
    places = directories(name, under=under)
    if version() == 2:  # noqa: PLR2004 - the version's name
        _hand_down(under)
    for place in places:
        place.mkdir(parents=True, exist_ok=True)
    for place in places:
        for file, value in _caps(place, limits):
            (place / file).write_text(str(value))


def _hand_down(under: str) -> None:
    (ROOT / under).mkdir(exist_ok=True)
    for place in (ROOT, ROOT / under):
        offered = (place / "cgroup.controllers").read_text().split()
        known = BUILD_CONTROLLERS if under == BUILDS else CONTROLLERS
        wanted = [f"+{name}" for name in known if name in offered]
        (place / "cgroup.subtree_control").write_text(" ".join(wanted))


def seat_builds(home: Path, *, disk_rate: int) -> None:
    """The group of all builds: below apps in weight, and what they read and write on the disk of
    `home` is capped in bytes a second (0: not). Version 1 could only cap what is not written
    behind. What is not offered here is left out.
    """
    places = parents(BUILDS)
    if places and version() == 2:  # noqa: PLR2004 - the version's name
        _hand_down(BUILDS)
    caps: dict[str, str] = {file: str(weight) for file, weight in WEIGHTS.items()}
    disk = _disk_of(home.stat().st_dev)
    if disk and disk_rate:
        caps["io.max"] = f"{disk} rbps={disk_rate} wbps={disk_rate}"
    for place in places:
        place.mkdir(exist_ok=True)
        for file, cap in caps.items():
            with suppress(OSError):
                if (place / file).exists():
                    (place / file).write_text(cap)


def _disk_of(device: int) -> str | None:
    """The disk a device (as `st_dev` names it) is on: a partition has no limits of its own. None
    for what is no disk.
    """
    place = SYS / "dev/block" / f"{os.major(device)}:{os.minor(device)}"
    with suppress(OSError):
        whole = place.resolve().parent if (place / "partition").exists() else place
        return (whole / "dev").read_text().strip()
    return None


def _caps(place: Path, limits: Limits) -> Iterator[tuple[str, int | str]]:
    """The files of this directory that exist here, and what to write."""
    quota = int(limits.cpu * PERIOD) if limits.cpu else None
    known: dict[str, int | str | None] = {
        "memory.limit_in_bytes": limits.memory,
        "memory.max": limits.memory,
        "memory.memsw.limit_in_bytes": limits.memory,
        "memory.swap.max": 0,
        "memory.oom.group": 1,
        "pids.max": limits.pids,
        "cpu.cfs_quota_us": quota,
        "cpu.max": f"{quota} {PERIOD}" if quota else None,
    }
    for file, value in known.items():
        if value is not None and (place / file).exists():
            yield file, value


def use(name: UUID, *, under: str = OURS) -> Use:
    """What it uses now; zeros when it is not there."""
    found: dict[str, int] = {}
    for place in directories(name, under=under):
        with suppress(OSError):
            found |= _memory(place)
    return Use(**found)


def use_around(pid: int) -> Use:
    """What the group uses that another program put this process into; zeros when it is gone."""
    with suppress(OSError, ValueError):
        for line in Path(f"/proc/{pid}/cgroup").read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            if controllers in ("", "memory"):
                base = ROOT / controllers if controllers else ROOT
                if found := _memory(base / path.lstrip("/")):
                    return Use(**found)
    return Use()


def _memory(place: Path) -> dict[str, int]:
    if (place / "memory.current").exists():
        used, peak = "memory.current", "memory.peak"
        events, prefix = "memory.events", ""
    elif (place / "memory.usage_in_bytes").exists():
        used, peak = "memory.usage_in_bytes", "memory.max_usage_in_bytes"
        events, prefix = "memory.oom_control", "total_"
    else:
        return {}
    stat = _fields(place / "memory.stat")
    cached, active = (stat.get(f"{prefix}{kind}_file", 0) for kind in ("inactive", "active"))
    charged = int((place / used).read_text())
    return {
        "memory": max(0, charged - cached),
        "charged": charged,
        "held": max(0, charged - cached - active),
        "peak": int((place / peak).read_text()) if (place / peak).exists() else 0,
        "oom_kills": _fields(place / events).get("oom_kill", 0),
    }


def cap(name: UUID) -> int | None:
    """The most memory it may use, in bytes; None where nothing caps it."""
    for place in directories(name):
        for file in ("memory.max", "memory.limit_in_bytes"):
            with suppress(OSError, ValueError):
                return int((place / file).read_text())
    return None


def held(place: Path) -> int:
    """Bytes that a group and those below it hold, without cached files."""
    with suppress(OSError):
        return _memory(place).get("held", 0)
    return 0


def _fields(file: Path) -> dict[str, int]:
    lines = (line.split() for line in file.read_text().splitlines())
    return {parts[0]: int(parts[1]) for parts in lines if len(parts) > 1}


def processes(name: UUID, *, under: str = OURS) -> list[int]:
    for place in directories(name, under=under):
        with suppress(OSError):
            return [int(pid) for pid in (place / "cgroup.procs").read_text().split()]
    return []


def end(name: UUID, *, under: str = OURS, limit: float = 5.0) -> bool:
    """Kill whatever is in it and remove it; True once nothing is left."""
    deadline = time.monotonic() + limit
    while (alive := processes(name, under=under)) and time.monotonic() < deadline:
        _kill(directories(name, under=under), alive)
        time.sleep(0.005)
    return remove(name, under=under)


def _kill(places: list[Path], alive: list[int]) -> None:
    for place in places:
        with suppress(OSError):
            (place / "cgroup.kill").write_text("1")
            return
    for pid in alive:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def remove(name: UUID, *, under: str = OURS) -> bool:
    """Remove the empty group; False when something is still in it."""
    for place in directories(name, under=under):
        try:
            place.rmdir()
        except FileNotFoundError:
            continue
        except OSError:
            return False
    return True


def known() -> list[UUID]:
    """Every group of ours on this machine, other platforms' included."""
    found: set[UUID] = set()
    for base in (*parents(OURS), *parents(BUILDS)):
        with suppress(OSError):
            found |= {UUID(place.name) for place in base.iterdir() if place.is_dir()}
    return sorted(found)
