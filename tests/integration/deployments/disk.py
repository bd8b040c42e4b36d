"""A disk that is as full as a test wants, with the guardian that looks after it."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from autostack.core.clock import utc_now
from autostack.core.space import GB, Space
from autostack.engine.release import Artifact
from autostack.features.disk.guardian import Guardian
from autostack.features.disk.store import Machine
from tests.fakes import FakeBuilder
from tests.integration.deployments.house import House

TOTAL = 100 * GB
FLOOR = 5 * GB
"""What follows from it."""


class FakeReserve:
    held = False

    def hold(self, size: int) -> None:
        assert size
        self.held = True

    def drop(self) -> None:
        self.held = False


class FakeDisk(FakeBuilder):
    """Each removed build frees a gigabyte, each cache what it holds."""

    def __init__(self, free: int = 50 * GB) -> None:
        super().__init__()
        self.free = free
        self.cached: dict[UUID, int] = {}
        self.cleared: list[UUID] = []
        self.reserve = FakeReserve()
        self.broken = False
        self.thinned: list[UUID] = []

    def look(self) -> Space:
        return Space(TOTAL, self.free)

    async def builds(self, *, images: bool) -> Sequence[Artifact]:
        assert not images
        return list(self.artifacts.values())

    async def image_sizes(self) -> Mapping[UUID, int]:
        return {}

    async def leftovers(self) -> None:
        """There are none."""

    async def toolchains(self) -> None:
        """All are used."""

    async def layers(self, *, every: bool) -> None:
        """They are in the builds."""

    async def caches(self) -> Sequence[UUID]:
        return list(self.cached)

    async def clear(self, project_id: UUID) -> None:
        self.free += self.cached.pop(project_id)
        self.cleared.append(project_id)

    async def remove(self, artifact: Artifact) -> None:
        if self.broken:
            raise OSError("killed")
        self.free += GB if UUID(artifact.id) in self.artifacts else 0
        await super().remove(artifact)

    async def thin(self, key: UUID, kept: int, in_use: float) -> None:
        self.thinned.append(key)

    async def nothing(self, key: UUID) -> None:
        """Nothing of it is here."""

    async def measure(self, paths: Sequence[Path]) -> Mapping[Path, int]:
        return dict.fromkeys(paths, 1000)


def machine_of(disk: FakeDisk) -> Machine:
    return Machine(
        store=disk,
        builder=disk,
        reserve=disk.reserve,
        look=disk.look,
        thin=disk.thin,
        forget=disk.nothing,
        stop=disk.nothing,
        measure=disk.measure,
    )


def guardian(house: House, disk: FakeDisk, *, keep: int = 3) -> Guardian:
    return Guardian(
        house.db,
        house.site.home,
        machine_of(disk),
        clock=utc_now,
        keep=keep,
        every=timedelta(milliseconds=20),
        look=timedelta(milliseconds=10),
    )
