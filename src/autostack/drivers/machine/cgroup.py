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
OURS = "autostack"
CONTROLLERS = ("memory", "pids", "cpu")
PERIOD = 100_000  # microseconds, the kernel's default


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """Memory in bytes; `oom_kills` counts processes the kernel ended for want of memory."""

    memory: int = 0
    peak: int = 0
    oom_kills: int = 0


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


def directories(name: UUID) -> list[Path]:
    """One a controller in version 1, a single one in version 2."""
    match version():
        case 1:
            bases = [ROOT / each for each in CONTROLLERS if (ROOT / each).is_dir()]
        case 2:
            bases = [ROOT]
        case _:
            bases = []
    return [base / OURS / str(name) for base in bases]


def join_files(name: UUID) -> list[str]:
    """Files a process writes its pid to, to be counted."""
    return [str(directory / "cgroup.procs") for directory in directories(name)]


def create(name: UUID, limits: Limits) -> None:
    """Make the group with its caps; making it again sets the caps anew."""
    places = directories(name)
    if version() == 2:  # noqa: PLR2004 - the version's name
        _hand_down()
    for place in places:
        place.mkdir(parents=True, exist_ok=True)
    for place in places:
        for file, value in _caps(place, limits):
            (place / file).write_text(str(value))


def _hand_down() -> None:
    (ROOT / OURS).mkdir(exist_ok=True)
    for place in (ROOT, ROOT / OURS):
        offered = (place / "cgroup.controllers").read_text().split()
        wanted = [f"+{name}" for name in CONTROLLERS if name in offered]
        (place / "cgroup.subtree_control").write_text(" ".join(wanted))


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


def use(name: UUID) -> Use:
    """What it uses now; zeros when it is not there."""
    found: dict[str, int] = {}
    for place in directories(name):
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
        events, inactive = "memory.events", "inactive_file"
    elif (place / "memory.usage_in_bytes").exists():
        used, peak = "memory.usage_in_bytes", "memory.max_usage_in_bytes"
        events, inactive = "memory.oom_control", "total_inactive_file"
    else:
        return {}
    cached = _fields(place / "memory.stat").get(inactive, 0)
    return {
        "memory": max(0, int((place / used).read_text()) - cached),
        "peak": int((place / peak).read_text()) if (place / peak).exists() else 0,
        "oom_kills": _fields(place / events).get("oom_kill", 0),
    }


def _fields(file: Path) -> dict[str, int]:
    lines = (line.split() for line in file.read_text().splitlines())
    return {parts[0]: int(parts[1]) for parts in lines if len(parts) > 1}


def processes(name: UUID) -> list[int]:
    for place in directories(name):
        with suppress(OSError):
            return [int(pid) for pid in (place / "cgroup.procs").read_text().split()]
    return []


def end(name: UUID, *, limit: float = 5.0) -> bool:
    """Kill whatever is in it and remove it; True once nothing is left."""
    deadline = time.monotonic() + limit
    while (alive := processes(name)) and time.monotonic() < deadline:
        _kill(name, alive)
        time.sleep(0.005)
    return remove(name)


def _kill(name: UUID, alive: list[int]) -> None:
    for place in directories(name):
        with suppress(OSError):
            (place / "cgroup.kill").write_text("1")
            return
    for pid in alive:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def remove(name: UUID) -> bool:
    """Remove the empty group; False when something is still in it."""
    for place in directories(name):
        try:
            place.rmdir()
        except FileNotFoundError:
            continue
        except OSError:
            return False
    return True


def known() -> list[UUID]:
    """Every group of ours on this machine, other platforms' included."""
    bases = {place.parent for place in directories(UUID(int=0))}
    found: set[UUID] = set()
    for base in bases:
        with suppress(OSError):
            found |= {UUID(place.name) for place in base.iterdir() if place.is_dir()}
    return sorted(found)
