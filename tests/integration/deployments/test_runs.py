"""Commands that are run once, on a real database and the real job queue."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select, update

from autostack.core.clock import utc_now
from autostack.core.logs import deployment as entries
from autostack.core.logs.sink import FileSink
from autostack.engine.once import CUT_OFF, Means, RunStatus
from autostack.engine.release import Exit
from autostack.features.deployments.reconciler import Reconciler
from autostack.features.deployments.tasks import Works
from autostack.features.runs import service
from autostack.features.runs.journal import PostgresRun
from autostack.features.runs.removal import clear_project
from autostack.features.runs.tasks import Runs
from autostack.models.environment import Environment
from autostack.models.event import Event
from autostack.models.instance import Instance
from autostack.models.release import Release
from autostack.models.run import Run
from autostack.models.user import User
from tests.integration.deployments.house import House
from tests.integration.deployments.working import until, working


@pytest.fixture
async def live(house: House, works: Works) -> Works:
    """Something is deployed, and the worker can open what it was deployed with."""
    await house.live()
    house.runtime.ran.clear()
    return replace(works, site=house.site)


async def ask(house: House, *command: str, seconds: int = 60) -> UUID:
    async with house.db.transaction() as session:
        user = await session.scalar(select(User)) or _ada()
        session.add(user)
        await session.flush()
        environment = await session.get_one(Environment, house.environment.id)
        made = await service.request(
            session,
            environment,
            command=command or ("migrate",),
            seconds=seconds,
            by=user.id,
            now=utc_now(),
        )
    return made.id


def _ada() -> User:
    return User(
        id=uuid4(),
        email="ada@example.com",
        email_key="ada@example.com",
        created_at=utc_now(),
        updated_at=utc_now(),
    )


def runs_of(works: Works, *, at_once: int = 8) -> Runs:
    home = works.site.home
    means = Means(
        runtime=works.tools.runtime,
        open_log=lambda one, secrets: FileSink(home.run_output(one), secrets=secrets),
    )
    return Runs(works, means, at_once=at_once)


async def row(house: House, run_id: UUID) -> Run:
    async with house.db.transaction() as session:
        return await session.get_one(Run, run_id)


async def seat(house: House, run_id: UUID) -> Instance:
    async with house.db.transaction() as session:
        return await session.get_one(Instance, run_id)


def has(house: House, run_id: UUID, *statuses: RunStatus) -> Callable[[], Awaitable[bool]]:
    async def check() -> bool:
        return (await row(house, run_id)).status in statuses

    return check


def is_busy(house: House) -> Callable[[], Awaitable[bool]]:
    async def check() -> bool:
        return bool(house.runtime.busy)

    return check


def lines(works: Works, run_id: UUID) -> list[str]:
    path = works.site.home.run_output(run_id)
    return [one.text for one in entries.forward(path, 0, limit=100)]


async def test_a_request_is_carried_out_in_the_live_release(
    house: House, live: Works, database_url: str
) -> None:
    house.runtime.exit = Exit(code=3)
    async with working(live, database_url):
        run_id = await ask(house, "python", "manage.py")
        await until(has(house, run_id, RunStatus.FAILED))

    found = await row(house, run_id)
    assert (found.exit_code, found.error_message) == (3, "The command ended with exit code 3.")
    assert found.started_at is not None
    assert found.finished_at is not None
    assert house.runtime.ran == [("python", "manage.py")]
    assert lines(live, run_id) == ["running", "The command ended with exit code 3."]
    assert (await seat(house, run_id)).freed_at is not None


async def test_it_gets_the_releases_configuration_and_a_place_of_its_own(
    house: House, live: Works
) -> None:
    house.runtime.hold = asyncio.Event()
    run_id = await ask(house)
    carrying = asyncio.create_task(runs_of(live).carry_out(run_id))
    await until(is_busy(house))

    spec = house.runtime.busy[run_id]
    living = await house.living()
    house.runtime.hold.set()
    await carrying

    assert spec.env["FROM"] == "snapshot"
    assert spec.uid == (await seat(house, run_id)).uid
    assert len({one.uid for one in living}) == len(living) == 3
    assert len({(one.address, one.port) for one in living}) == 3


async def test_a_job_that_comes_twice_runs_the_command_once(house: House, live: Works) -> None:
    run_id = await ask(house)
    one, other = runs_of(live), runs_of(live)

    await asyncio.gather(one.carry_out(run_id), other.carry_out(run_id), one.carry_out(run_id))
    await one.carry_out(run_id)

    assert house.runtime.ran == [("migrate",)]
    assert (await row(house, run_id)).status is RunStatus.DONE


async def test_a_cancel_ends_a_running_command(
    house: House, live: Works, database_url: str
) -> None:
    house.runtime.hold = asyncio.Event()
    async with working(live, database_url):
        run_id = await ask(house)
        await until(is_busy(house))
        async with house.db.transaction() as session:
            await service.cancel(session, await session.get_one(Run, run_id), now=utc_now())
        await until(has(house, run_id, RunStatus.CANCELED))

    assert house.runtime.busy == {}
    assert (await row(house, run_id)).exit_code is None


async def test_a_run_of_a_dead_worker_is_ended_and_not_run_again(
    house: House, live: Works, database_url: str
) -> None:
    run_id = await ask(house)
    async with house.db.transaction() as session:
        claim = await service.claim(session, run_id, worker=live.worker)
    assert claim is not None
    journal = PostgresRun(house.db, live.site, run_id=run_id, lease=claim.lease)
    await journal.errand()

    async with working(live, database_url):
        took = await until(has(house, run_id, RunStatus.FAILED))

    assert took < 3
    assert house.runtime.ran == []
    assert run_id in house.runtime.ended
    assert (await row(house, run_id)).error_message == CUT_OFF.message
    assert lines(live, run_id) == [CUT_OFF.message]
    assert (await seat(house, run_id)).freed_at is not None


async def test_a_worker_that_stops_ends_what_it_runs_and_says_so(
    house: House, live: Works, database_url: str
) -> None:
    house.runtime.hold = asyncio.Event()
    async with working(live, database_url):
        run_id = await ask(house)
        await until(is_busy(house))

    found = await row(house, run_id)
    assert (found.status, found.error_message) == (RunStatus.FAILED, CUT_OFF.message)
    assert house.runtime.busy == {}
    assert lines(live, run_id) == ["running", CUT_OFF.message]


async def test_a_request_made_while_no_worker_lives_is_not_lost(
    house: House, live: Works, database_url: str
) -> None:
    run_id = await ask(house)

    async with working(live, database_url):
        await until(has(house, run_id, RunStatus.DONE))

    assert house.runtime.ran == [("migrate",)]


async def test_who_lost_its_lease_ends_the_command_and_writes_nothing(
    house: House, live: Works
) -> None:
    house.runtime.hold = asyncio.Event()
    run_id = await ask(house)
    carrying = asyncio.create_task(runs_of(live).carry_out(run_id))
    await until(is_busy(house))
    async with house.db.transaction() as session:
        await session.execute(update(Run).values(lease=uuid4()))

    await carrying

    assert house.runtime.busy == {}
    assert (await row(house, run_id)).status is RunStatus.RUNNING


async def test_a_lease_that_ran_out_is_not_taken_from_the_worker_that_still_runs_it(
    house: House, live: Works
) -> None:
    house.runtime.hold = asyncio.Event()
    run_id = await ask(house)
    runs = runs_of(live)
    carrying = asyncio.create_task(runs.carry_out(run_id))
    await until(is_busy(house))
    async with house.db.transaction() as session:
        await session.execute(update(Run).values(lease_expires_at=func.now()))

    await runs.carry_out(run_id)
    house.runtime.hold.set()
    await carrying

    assert (await row(house, run_id)).status is RunStatus.DONE


async def test_more_than_the_machine_shall_bear_wait_their_turn(house: House, live: Works) -> None:
    house.runtime.hold = asyncio.Event()
    first, second = await ask(house), await ask(house)
    runs = runs_of(live, at_once=1)
    carrying = asyncio.create_task(runs.carry_out(first))
    await until(is_busy(house))

    await runs.carry_out(second)
    waiting = (await row(house, second)).status
    house.runtime.hold.set()
    await carrying
    await runs.carry_out(second)

    assert waiting is RunStatus.PENDING
    assert (await row(house, second)).status is RunStatus.DONE


async def test_a_configuration_nobody_can_open_is_told_in_words(house: House, works: Works) -> None:
    await house.live()
    run_id = await ask(house)
    async with house.db.transaction() as session:
        await session.execute(update(Release).values(configuration=b"not ours"))

    await runs_of(works).carry_out(run_id)

    found = await row(house, run_id)
    assert found.status is RunStatus.FAILED
    assert found.error_message
    assert lines(works, run_id) == [found.error_message]
    assert house.runtime.ran == [("migrate",)]


async def test_the_reconciler_leaves_a_running_command_alone(house: House, live: Works) -> None:
    house.runtime.hold = asyncio.Event()
    run_id = await ask(house)
    carrying = asyncio.create_task(runs_of(live).carry_out(run_id))
    await until(is_busy(house))
    reconciler = Reconciler(live, ripe=type(live.site.patience)(0))

    await reconciler.round()
    await reconciler.round()

    assert run_id not in house.runtime.ended
    assert run_id in house.runtime.busy
    house.runtime.hold.set()
    await carrying


async def test_a_deployment_does_not_end_a_running_command(house: House, live: Works) -> None:
    house.runtime.hold = asyncio.Event()
    run_id = await ask(house)
    carrying = asyncio.create_task(runs_of(live).carry_out(run_id))
    await until(is_busy(house))
    house.plan = replace(house.plan, release_command=())

    await house.live()

    assert run_id in house.runtime.busy
    assert run_id not in house.runtime.ended
    house.runtime.hold.set()
    await carrying


async def test_a_removal_ends_commands_and_forgets_their_logs(
    house: House, live: Works, database_url: str
) -> None:
    house.runtime.hold = asyncio.Event()
    run_id = await ask(house)
    log = live.site.home.run_output(run_id)
    async with working(live, database_url):
        await until(is_busy(house))
        waiting = await ask(house)

        await clear_project(live, house.project.id)

    assert house.runtime.busy == {}
    assert (await row(house, run_id)).status is RunStatus.CANCELED
    assert (await row(house, waiting)).status is RunStatus.CANCELED
    assert not log.exists()


async def test_what_happens_to_a_run_is_told_to_its_team(house: House, live: Works) -> None:
    run_id = await ask(house)
    await runs_of(live).carry_out(run_id)

    async with house.db.transaction() as session:
        query = select(Event).where(Event.kind.startswith("run.")).order_by(Event.id)
        told = (await session.scalars(query)).all()

    assert [(one.kind, one.data["status"]) for one in told] == [
        ("run.requested", "pending"),
        ("run.status", "done"),
    ]
    assert {one.data["run_id"] for one in told} == {str(run_id)}
