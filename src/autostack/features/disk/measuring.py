"""Counts in the background what is on disk, and writes it down for those who ask."""

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from autostack.core.clock import Clock
from autostack.core.db import Database
from autostack.core.home import Home
from autostack.core.logs import places
from autostack.features.disk import service
from autostack.features.disk.store import Machine

logger = logging.getLogger(__name__)

EVERY = timedelta(minutes=10)
SHARE = 50
"""It rests this many times as long as it worked: two hundredths of one processor at most."""
FIRST = timedelta(seconds=45)
"""After the start, when others have more to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Something on disk, and the id of the project, deployment or instance it belongs to."""

    part: str
    key: UUID
    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """By what their keys are. Files that several of them share count for the first."""

    deployments: Sequence[Place]
    projects: Sequence[Place]
    instances: Sequence[Place]

    @property
    def all(self) -> Sequence[Place]:
        return (*self.deployments, *self.projects, *self.instances)


class Measuring:
    """For the worker that leads."""

    def __init__(
        self, db: Database, home: Home, machine: Machine, *, clock: Clock, first: timedelta = FIRST
    ) -> None:
        self._db = db
        self._home = home
        self._machine = machine
        self._clock = clock
        self._first = first.total_seconds()

    async def lead(self) -> None:
        """Until it is cancelled."""
        await asyncio.sleep(self._first)
        while True:
            begun = time.monotonic()
            try:
                await self.once()
            except Exception:
                logger.exception("measuring the disk failed; going on")
            took = time.monotonic() - begun
            await asyncio.sleep(max(EVERY.total_seconds(), took * SHARE))

    async def once(self) -> None:
        found = await asyncio.to_thread(look, self._home)
        ours = common(self._home)
        paths = [*(one.path for one in found.all), *ours.values()]
        sizes = await self._machine.measure(paths)
        usage = await self._by_project(found, sizes)
        parts = {name: sizes.get(path, 0) for name, path in ours.items()}
        async with self._db.transaction() as session:
            now = self._clock()
            await service.write_usage(session, usage, now=now)
            await service.write_sample(session, self._machine.look(), parts, now=now)

    async def _by_project(
        self, found: Found, sizes: Mapping[Path, int]
    ) -> Mapping[UUID, Mapping[str, int]]:
        async with self._db.transaction() as session:
            owners = await service.owners(
                session,
                deployments=[one.key for one in found.deployments],
                instances=[one.key for one in found.instances],
            )
            images = await service.has_images(session)
        usage = total(found.all, sizes, owners)
        for project_id, size in (await self._images(asked=images)).items():
            usage[project_id]["images"] = size
        return usage

    async def _images(self, *, asked: bool) -> Mapping[UUID, int]:
        """An engine that is away is no reason not to count the rest."""
        try:
            return await self._machine.store.image_sizes() if asked else {}
        except Exception:
            logger.exception("the Docker engine does not say how large its images are")
            return {}


def total(
    found: Sequence[Place], sizes: Mapping[Path, int], owners: Mapping[UUID, UUID]
) -> dict[UUID, dict[str, int]]:
    usage: dict[UUID, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for one in found:
        usage[owners.get(one.key, one.key)][one.part] += sizes.get(one.path, 0)
    return usage


def look(home: Home) -> Found:
    root = str(home.root)
    outputs, spools = Path(places.deployment_lines(root)), Path(places.instance_spools(root))
    return Found(
        deployments=[*_named(home.artifacts, "releases"), *_named(outputs, "logs")],
        projects=[
            *_named(home.caches, "caches"),
            *_named(home.mirrors, "mirrors"),
            *_named(home.trees, "mirrors"),
            *_named(home.uploads, "uploads"),
        ],
        instances=[
            *_named(Path(places.instance_segments(root)), "logs"),
            *_named(spools, "logs"),
        ],
    )


def common(home: Home) -> Mapping[str, Path]:
    """What belongs to no project."""
    return {
        "toolchains": home.toolchains,
        "database": home.postgres,
        "platform_logs": home.logs / "platform",
        "reserve": home.reserve,
    }


def _named(folder: Path, part: str) -> Iterator[Place]:
    """Entries named by an id, whatever their ending."""
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        try:
            yield Place(part=part, key=UUID(path.name.partition(".")[0]), path=path)
        except ValueError:
            continue
