"""How much memory builds may count on: the machine's, or that of the group we are confined to."""

import os
from contextlib import suppress
from pathlib import Path

from autostack.drivers.machine import cgroup, processes
from autostack.engine.admission import Memory
from autostack.engine.release import MIB

LEAST = 256 * MIB
SHARE = 10
"""A tenth of the memory is kept for apps to grow into, and at least LEAST."""
UNLIMITED = 1 << 60
"""Version 1 writes a number of this size where there is no limit."""
PROC = Path("/proc")


def look(*, reserve: int | None = None) -> Memory:
    """`reserve` in bytes; None is a share of what there is."""
    told = _fields(PROC / "meminfo")
    total, available = told["MemTotal"], told.get("MemAvailable", told["MemFree"])
    for limit, used in _confines():
        total, available = min(total, limit), min(available, max(0, limit - used))
    return Memory(
        total=total,
        available=available,
        builds=_builds(),
        reserve=max(LEAST, total // SHARE) if reserve is None else reserve,
    )


def _confines() -> list[tuple[int, int]]:
    """Limit and use of each group around this process that has a limit, in bytes."""
    found: list[tuple[int, int]] = []
    with suppress(OSError, ValueError):
        for line in (PROC / "self/cgroup").read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            if controllers in ("", "memory"):
                base = cgroup.ROOT / controllers if controllers else cgroup.ROOT
                found += _above(base, path)
    return found


def _above(base: Path, path: str) -> list[tuple[int, int]]:
    """In a container the path may name what is not shown here; its root is ours then."""
    parts = Path(path.lstrip("/")).parts
    places = [base.joinpath(*parts[:length]) for length in range(len(parts) + 1)]
    found: list[tuple[int, int]] = []
    for place in places:
        limit = _number(place / "memory.max") or _number(place / "memory.limit_in_bytes")
        if limit and limit < UNLIMITED:
            found.append((limit, cgroup.held(place)))
    return found


def _number(file: Path) -> int | None:
    with suppress(OSError, ValueError):
        return int(file.read_text())
    return None


def _builds() -> int:
    """What all builds together hold now; without groups of their own, our children's memory."""
    if cgroup.version() is not None:
        return sum(cgroup.held(place) for place in cgroup.parents(cgroup.BUILDS)[:1])
    return processes.resident(os.getpid())


def _fields(file: Path) -> dict[str, int]:
    pairs = (line.split() for line in file.read_text().splitlines())
    return {parts[0].rstrip(":"): int(parts[1]) * 1024 for parts in pairs if len(parts) > 1}
