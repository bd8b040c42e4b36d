"""The worker's loop on a real database and the real job queue, with fakes for the machine."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from autostack.core.crypto import Opener, generate
from autostack.engine.release import InstanceState, Observation, Status
from autostack.entrypoints.worker import work_on
from autostack.features.deployments import tasks
from autostack.features.deployments.reconciler import Reconciler
from autostack.features.deployments.tasks import Works
from autostack.models.deployment import Deployment, Kind
from tests.integration.deployments.house import House


@asynccontextmanager
async def working(works: Works, url: str) -> AsyncGenerator[asyncio.Task[None]]:
    task = asyncio.create_task(work_on(works, url))
    try:
        yield task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def until(true: Callable[[], Awaitable[bool]], *, limit: float = 10) -> float:
    begun = time.monotonic()
    async with asyncio.timeout(limit):
        while not await true():  # noqa: ASYNC110 - rows tell nobody
            await asyncio.sleep(0.005)
    return time.monotonic() - begun


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
    assert took < 3


async def test_a_dead_workers_deployment_is_taken_over_at_the_start_of_the_next(
    house: House, works: Works, database_url: str
) -> None:
    deployment = await house.request()
    assert await house.claim(deployment, worker=works.worker) is not None

    async with working(works, database_url):
        took = await until(has_status(house, deployment, Status.SUCCESS))

    assert took < 3


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
