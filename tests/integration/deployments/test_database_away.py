"""The database goes away in the middle of a deployment, and comes back."""

import asyncio

import pytest
from psycopg import sql

from autostack.engine.errors import JournalAway
from autostack.engine.release import Outcome, Status
from tests.integration.deployments.house import House
from tests.postgres import Postgres


class Outage:
    """Of this test's own database: sessions are cut, and no new one is let in."""

    def __init__(self, postgres: Postgres, url: str) -> None:
        self._postgres = postgres
        self._name = url.partition("?")[0].rpartition("/")[2]

    def begin(self) -> None:
        self._allow(allowed=False)
        with self._postgres.connect() as connection:
            connection.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s",
                (self._name,),
            )

    def end(self) -> None:
        self._allow(allowed=True)

    def _allow(self, *, allowed: bool) -> None:
        change = sql.SQL("alter database {} with allow_connections {}")
        word = sql.SQL("true") if allowed else sql.SQL("false")
        with self._postgres.connect() as connection:
            connection.execute(change.format(sql.Identifier(self._name), word))


@pytest.fixture
def outage(postgres: Postgres, database_url: str) -> Outage:
    return Outage(postgres, database_url)


async def building(house: House, deployment: asyncio.Task[Status]) -> None:
    async with asyncio.timeout(10):
        while not house.builder.running:
            assert not deployment.done()
            await asyncio.sleep(0.01)


async def test_a_deployment_goes_on_when_the_database_is_back(house: House, outage: Outage) -> None:
    await house.live()
    house.builder.hold = asyncio.Event()
    one = await house.request()
    deployment = asyncio.create_task(house.run(one))
    await building(house, deployment)

    outage.begin()
    house.builder.hold.set()
    await asyncio.sleep(1.5)
    waiting = not deployment.done()
    outage.end()

    assert waiting
    assert await asyncio.wait_for(deployment, 20) is Status.SUCCESS
    assert await house.settle(one) is Status.SUCCESS
    assert {step.outcome for step in await house.steps(one)} == {Outcome.DONE}
    assert {row.deployment_id for row in await house.living()} == {one}
    assert house.runtime.processes() == ["web", "worker"]


async def test_one_that_waits_too_long_is_left_as_it_is_and_resumed(
    house: House, outage: Outage
) -> None:
    first = await house.live()
    house.builder.hold = asyncio.Event()
    one = await house.request()
    deployment = asyncio.create_task(house.run(one))
    await building(house, deployment)

    outage.begin()
    house.builder.hold.set()
    with pytest.raises(JournalAway):
        await asyncio.wait_for(deployment, 20)
    serving = set(house.runtime.processes())
    outage.end()
    between = (await house.row(one)).status
    await house.die()

    assert (between, serving) == (Status.BUILDING, {"web", "worker"})
    assert (await house.route()).deployment_id == first
    assert await house.run(one) is Status.SUCCESS
    assert (await house.route()).deployment_id == one
