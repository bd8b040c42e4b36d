import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from uuid import UUID, uuid4

import pytest
from sqlalchemy import event, text

from autostack.core.clock import utc_now
from autostack.engine.errors import BuildFailed, LeaseLost
from autostack.engine.release import (
    Answer,
    Exit,
    InstanceState,
    Observation,
    Outcome,
    Status,
    Step,
)
from autostack.engine.settle import settle
from autostack.features.deployments import service
from autostack.features.deployments.errors import DeploymentFinished
from autostack.features.deployments.journal import PostgresJournal, Record, Snapshot
from autostack.models.deployment import Deployment, Kind
from tests.integration.deployments.house import House
from tests.integration.deployments.working import until


class Killed(BaseException):
    """The worker dies: nothing after this runs."""


class Dying(PostgresJournal):
    """Dies once, at the given moment of the given step."""

    at = Step.FETCH
    when = "opened"

    def step(self, step: Step) -> AbstractAsyncContextManager[Record]:
        return self._deadly(step) if step is self.at else super().step(step)

    @asynccontextmanager
    async def _deadly(self, step: Step) -> AsyncGenerator[Record]:
        async with super().step(step) as record:
            if self.when == "opened":
                raise Killed
            yield record
            if self.when == "done":
                raise Killed
        raise Killed


STEPS = [Step.FETCH, Step.PLAN, Step.BUILD, Step.RELEASE, Step.START, Step.CHECK, Step.SWITCH]


@pytest.mark.parametrize("when", ["opened", "done", "closed"])
@pytest.mark.parametrize("step", STEPS)
async def test_a_worker_killed_at_any_moment_is_made_good_by_the_next(
    house: House, step: Step, when: str
) -> None:
    first = await house.live()
    second = await house.request()
    lease = await house.claim(second)
    assert lease is not None
    journal = Dying(
        house.db, house.site, deployment_id=second, lease=lease, snapshot=Snapshot(sealed=b"s")
    )
    journal.at, journal.when = step, when
    with pytest.raises(Killed):
        await house.run(second, journal)

    await house.die()
    assert await house.run(second) is Status.SUCCESS
    assert await house.settle(second) is Status.SUCCESS

    assert len(house.router.applied) == 2
    assert house.runtime.processes() == ["web", "worker"]
    assert {row.deployment_id for row in await house.living()} == {second}
    assert (await house.route()).generation == 2
    assert {one.outcome for one in await house.steps(second)} == {Outcome.DONE}
    assert (await house.row(first)).status is Status.SUCCESS


@pytest.mark.parametrize("step", [Step.DRAIN, Step.WATCH, Step.RETIRE])
async def test_a_worker_killed_while_settling_is_made_good_by_the_next(
    house: House, step: Step
) -> None:
    await house.live()
    second = await house.request()
    await house.run(second)
    lease = await house.claim_settle(second)
    assert lease is not None
    journal = Dying(house.db, house.site, deployment_id=second, lease=lease)
    journal.at, journal.when = step, "done"

    with pytest.raises(Killed):
        await settle(await house.order(second, settling=True), house.tools, journal)

    await house.die()
    assert await house.settle(second) is Status.SUCCESS

    assert house.runtime.processes() == ["web", "worker"]
    assert (await house.row(second)).settled_at is not None


async def test_an_old_worker_that_comes_back_writes_nothing(house: House) -> None:
    deployment = await house.request()
    old = await house.claim(deployment)
    assert old is not None
    await house.die()
    new = await house.claim(deployment, worker="two")
    assert new is not None
    journal = house.journal(deployment, old)

    with pytest.raises(LeaseLost):
        await journal.ended(Status.FAILED, message="too late")
    with pytest.raises(LeaseLost):
        await house.run(deployment, journal)
    with pytest.raises(LeaseLost):
        await asyncio.wait_for(journal.canceled(), 2)

    row = await house.row(deployment)
    assert (row.status, row.lease, row.error_message) == (Status.BUILDING, new, None)
    assert await house.steps(deployment) == []


async def test_a_running_deployment_cannot_be_claimed_while_its_lease_lives(house: House) -> None:
    deployment = await house.request()

    assert await house.claim(deployment) is not None
    assert await house.claim(deployment, worker="two") is None


async def test_of_requests_at_once_one_waits_and_the_others_are_superseded(house: House) -> None:
    running = await house.request()
    await house.claim(running)

    made = await asyncio.gather(*(house.request() for _ in range(5)))

    rows = [await house.row(one) for one in made]
    statuses = sorted(row.status.value for row in rows)
    assert statuses == ["pending", "superseded", "superseded", "superseded", "superseded"]
    assert sorted(row.number for row in rows) == [2, 3, 4, 5, 6]
    assert (await house.row(running)).status is Status.BUILDING


async def test_a_request_lets_those_write_who_hold_what_it_waits_for(house: House) -> None:
    waiting = await house.request()

    async with house.db.transaction() as holder:
        row = await holder.get_one(Deployment, waiting, with_for_update=True)
        asked = asyncio.create_task(house.request())
        await until(lambda: stuck(house))
        for place in (2, 1):
            row.queue = {"position": place}
            await holder.flush()
    newer = await asked

    assert (await house.row(waiting)).status is Status.SUPERSEDED
    assert (await house.row(newer)).number == row.number + 1


async def stuck(house: House) -> bool:
    """Whether somebody waits for a lock."""
    waits = text("select exists(select from pg_stat_activity where wait_event_type = 'Lock')")
    async with house.db.reading() as session:
        return bool(await session.scalar(waits))


async def test_only_one_deployment_of_an_environment_runs(house: House) -> None:
    running = await house.request()
    await house.claim(running)
    waiting = await house.request()

    assert await house.claim(waiting) is None
    assert (await house.row(waiting)).status is Status.PENDING


async def test_the_end_of_one_frees_the_slot_for_the_next(house: House) -> None:
    running = await house.request()
    lease = await house.claim(running)
    assert lease is not None
    waiting = await house.request()

    await house.run(running, house.journal(running, lease))

    assert await house.claim(waiting) is not None


async def cancel(house: House, deployment_id: UUID) -> None:
    async with house.db.transaction() as session:
        row = await session.get_one(Deployment, deployment_id)
        await service.cancel(session, row, now=utc_now())


async def test_a_running_build_is_canceled_within_two_seconds(house: House) -> None:
    await house.live()
    house.builder.hold = asyncio.Event()
    deployment = await house.request()
    task = asyncio.create_task(house.run(deployment))
    async with asyncio.timeout(5):
        while not house.builder.running:  # noqa: ASYNC110 - the builder has no event for it
            await asyncio.sleep(0.01)
    begun = time.monotonic()

    await cancel(house, deployment)

    assert await task is Status.CANCELED
    assert time.monotonic() - begun < 2
    assert house.builder.running == 0
    row = await house.row(deployment)
    assert row.status is Status.CANCELED
    assert row.settled_at is not None
    assert (await house.steps(deployment))[-1].outcome is Outcome.CANCELED
    assert house.runtime.processes() == ["web", "worker"]


async def test_what_serves_cannot_be_canceled(house: House) -> None:
    deployment = await house.live()

    with pytest.raises(DeploymentFinished):
        await cancel(house, deployment)


async def test_a_failure_is_said_and_leaves_what_served(house: House) -> None:
    await house.live()
    house.builder.failure = BuildFailed("uv sync", 2)
    deployment = await house.request()

    assert await house.run(deployment) is Status.FAILED

    row = await house.row(deployment)
    assert row.error_message == "uv sync failed with exit code 2."
    assert row.diagnosis is not None
    assert row.lease is None
    assert house.runtime.processes() == ["web", "worker"]


async def test_a_crash_after_the_switch_brings_the_old_release_back(house: House) -> None:
    first = await house.live()
    before = house.serving
    second = await house.request()
    await house.run(second)
    gone = Observation(id=second, state=InstanceState.BACKOFF, exit=Exit(code=1))
    house.runtime.behave["web"] = gone

    assert await house.settle(second) is Status.FAILED

    assert house.serving == before
    assert (await house.route()).deployment_id == first
    row = await house.row(second)
    assert row.status is Status.FAILED
    assert row.watch is not None
    assert (row.watch["state"], row.watch["basis"]) == ("worse", "health")
    assert row.watch["why"] == "web ended with exit code 1"
    assert {one.deployment_id for one in await house.living()} == {first}


@pytest.mark.attack("I07")
async def test_instances_never_share_a_uid_or_an_address(house: House) -> None:
    await house.live()
    await house.run(await house.request())

    rows = await house.living()

    assert len({row.uid for row in rows}) == len(rows) == 4
    assert len({row.address for row in rows}) == 4


async def test_stop_and_start_again_use_the_same_release(house: House) -> None:
    await house.live()
    stop = await house.request(Kind.STOP)
    assert await house.run(stop) is Status.SUCCESS
    await house.settle(stop)
    stopped = house.serving, house.runtime.processes()

    start = await house.request(Kind.RESTART)
    assert await house.run(start) is Status.SUCCESS

    assert stopped == ((), [])
    assert house.runtime.processes() == ["web", "worker"]
    assert house.builder.built == 1


async def test_a_deployment_costs_few_transactions(house: House) -> None:
    await house.live()
    deployment = await house.request()
    begun = list[object]()
    event.listen(house.db.engine.sync_engine, "begin", begun.append)

    await house.run(deployment)

    # Two a step, one for each thing recorded, and one for each look whether it was canceled.
    assert len(begun) <= 60


async def test_an_app_that_dies_printing_binary_gets_its_verdict(house: House) -> None:
    house.printed = ("ready", "\0\udcff ELF")
    gone = Observation(id=uuid4(), state=InstanceState.BACKOFF, exit=Exit(code=1))
    house.runtime.behave["web"] = gone
    house.probe.answer = Answer(attempts=1, seconds=0, error="connection refused")
    deployment = await house.request()

    assert await house.run(deployment) is Status.FAILED

    row = await house.row(deployment)
    assert row.diagnosis is not None
    assert row.diagnosis["proof"] == "\N{REPLACEMENT CHARACTER}? ELF"
