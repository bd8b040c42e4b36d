import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from autostack.core.db import Database
from autostack.features.events import service as events
from autostack.features.events.errors import EventIdInvalid
from autostack.features.events.hub import Hub
from autostack.web.sse import Sse
from tests.clock import FakeClock

TEAM = UUID(int=1)


async def everything(_session: AsyncSession) -> frozenset[UUID]:
    return frozenset({TEAM})


@pytest.fixture
async def hub(database_url: str) -> AsyncGenerator[Hub]:
    hub = Hub(database_url, retry=timedelta(milliseconds=50))
    yield hub
    await hub.close()


@asynccontextmanager
async def following(
    db: Database, hub: Hub, wanted: events.Wanted | None = None
) -> AsyncGenerator[asyncio.Queue[Sse]]:
    """Events as they come; the stream stands before the block begins."""
    seen: asyncio.Queue[Sse] = asyncio.Queue()

    async def read() -> None:
        async for event in events.follow(db, hub, wanted or events.Wanted(access=everything)):
            seen.put_nowait(event)

    task = asyncio.create_task(read())
    await asyncio.sleep(0.2)
    try:
        yield seen
    finally:
        task.cancel()
        await asyncio.wait([task])


async def emit(db: Database, clock: FakeClock, kind: str, *, team: UUID = TEAM) -> None:
    async with db.transaction() as session:
        await events.emit(session, kind, team_id=team, now=clock())


async def next_kind(seen: "asyncio.Queue[Sse]") -> str:
    return (await asyncio.wait_for(seen.get(), 5)).event


async def test_an_event_arrives_while_one_follows(db: Database, hub: Hub, clock: FakeClock) -> None:
    async with following(db, hub) as seen:
        await emit(db, clock, "project.created")

        assert await next_kind(seen) == "project.created"


@pytest.mark.attack("Z05")
async def test_events_of_other_teams_never_arrive(db: Database, hub: Hub, clock: FakeClock) -> None:
    async with following(db, hub) as seen:
        await emit(db, clock, "secret", team=uuid4())
        await emit(db, clock, "mine")

        assert await next_kind(seen) == "mine"


async def test_an_event_whose_transaction_ends_later_is_not_lost(
    db: Database, hub: Hub, clock: FakeClock
) -> None:
    async with following(db, hub) as seen:
        async with db.transaction() as slow:
            await events.emit(slow, "first by number", team_id=TEAM, now=clock())
            await emit(db, clock, "first by commit")
            await asyncio.sleep(0.2)
            assert seen.empty()

        assert [await next_kind(seen), await next_kind(seen)] == [
            "first by number",
            "first by commit",
        ]


async def test_a_reader_resumes_behind_the_last_event_it_got(
    db: Database, hub: Hub, clock: FakeClock
) -> None:
    async with following(db, hub) as seen:
        for kind in ("one", "two", "three"):
            await emit(db, clock, kind)
        first = await asyncio.wait_for(seen.get(), 5)

    resumed = events.Wanted(access=everything, after=events.parse_id(first.id))
    async with following(db, hub, resumed) as seen:
        assert [await next_kind(seen), await next_kind(seen)] == ["two", "three"]


@pytest.mark.attack("Z07")
async def test_a_reader_who_loses_access_is_ended(db: Database, hub: Hub, clock: FakeClock) -> None:
    teams = {TEAM}

    async def access(_session: AsyncSession) -> frozenset[UUID]:
        return frozenset(teams)

    async def read() -> list[str]:
        wanted = events.Wanted(access=access)
        recheck = timedelta(milliseconds=50)
        return [event.event async for event in events.follow(db, hub, wanted, recheck=recheck)]

    reader = asyncio.create_task(read())
    await asyncio.sleep(0.2)
    teams.clear()
    await emit(db, clock, "too late")

    assert await asyncio.wait_for(reader, 5) == []


async def test_a_deployments_stream_begins_at_its_first_event(
    db: Database, hub: Hub, clock: FakeClock
) -> None:
    deployment = uuid4()
    async with db.transaction() as session:
        await events.emit(session, "requested", team_id=TEAM, deployment_id=deployment, now=clock())
        await events.emit(session, "other", team_id=TEAM, deployment_id=uuid4(), now=clock())
        await events.emit(session, "step", team_id=TEAM, deployment_id=deployment, now=clock())

    wanted = events.Wanted(access=everything, deployment_id=deployment)
    async with following(db, hub, wanted) as seen:
        assert [await next_kind(seen), await next_kind(seen)] == ["requested", "step"]


async def test_a_lost_listener_comes_back_and_nothing_is_missed(
    db: Database, hub: Hub, clock: FakeClock
) -> None:
    end = text(
        "select pg_terminate_backend(pid) from pg_stat_activity"
        " where application_name = 'autostack events'"
    )
    async with following(db, hub) as seen:
        async with db.transaction() as session:
            ended = await session.scalar(end)
        assert ended is True
        await emit(db, clock, "meanwhile")

        assert await next_kind(seen) == "meanwhile"


@pytest.mark.parametrize("made_up", ["x", "1", "1-", "-1", "1-2-3", "٣-1", f"{2**63}-1", "9" * 400])
def test_a_made_up_event_id_is_refused(made_up: str) -> None:
    with pytest.raises(EventIdInvalid):
        events.parse_id(made_up)
