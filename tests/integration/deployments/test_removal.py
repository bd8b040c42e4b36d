"""What is left of a project that was removed: nothing, whatever happens meanwhile."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from uuid import UUID

import pytest

from autostack.core.clock import utc_now
from autostack.engine.errors import LeaseLost
from autostack.engine.release import Exit, InstanceState, Observation
from autostack.engine.settle import settle
from autostack.features.deployments import removal, tasks
from autostack.features.deployments.reconciler import Reconciler
from autostack.features.deployments.tasks import Works
from autostack.models.project import Project
from tests.fakes import FakeRouter
from tests.integration.deployments.house import House
from tests.integration.deployments.working import until, working


class BusyEdge(FakeRouter):
    """Something else happens right after a removal."""

    def __init__(self, meanwhile: Callable[[], Awaitable[None]]) -> None:
        super().__init__()
        self._meanwhile = meanwhile

    async def remove(self, environment_id: UUID, *, generation: int) -> None:
        await super().remove(environment_id, generation=generation)
        await self._meanwhile()


async def mark_removed(house: House) -> None:
    """Its user has removed the project; no worker has heard of it yet."""
    async with house.db.transaction() as session:
        project = await session.get_one(Project, house.project.id)
        project.removed_at = utc_now()


async def test_a_watch_does_not_lead_the_domains_of_a_removed_project_back(
    house: House, works: Works
) -> None:
    async def watch() -> None:
        with pytest.raises(LeaseLost):
            await settle(order, house.tools, journal)

    house.router = BusyEdge(watch)
    await house.live()
    second = await house.request()
    await house.run(second)
    lease = await house.claim_settle(second)
    assert lease is not None
    journal = house.journal(second, lease)
    order = await house.order(second, settling=True)
    crashed = Observation(id=second, state=InstanceState.BACKOFF, exit=Exit(code=1))
    house.runtime.behave["web"] = crashed
    await mark_removed(house)

    await removal.remove_project(replace(works, tools=house.tools), house.project.id)

    assert house.router.routes == {}
    assert house.runtime.running == {}


async def test_what_a_removal_has_ended_is_not_started_again(house: House, works: Works) -> None:
    deployment = await house.request()
    await tasks.run(works, deployment)
    await tasks.settle(works, deployment)
    await mark_removed(house)
    house.runtime.running.clear()

    await Reconciler(works).round()

    assert house.runtime.running == {}


async def test_a_removal_that_failed_is_asked_for_again(
    house: House, works: Works, database_url: str
) -> None:
    house.router = StubbornEdge()
    works = replace(works, tools=house.tools)
    await house.live()
    await mark_removed(house)
    with pytest.raises(OSError, match="read-only"):
        await removal.remove_project(works, house.project.id)
    later = replace(works.site, clock=lambda: utc_now() + timedelta(minutes=6))

    async with working(replace(works, site=later), database_url):
        await until(partial(is_gone, house))

    assert house.router.routes == {}


class StubbornEdge(FakeRouter):
    """Removes nothing at first."""

    refusals = 1

    async def remove(self, environment_id: UUID, *, generation: int) -> None:
        self.refusals -= 1
        if self.refusals == 0:
            raise OSError("the file system is read-only")
        await super().remove(environment_id, generation=generation)


async def is_gone(house: House) -> bool:
    async with house.db.transaction() as session:
        return await session.get(Project, house.project.id) is None
