"""Reboots, clocks that jump, and what the reconciler may do while a deployment is at work."""

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from autostack.core.clock import utc_now
from autostack.engine.release import Outcome, Status, Step
from autostack.features.deployments import step_rows
from autostack.features.deployments.reconciler import Reconciler
from autostack.features.deployments.tasks import Works
from autostack.models.deployment import Deployment
from tests.integration.deployments.house import House
from tests.integration.deployments.working import until, working


def running(house: House) -> list[UUID]:
    return sorted(house.runtime.running, key=str)


async def mend(house: House, works: Works) -> None:
    """One round; the house seals its configurations in a way of its own."""
    await Reconciler(replace(works, site=house.site)).round()


async def routed(house: House) -> list[UUID]:
    """The instances its domains lead to."""
    by = (await house.route()).deployment_id
    return sorted((row.id for row in await house.living() if row.deployment_id == by), key=str)


async def test_after_a_reboot_what_serves_runs_again_although_a_deployment_waits_or_builds(
    house: House, works: Works
) -> None:
    await house.live()
    waiting = await house.request()
    for _ in range(2):
        house.runtime.running.clear()
        await mend(house, works)
        assert running(house) == await routed(house)
        await house.claim(waiting)


async def test_after_a_reboot_what_serves_runs_again_although_it_is_still_watched(
    house: House, works: Works
) -> None:
    await house.live()
    second = await house.request()
    await house.run(second)
    house.runtime.running.clear()

    await mend(house, works)

    assert running(house) == await routed(house)
    assert await house.settle(second) is Status.SUCCESS


async def test_what_a_deployment_ended_to_make_room_is_not_started_behind_its_back(
    house: House, works: Works
) -> None:
    await house.live()
    second = await house.request()
    await house.claim(second)
    async with house.db.transaction() as session:
        (await session.get_one(Deployment, second)).status = Status.DEPLOYING
    house.runtime.running.clear()

    await mend(house, works)

    assert running(house) == []


async def test_routes_another_hand_changed_are_applied_again_once(
    house: House, works: Works
) -> None:
    await house.live()
    routes = dict(house.router.routes)
    reconciler = Reconciler(replace(works, site=house.site))
    house.router.routes.clear()
    await reconciler.mend_routes()
    before = dict(house.router.routes)
    house.router.has_drifted = True

    await reconciler.mend_routes()

    assert before == {}
    assert house.router.routes == routes


@pytest.mark.parametrize(
    "jumps", [timedelta(hours=1), timedelta(hours=-1), timedelta(days=1), timedelta(days=-1)]
)
async def test_a_clock_that_jumps_changes_no_verdict_lease_or_order(
    house: House, works: Works, database_url: str, jumps: timedelta
) -> None:
    moved = timedelta()

    def clock() -> datetime:
        return utc_now() + moved

    house.builder.hold = asyncio.Event()
    jumping = replace(works, site=replace(works.site, clock=clock))
    async with working(jumping, database_url):
        deployment = await house.request()
        async with asyncio.timeout(25):
            while not house.builder.running:  # noqa: ASYNC110 - the builder has no event for it
                await asyncio.sleep(0.01)
        moved = jumps
        house.builder.hold.set()

        async def is_settled() -> bool:
            return (await house.row(deployment)).settled_at is not None

        await until(is_settled, limit=25)

    row = await house.row(deployment)
    async with house.db.transaction() as session:
        found = await step_rows.of(session, deployment)
    assert row.status is Status.SUCCESS
    assert [step.name for step in found] == list(Step)
    assert {(step.outcome, step.attempt) for step in found} == {(Outcome.DONE, 1)}
    assert all(step.ended_at and step.ended_at >= step.started_at for step in found)
    assert row.finished_at is not None
    assert row.finished_at >= row.created_at
