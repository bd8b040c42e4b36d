"""The line for builds on a real database and the real job queue, with fakes for the machine."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from autostack.core.clock import utc_now
from autostack.engine.admission import GIB, Memory, Rules
from autostack.engine.release import Artifact, Status
from autostack.features.deployments import service, tasks
from autostack.features.deployments.schemas import DeploymentRead, QueueRead
from autostack.features.deployments.tasks import Works
from autostack.features.deployments.turns import Turns
from autostack.models.deployment import Deployment, Kind
from autostack.models.environment import Environment
from autostack.models.event import Event
from autostack.models.project import Project
from autostack.models.release import Release
from tests.integration.deployments.house import House
from tests.integration.deployments.working import until, working


async def place(house: House, project: Project, name: str, number: int) -> Environment:
    made = Environment(
        id=uuid4(),
        project_id=project.id,
        name=name,
        hostname=f"{project.slug}-{name}",
        loopback=f"127.18.4.{number}",
        created_at=utc_now(),
    )
    async with house.db.transaction() as session:
        session.add(made)
    return made


async def neighbour(house: House, name: str) -> Project:
    now = utc_now()
    made = Project(
        id=uuid4(),
        team_id=house.project.team_id,
        name=name,
        slug=name,
        repo_url="https://example.com/other.git",
        created_at=now,
        updated_at=now,
    )
    async with house.db.transaction() as session:
        session.add(made)
    return made


async def ask(house: House, project: Project, environment: Environment) -> UUID:
    async with house.db.transaction() as session:
        made = await service.request(
            session,
            await session.get_one(Project, project.id),
            await session.get_one(Environment, environment.id),
            now=utc_now(),
            by=None,
        )
    return made.id


async def read(house: House, deployment_id: UUID) -> DeploymentRead:
    return DeploymentRead.model_validate(await house.row(deployment_id))


async def queue(house: House, deployment_id: UUID) -> QueueRead | None:
    return (await read(house, deployment_id)).queue


def at(house: House, deployment_id: UUID, position: int | None) -> Callable[[], Awaitable[bool]]:
    async def check() -> bool:
        found = await queue(house, deployment_id)
        return (found.position if found else None) == position

    return check


def over(house: House, *deployments: UUID) -> Callable[[], Awaitable[bool]]:
    async def check() -> bool:
        return all([(await house.row(one)).status is Status.SUCCESS for one in deployments])

    return check


@pytest.fixture
def one_slot(works: Works) -> Works:
    return replace(works, turns=Turns(rules=Rules(slots=1)))


@pytest.fixture
def held(house: House) -> asyncio.Event:
    """Builds do not end before this is set."""
    house.builder.hold = asyncio.Event()
    return house.builder.hold


@asynccontextmanager
async def busy(house: House, works: Works, url: str) -> AsyncGenerator[UUID]:
    """A worker whose only slot a build of another project holds."""
    other = await neighbour(house, "first")
    environment = await place(house, other, "production", 1)
    async with working(works, url):
        first = await ask(house, other, environment)
        async with asyncio.timeout(180):
            while not house.builder.running:  # noqa: ASYNC110 - the builder has no event for it
                await asyncio.sleep(0.01)
        yield first


async def test_a_build_without_a_slot_waits_and_says_where_it_stands(
    house: House, one_slot: Works, held: asyncio.Event, database_url: str
) -> None:
    async with busy(house, one_slot, database_url) as first:
        waits = await house.request()
        await until(at(house, waits, 1))
        found = await read(house, waits)
        held.set()
        await until(over(house, first, waits))

    assert found.status is Status.PENDING
    assert found.queue is not None
    assert found.queue.reason == "1 build runs, 0 ahead of this one"
    assert "Waiting: 1 build runs, 0 ahead of this one." in house.log.said
    assert await queue(house, waits) is None
    assert await told(house, waits) == [1, 0]


async def told(house: House, deployment_id: UUID) -> list[int]:
    query = select(Event.data["position"].as_integer()).where(
        Event.kind == "deployment.queue", Event.deployment_id == deployment_id
    )
    async with house.db.transaction() as session:
        return list((await session.scalars(query.order_by(Event.id))).all())


@pytest.mark.attack("Q06")
async def test_production_and_other_projects_pass_a_flood_of_previews(
    house: House, one_slot: Works, held: asyncio.Event, database_url: str
) -> None:
    other = await neighbour(house, "blog")
    async with busy(house, one_slot, database_url):
        flood = [
            await ask(house, house.project, await place(house, house.project, f"p{number}", number))
            for number in range(10, 15)
        ]
        theirs = await ask(house, other, await place(house, other, "staging", 2))
        production = await house.request()
        await until(at(house, production, 1))
        await until(at(house, theirs, 2))
        await until(at(house, flood[-1], 7))
        held.set()


async def test_who_waits_leaves_at_once_when_canceled(
    house: House, one_slot: Works, held: asyncio.Event, database_url: str
) -> None:
    preview = await place(house, house.project, "preview", 9)
    async with busy(house, one_slot, database_url):
        canceled = await house.request()
        behind = await ask(house, house.project, preview)
        await until(at(house, behind, 2))
        async with house.db.transaction() as session:
            row = await session.get_one(Deployment, canceled)
            await service.cancel(session, row, now=utc_now())
        status = (await house.row(canceled)).status
        await until(at(house, behind, 1))
        held.set()

    assert status is Status.CANCELED


async def test_the_line_outlives_the_worker_and_who_built_keeps_the_slot(
    house: House, one_slot: Works, held: asyncio.Event, database_url: str
) -> None:
    async with busy(house, one_slot, database_url) as first:
        others = [await neighbour(house, f"p{number}") for number in range(3)]
        waiting = [
            await ask(house, one, await place(house, one, "production", 20 + number))
            for number, one in enumerate(others)
        ]
        await until(at(house, waiting[-1], 3))

    held.set()
    again = replace(one_slot, turns=Turns(rules=Rules(slots=1)))
    async with working(again, database_url):
        await until(over(house, first, *waiting), limit=20)

    begun = [(await house.row(one)).started_at for one in (first, *waiting)]
    assert begun == sorted(begun, key=str)


async def test_a_newer_deployment_takes_the_place_of_the_one_it_supersedes(
    house: House, one_slot: Works, held: asyncio.Event, database_url: str
) -> None:
    other = await neighbour(house, "blog")
    async with busy(house, one_slot, database_url):
        older = await house.request()
        theirs = await ask(house, other, await place(house, other, "production", 2))
        await until(at(house, theirs, 2))
        newer = await house.request()
        await until(at(house, newer, 1))
        status = (await house.row(older)).status
        held.set()

    assert status is Status.SUPERSEDED


async def test_what_needs_no_build_does_not_wait_for_one(
    house: House, one_slot: Works, database_url: str
) -> None:
    await tasks.run(one_slot, await house.request())
    house.builder.hold = asyncio.Event()
    async with busy(house, one_slot, database_url):
        async with house.db.transaction() as session:
            project = await session.get_one(Project, house.project.id)
            environment = await session.get_one(Environment, house.environment.id)
            row = await service.again(
                session, project, environment, kind=Kind.RESTART, now=utc_now(), by=None
            )
        await until(over(house, row.id))


async def measured(house: House, gigabytes: float) -> None:
    """The last build of the environment held that much."""
    await house.live()
    async with house.db.transaction() as session:
        for release in await session.scalars(select(Release)):
            artifact = Artifact(
                id="one", kind="directory", location="/x", peak_memory=int(gigabytes * GIB)
            )
            release.artifact = {**release.artifact, "peak_memory": artifact.peak_memory}


async def test_a_build_whose_memory_apps_hold_waits_with_words_and_then_fails(
    house: House, works: Works, database_url: str
) -> None:
    await measured(house, 1.9)
    little = Memory(total=4 * GIB, available=int(1.6 * GIB), reserve=GIB // 2)
    rules = Rules(wait=timedelta(seconds=1))
    poor = replace(works, turns=Turns(rules=rules, memory=lambda: little))

    async with working(poor, database_url):
        waits = await house.request()
        await until(at(house, waits, 1))
        found = await queue(house, waits)

        async def failed() -> bool:
            return (await house.row(waits)).status is Status.FAILED

        await until(failed)

    assert found is not None
    assert found.reason == "needs ~1.9 GB by its last build, 1.1 GB free"
    row = await house.row(waits)
    assert row.settled_at is not None
    assert row.diagnosis is not None
    assert row.diagnosis["code"] == "no_memory_for_build"


async def test_a_build_larger_than_the_machine_runs_and_warns(
    house: House, works: Works, database_url: str
) -> None:
    await measured(house, 6)
    little = Memory(total=4 * GIB, available=GIB, reserve=GIB // 2)
    poor = replace(works, turns=Turns(memory=lambda: little))

    async with working(poor, database_url):
        asked = await house.request()
        await until(over(house, asked))

    [warning] = (await house.row(asked)).warnings
    assert warning.startswith("The last build needed 6.0 GB of memory, more than this machine has")
