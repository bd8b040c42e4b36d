"""What the disk guardian looks after on this machine."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from uuid import UUID

from autostack.core import space
from autostack.core.clock import utc_now
from autostack.core.db import Database
from autostack.core.home import Home
from autostack.core.settings import Settings
from autostack.drivers.builders.store import BuildStore
from autostack.drivers.machine import usage
from autostack.drivers.machine.ballast import Ballast
from autostack.drivers.sources.mirror import thin
from autostack.engine.ports import Builder, Runtime
from autostack.features.disk.guardian import Guardian
from autostack.features.disk.measuring import Measuring
from autostack.features.disk.store import Machine


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """The drivers that keep something on disk."""

    store: BuildStore
    builder: Builder
    runtime: Runtime
    forget: Callable[[UUID], Awaitable[None]]


def keepers(settings: Settings, db: Database, kept: Kept) -> tuple[Guardian, Measuring]:
    home = settings.layout
    place = machine(home, kept)
    guardian = Guardian(
        db,
        home,
        place,
        clock=utc_now,
        keep=settings.releases_kept,
        floor_mb=settings.disk_floor_mb,
    )
    return guardian, Measuring(db, home, place, clock=utc_now)


def machine(home: Home, kept: Kept) -> Machine:
    async def thinned(key: UUID, trees: int, in_use: float) -> None:
        await thin(home, key, kept=trees, in_use=in_use)

    async def stop(instance_id: UUID) -> None:
        await kept.runtime.stop(instance_id, grace=timedelta(0))

    return Machine(
        store=kept.store,
        builder=kept.builder,
        reserve=Ballast(home.reserve),
        look=partial(space.space, home.root),
        thin=thinned,
        forget=kept.forget,
        stop=stop,
        measure=usage.measure,
    )
