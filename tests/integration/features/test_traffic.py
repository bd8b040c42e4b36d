"""What the edge counted becomes rows, and rows become what the API tells."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from autostack.core.db import Database
from autostack.engine.tally import BOUNDS, NONE, Tally
from autostack.features.traffic import service
from autostack.features.traffic.tasks import Ledger
from autostack.models.environment import Environment
from tests.clock import FakeClock
from tests.fakes import FakeRouter
from tests.integration.deployments import house as houses
from tests.integration.deployments.house import House


@pytest.fixture
async def house(database_url: str, tmp_path: Path) -> AsyncIterator[House]:
    database = Database(database_url)
    yield await houses.build(database, tmp_path)
    await database.close()


@pytest.fixture
async def release(house: House) -> UUID:
    """A release that serves."""
    row = await house.row(await house.live())
    assert row.release_id is not None
    return row.release_id


def answers(requests: int, *, errors: int = 0) -> Tally:
    latency = [0] * (len(BOUNDS) + 1)
    latency[1] = requests
    return Tally(codes=(0, requests - errors, 0, 0, errors), latency=tuple(latency))


async def lately(house: House, release: UUID, now: datetime) -> Tally:
    async with house.db.transaction() as session:
        return await service.lately(session, house.environment.id, release, now=now)


async def test_what_came_since_the_last_look_is_added(house: House, release: UUID) -> None:
    router, clock = FakeRouter(), FakeClock()
    router.counted[release] = answers(1000)
    ledger = Ledger(house.db, router, clock=clock)

    await ledger.write()
    for _ in range(3):
        router.counted[release] += answers(10, errors=1)
        await ledger.write()
        clock.advance(timedelta(seconds=45))

    assert await lately(house, release, clock()) == answers(30, errors=3)


async def test_nobody_came_and_nothing_is_written(house: House, release: UUID) -> None:
    clock = FakeClock()
    ledger = Ledger(house.db, FakeRouter(), clock=clock)

    await ledger.write()
    await ledger.write()

    assert await lately(house, release, clock()) == NONE


async def test_little_in_the_last_half_hour_asks_the_last_day(house: House, release: UUID) -> None:
    clock = FakeClock()
    async with house.db.transaction() as session:
        await service.record(session, {release: answers(50)}, now=clock())
    clock.advance(timedelta(hours=3))
    async with house.db.transaction() as session:
        await service.record(session, {release: answers(5)}, now=clock())

    assert (await lately(house, release, clock())).requests == 55


async def test_old_rows_go_and_hours_stay_longer(house: House, release: UUID) -> None:
    clock = FakeClock()
    async with house.db.transaction() as session:
        await service.record(session, {release: answers(50)}, now=clock())
    clock.advance(timedelta(days=3))

    async with house.db.transaction() as session:
        await service.forget_old(session, now=clock())
        environment = await session.get(Environment, house.environment.id)
        assert environment is not None
        week = await service.points(session, environment, service.WINDOWS["7d"], now=clock())
        month = await service.points(session, environment, service.WINDOWS["30d"], now=clock())

    assert sum(point.tally.requests for point in week) == 50
    assert sum(point.tally.requests for point in month) == 50
    assert (len(week), len(month)) == (7 * 24, 30 * 4)


async def test_a_release_that_is_gone_is_left_out(house: House, release: UUID) -> None:
    clock = FakeClock()
    gone = UUID(int=1)

    async with house.db.transaction() as session:
        await service.record(session, {gone: answers(5), release: answers(5)}, now=clock())

    assert (await lately(house, release, clock())).requests == 5
