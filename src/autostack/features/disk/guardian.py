"""Sees that the disk does not run full: old releases go in time, leftovers always, and when space
runs out more and more of what can be made again. What runs and what a rollback brings back stays.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial
from pathlib import Path
from time import time
from uuid import UUID

from autostack.core import space
from autostack.core.clock import Clock
from autostack.core.db import Database
from autostack.core.home import Home
from autostack.core.space import Space
from autostack.core.uploads import thin_uploads, upload_folder
from autostack.engine.errors import DiskFloor
from autostack.engine.release import Artifact
from autostack.features.disk import service
from autostack.features.disk.store import Machine

logger = logging.getLogger(__name__)

LOOK = timedelta(seconds=2)
ROUND = timedelta(seconds=20)
TIDY = timedelta(minutes=10)
FIRST = timedelta(minutes=1)
"""After the start, when others have more to do."""
AGAIN = timedelta(minutes=5)
"""Between two attempts to make room where the one before did not help."""
MORE = 1.2
"""A clean-up frees a little more than what is due, so that it is not needed again at once."""
FRESH = 600.0
"""Seconds for which a tree is left alone although nothing seems to need it."""
USUAL = 6 * 3600.0
DAY = 86_400.0

Stage = Callable[[], Awaitable[None]]


class Guardian:
    """One a worker. `lead` is for the worker that leads; `admit` is asked before each build."""

    def __init__(
        self,
        db: Database,
        home: Home,
        machine: Machine,
        *,
        clock: Clock,
        keep: int,
        floor_mb: int | None = None,
        look: timedelta = LOOK,
        every: timedelta = ROUND,
    ) -> None:
        self._db = db
        self._home = home
        self._machine = machine
        self._clock = clock
        self._keep = keep
        self._floor_mb = floor_mb
        self._look = look.total_seconds()
        self._every = every.total_seconds()
        self._cleaning = asyncio.Lock()
        self._counted: dict[UUID, int] = {}
        self._tried_at = float("-inf")
        self._tidied = time() - (TIDY - FIRST).total_seconds()

    def floor(self, seen: Space) -> int:
        return space.floor(seen.total, self._floor_mb)

    async def admit(self, say: Callable[[str], None]) -> None:
        """Return when there is room for something new, after a clean-up if need be; else
        `DiskFloor`.
        """
        seen = self._machine.look()
        if seen.free >= self.floor(seen):
            return
        say(f"Only {space.words(seen.free)} of the server's disk are free: cleaning up first.")
        seen = await self.make_room()
        if seen.free < self.floor(seen):
            raise DiskFloor(free=seen.free, total=seen.total, floor=self.floor(seen))
        say(f"Now {space.words(seen.free)} are free.")

    async def make_room(self) -> Space:
        """Step by step until there is enough, what costs least to make again first."""
        async with self._cleaning:
            before = seen = self._machine.look()
            async for stage in self._stages():
                if seen.free >= self.floor(seen) * MORE:
                    break
                await self._tried(stage)
                seen = self._machine.look()
            freed = max(0, seen.free - before.free)
            logger.warning("cleaned up: %s freed, %s free", *map(space.words, (freed, seen.free)))
            return seen

    async def _stages(self) -> AsyncIterator[Stage]:
        store = self._machine.store
        yield store.leftovers
        yield self._orphans
        yield partial(self._thin, kept=0, in_use=FRESH)
        yield self._uploads
        yield store.toolchains
        yield partial(store.layers, every=True)
        for project_id in await store.caches():
            yield partial(store.clear, project_id)
        for environment_id in await self._oldest_first():
            yield partial(self._give_up_oldest, environment_id)

    async def _oldest_first(self) -> list[UUID]:
        try:
            async with self._db.transaction() as session:
                return await service.oldest_first(session)
        except Exception:
            logger.exception("the database does not say which releases may go")
            return []

    async def _give_up_oldest(self, environment_id: UUID) -> None:
        async with self._db.transaction() as session:
            doomed = await service.give_up_oldest(session, environment_id, now=self._clock())
        await self._remove(doomed)
        await self._machine.store.layers(every=True)

    async def lead(self) -> None:
        """Until it is cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._watch_for_ever())
            group.create_task(self._keep_for_ever())

    async def _watch_for_ever(self) -> None:
        while True:
            await self._tried(self.watch)
            await asyncio.sleep(self._look)

    async def _keep_for_ever(self) -> None:
        while True:
            await self._tried(self.round)
            await asyncio.sleep(self._every)

    async def watch(self) -> None:
        """One look at the free space; the database is saved first."""
        seen = self._machine.look()
        self._hold_or_drop(seen)
        if seen.free < self.floor(seen) and time() > self._tried_at + AGAIN.total_seconds():
            await self.make_room()
            self._tried_at = time()

    def _hold_or_drop(self, seen: Space) -> None:
        reserve, size = self._machine.reserve, space.reserve(seen.total)
        if reserve.held and seen.free < size:
            logger.error("the disk is full: giving up the reserve so that the database goes on")
            reserve.drop()
        elif not reserve.held and seen.free > max(self.floor(seen), 3 * size):
            reserve.hold(size)

    async def round(self) -> None:
        """Releases beyond those kept go; now and then everything else that nobody needs."""
        await self._keep_few()
        if time() > self._tidied + TIDY.total_seconds():
            await self.tidy()
            self._tidied = time()
            self._counted = {}

    async def _keep_few(self) -> None:
        """Where all had settled the last time, only when there are more by now."""
        async with self._db.transaction() as session:
            busy = await service.busy(session)
            crowded = await service.crowded(session, keep=self._keep)
        for environment_id, count in crowded.items():
            if self._counted.get(environment_id) != count:
                await self._tried(partial(self.keep, environment_id))
        self._counted = {one: crowded[one] for one in crowded.keys() - busy}

    async def keep(self, environment_id: UUID) -> None:
        async with self._db.transaction() as session:
            now = self._clock()
            doomed = await service.give_up(session, environment_id, keep=self._keep, now=now)
        await self._remove(doomed)

    async def tidy(self) -> None:
        """What nobody needs, whether there is room or not."""
        store = self._machine.store
        for stage in (
            store.leftovers,
            self._orphans,
            partial(self._thin, kept=1, in_use=USUAL),
            partial(store.layers, every=False),
            self._forget,
            self._strangers,
        ):
            await self._tried(stage)

    async def _orphans(self) -> None:
        """The builds are listed first: one that is made meanwhile is not among them."""
        async with self._db.transaction() as session:
            images = await service.has_images(session)
        stored = await self._machine.store.builds(images=images)
        async with self._db.transaction() as session:
            doomed = await service.orphans(session, stored)
        await self._remove(doomed)

    async def _thin(self, *, kept: int, in_use: float) -> None:
        async with self._db.transaction() as session:
            idle = await service.idle_projects(session)
        for project_id in idle:
            await self._tried(partial(self._machine.thin, project_id, kept, in_use))

    async def _uploads(self) -> None:
        """But for the newest of each project: none of them was asked for again."""
        async with self._db.transaction() as session:
            idle = await service.idle_projects(session)
        for project_id in idle:
            await asyncio.to_thread(thin_uploads, upload_folder(self._home, project_id))

    async def _forget(self) -> None:
        """Repositories fetched for a plan by a worker that was killed then."""
        found = await asyncio.to_thread(_old, self._home.mirrors, self._home.trees, age=DAY)
        async with self._db.transaction() as session:
            gone = await service.forgotten(session, found)
        for key in gone:
            if not (self._home.uploads / str(key)).exists():
                await self._machine.forget(key)

    async def _strangers(self) -> None:
        """Directories of instances that are over."""
        found = await asyncio.to_thread(_old, self._home.instances, age=3600.0)
        async with self._db.transaction() as session:
            gone = await service.over(session, found)
        for instance_id in gone:
            await self._machine.stop(instance_id)

    async def _remove(self, doomed: list[Artifact]) -> None:
        for artifact in doomed:
            logger.info("removing the build %s: no release needs it", artifact.id)
            await self._tried(partial(self._machine.builder.remove, artifact))

    async def _tried(self, part: Stage) -> None:
        try:
            await part()
        except Exception:
            logger.exception("a part of the disk's clean-up failed; going on")


def _old(*folders: Path, age: float) -> list[UUID]:
    """Directories named by an id that nobody has changed for so long."""
    found: set[UUID] = set()
    for folder in folders:
        for path in folder.iterdir() if folder.is_dir() else ():
            with suppress(ValueError, FileNotFoundError):
                if path.stat().st_mtime < time() - age:
                    found.add(UUID(path.name))
    return sorted(found)
