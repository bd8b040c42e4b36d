"""The worker's loop on a real database and the real job queue, with fakes for the machine."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, update

from autostack.core.clock import utc_now
from autostack.core.crypto import Opener, generate
from autostack.engine.errors import EngineUnavailable
from autostack.engine.release import MIB, InstanceState, Limits, Observation, Status
from autostack.features.deployments import service, tasks
from autostack.features.deployments.journal.postgres import MOST_ATTEMPTS
from autostack.features.deployments.reconciler import Reconciler
from autostack.features.deployments.tasks import Works
from autostack.models.deployment import Deployment, Kind
from autostack.models.environment import Environment
from autostack.models.instance import Instance
from autostack.models.project import Project
from autostack.models.release import Release
from autostack.models.step import Step
from tests.fakes import FakeRuntime
from tests.integration.deployments.house import House
from tests.integration.deployments.working import until, working


def has_status(
    house: House, deployment_id: UUID, *statuses: Status
) -> Callable[[], Awaitable[bool]]:
    async def check() -> bool:
        return (await house.row(deployment_id)).status in statuses

    return check


def is_settled(house: House, deployment_id: UUID) -> Callable[[], Awaitable[bool]]:
    async def check() -> bool:
        return (await house.row(deployment_id)).settled_at is not None

    return check


async def test_a_request_is_carried_out_and_settled(
    house: House, works: Works, database_url: str
) -> None:
    async with working(works, database_url):
        await asyncio.sleep(0.5)
        deployment = await house.request()
        await until(is_settled(house, deployment))

    row = await house.row(deployment)
    assert row.status is Status.SUCCESS
    assert row.url == "127.18.3.7:8080"
    assert house.runtime.processes() == ["web", "worker"]


async def test_requests_made_while_no_worker_lives_are_not_lost(
    house: House, works: Works, database_url: str
) -> None:
    deployment = await house.request()

    async with working(works, database_url):
        await until(is_settled(house, deployment))

    assert (await house.row(deployment)).status is Status.SUCCESS


async def test_a_stopped_worker_hands_back_and_the_next_one_goes_on(
    house: House, works: Works, database_url: str
) -> None:
    house.builder.hold = asyncio.Event()
    async with working(works, database_url):
        deployment = await house.request()
        await until(has_status(house, deployment, Status.BUILDING))
        async with asyncio.timeout(5):
            while not house.builder.running:  # noqa: ASYNC110 - the builder has no event for it
                await asyncio.sleep(0.01)

    handed = await house.row(deployment)
    house.builder.hold.set()
    async with working(works, database_url):
        took = await until(has_status(house, deployment, Status.SUCCESS))

    assert (handed.status, handed.lease) == (Status.BUILDING, None)
    assert took < 15, "three seconds are promised; five-fold slack for a busy machine"


async def test_a_dead_workers_deployment_is_taken_over_at_the_start_of_the_next(
    house: House, works: Works, database_url: str
) -> None:
    deployment = await house.request()
    assert await house.claim(deployment, worker=works.worker) is not None

    async with working(works, database_url):
        took = await until(has_status(house, deployment, Status.SUCCESS))

    assert took < 15, "three seconds are promised; five-fold slack for a busy machine"


async def test_many_requests_end_with_the_newest_one_serving(
    house: House, works: Works, database_url: str
) -> None:
    async with working(works, database_url):
        made = [await house.request() for _ in range(6)]
        await until(is_settled(house, made[-1]), limit=20)

    rows = [await house.row(one) for one in made]
    assert rows[-1].status is Status.SUCCESS
    assert {row.status for row in rows} <= {Status.SUCCESS, Status.SUPERSEDED}
    assert (await house.route()).deployment_id == made[-1]
    assert {row.deployment_id for row in await house.living()} == {made[-1]}


async def test_after_a_reboot_everything_that_ran_runs_again(house: House, works: Works) -> None:
    await run_once_with(house, works)
    before = set(house.runtime.running)
    house.runtime.running.clear()

    await Reconciler(works).round()

    assert set(house.runtime.running) == before


async def test_after_a_reboot_an_app_that_cannot_be_started_stops_no_other(
    house: House, works: Works
) -> None:
    await run_once_with(house, works)
    [web] = [one for one in house.runtime.running.values() if one.process == "web"]
    house.runtime.running.clear()
    await seal_with_a_lost_key(house, web.id)

    await Reconciler(works).round()

    assert house.runtime.processes() == ["worker"]


async def seal_with_a_lost_key(house: House, instance_id: UUID) -> None:
    """The instance gets a release of its own, whose configuration nobody can open."""
    async with house.db.transaction() as session:
        instance = await session.get_one(Instance, instance_id)
        release = await session.get_one(Release, instance.release_id)
        lost = Release(
            id=uuid4(),
            environment_id=release.environment_id,
            number=release.number + 1,
            commit_sha=release.commit_sha,
            commit_message=release.commit_message,
            plan=release.plan,
            artifact=release.artifact,
            configuration=b"lost",
            created_at=release.created_at,
        )
        session.add(lost)
        await session.flush()
        instance.release_id = lost.id


class Clinging(FakeRuntime):
    """Ends nothing: its engine is away."""

    async def stop(self, instance_id: UUID, *, grace: timedelta) -> None:
        raise EngineUnavailable("unix:///run/docker.sock")


async def test_what_serves_has_not_failed_because_tidying_up_did(
    house: House, works: Works
) -> None:
    await run_once_with(house, works)
    second = await house.request()
    await tasks.run(works, second)
    away = replace(works, tools=replace(works.tools, runtime=Clinging()))

    await tasks.settle(away, second)

    row = await house.row(second)
    assert (row.status, row.error_message, row.settled_at) == (Status.SUCCESS, None, None)


async def test_tidying_up_that_is_given_up_is_left_to_the_reconciler(
    house: House, works: Works
) -> None:
    first = await run_once_with(house, works)
    second = await house.request()
    await tasks.run(works, second)
    away = replace(works, tools=replace(works.tools, runtime=Clinging()))
    await tasks.settle(away, second)
    await house.die()
    async with house.db.transaction() as session:
        await session.execute(
            update(Step).where(Step.name == "retire").values(attempt=MOST_ATTEMPTS)
        )

    await tasks.settle(works, second)
    await Reconciler(works, ripe=timedelta(0)).round()

    assert (await house.row(second)).status is Status.SUCCESS
    assert (await house.row(second)).settled_at is not None
    assert first not in {one.deployment_id for one in await house.living()}


async def run_once_with(house: House, works: Works) -> UUID:
    """A deployment whose configuration is really sealed."""
    deployment = await house.request()
    await tasks.run(works, deployment)
    await tasks.settle(works, deployment)
    return deployment


async def test_what_nobody_wants_is_ended(house: House, works: Works) -> None:
    first = await run_once_with(house, works)
    stray = next(iter(house.runtime.running.values()))
    stray = replace(stray, id=first)
    await house.runtime.start(stray)
    reconciler = Reconciler(works, ripe=timedelta(0))
    async for seen in house.runtime.watch():
        await reconciler.note(seen)

    await reconciler.round()

    assert stray.id not in house.runtime.running
    assert house.runtime.processes() == ["web", "worker"]


async def test_orphans_are_replaced_by_an_ordinary_restart(house: House, works: Works) -> None:
    first = await run_once_with(house, works)
    house.runtime.behave["web"] = Observation(id=first, state=InstanceState.RUNNING, orphan=True)
    reconciler = Reconciler(works)

    await reconciler.round()
    await reconciler.round()

    assert await later(house) == [("restart", "pending")]


async def later(house: House) -> list[tuple[str, str]]:
    async with house.db.transaction() as session:
        rows = await session.scalars(select(Deployment).where(Deployment.number > 1))
        return [(row.kind.value, row.status.value) for row in rows]


@pytest.mark.attack("S02")
async def test_a_missing_sealing_key_fails_closed_with_words(house: House, works: Works) -> None:
    first = await run_once_with(house, works)
    other = replace(works, opener=Opener([generate()[0]]))
    assert (await house.row(first)).status is Status.SUCCESS
    restart = await house.request(Kind.RESTART)
    await tasks.run(other, restart)

    row = await house.row(restart)
    assert row.status is Status.FAILED
    assert row.error_message is not None
    assert "key" in row.error_message
    assert house.runtime.processes() == ["web", "worker"]


async def test_the_worker_tells_each_deployments_begin_and_end(
    house: House, works: Works, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "autostack")

    await tasks.take_over(works)
    deployment = await run_once_with(house, works)

    said = [record.getMessage() for record in caplog.records]
    assert said == [
        "took over 0 deployments of a worker that is gone",
        f"deployment {deployment} begins (deploy)",
        f"deployment {deployment} ended: success",
        f"deployment {deployment} settles",
        f"deployment {deployment} settled: success",
    ]


async def test_what_was_taken_over_is_counted(
    house: House, works: Works, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "autostack")
    await house.claim(await house.request(), worker=works.worker)

    await tasks.take_over(works)

    assert "took over 1 deployments of a worker that is gone" in caplog.messages


async def test_limits_of_an_environment_apply_at_once_and_after_a_reboot(
    house: House, works: Works
) -> None:
    await run_once_with(house, works)
    async with house.db.transaction() as session:
        asked = await service.limit(
            session,
            await session.get_one(Project, house.project.id),
            await session.get_one(Environment, house.environment.id),
            limits={"web": {"memory_mb": 1024, "cpu": 0.5}},
            by=None,
            now=utc_now(),
        )
    assert asked is not None

    await tasks.run(works, asked.id)
    await tasks.settle(works, asked.id)
    now = {one.process: one.limits for one in house.runtime.running.values()}
    house.runtime.running.clear()
    await Reconciler(works).round()
    later = {one.process: one.limits for one in house.runtime.running.values()}

    assert now == later == {"web": Limits(memory=1024 * MIB, cpu=0.5), "worker": Limits()}
