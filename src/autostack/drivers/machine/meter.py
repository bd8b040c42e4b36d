"""The most memory a build held at once: what the next one of its kind is expected to need."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

from autostack.drivers.machine import cgroup, processes
from autostack.drivers.machine.cgroup import Use

BRIEF = 1.0
"""Seconds below which the kernel's own peak is taken: there was little time to look."""
OFTEN, SELDOM = 0.1, 1.0
"""Seconds between two looks: at a group's own count, or at each process of a tree."""


@dataclass(slots=True)
class Meter:
    """The kernel's peak counts cached files, and a build that installs much fills memory with
    them although it needs none of it. So we look ourselves, and often.
    """

    peak: int = 0


@asynccontextmanager
async def watching(
    name: UUID, *, under: str, tree: Callable[[], int | None]
) -> AsyncGenerator[Meter]:
    """Measure a group until the block ends, or without groups the processes below `tree`."""
    meter, begun = Meter(), time.monotonic()
    grouped = cgroup.version() is not None
    looking = asyncio.create_task(
        _look(meter, lambda: cgroup.use(name, under=under).held, OFTEN)
        if grouped
        else _look(meter, lambda: processes.resident(tree()), SELDOM)
    )
    try:
        yield meter
    finally:
        looking.cancel()
        await asyncio.wait({looking})
        if grouped and time.monotonic() - begun < BRIEF:
            meter.peak = max(meter.peak, _by_the_kernel(cgroup.use(name, under=under)))


async def _look(meter: Meter, held: Callable[[], int], pause: float) -> None:
    while True:
        meter.peak = max(meter.peak, await asyncio.to_thread(held))
        await asyncio.sleep(pause)


def _by_the_kernel(use: Use) -> int:
    """Its peak, without the files that are cached now."""
    return max(0, use.peak - max(0, use.charged - use.held))
