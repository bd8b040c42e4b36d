"""What every counter of requests promises: in this process, and in Redis."""

import asyncio
import time
from collections.abc import AsyncGenerator

import pytest
from limits import parse

from autostack.web.limits import Counter, InProcess
from autostack.web.redis_counter import InRedis
from tests.redis_server import redis_server

RATE = parse("3/minute")


@pytest.fixture(params=["process", pytest.param("redis", marks=pytest.mark.needs("redis"))])
async def counter(request: pytest.FixtureRequest) -> AsyncGenerator[Counter]:
    if request.param == "process":
        yield InProcess()
        return
    with redis_server() as server:
        counting = InRedis(server.url)
        yield counting
        await counting.close()


async def test_it_allows_as_many_as_the_rate_says(counter: Counter) -> None:
    counts = [await counter.hit(RATE, "login", "a") for _ in range(5)]

    assert [one.allowed for one in counts] == [True, True, True, False, False]
    assert [one.remaining for one in counts] == [2, 1, 0, 0, 0]
    assert 50 < counts[-1].opens - time.time() <= 60


async def test_of_many_at_the_same_moment_no_more_pass(counter: Counter) -> None:
    counts = await asyncio.gather(*(counter.hit(RATE, "login", "a") for _ in range(20)))

    assert [one.allowed for one in counts].count(True) == 3


async def test_keys_are_counted_apart(counter: Counter) -> None:
    for _ in range(3):
        await counter.hit(RATE, "login", "a")

    assert (await counter.hit(RATE, "login", "b")).allowed
    assert (await counter.hit(RATE, "reset", "a")).allowed


@pytest.mark.attack("A32")
async def test_many_made_up_keys_push_none_out(counter: Counter) -> None:
    for _ in range(3):
        await counter.hit(RATE, "login", "victim")

    for number in range(2000):
        await counter.hit(RATE, "login", f"made-up-{number}")

    assert not (await counter.hit(RATE, "login", "victim")).allowed


async def test_the_window_moves(counter: Counter) -> None:
    quick = parse("1/second")
    assert (await counter.hit(quick, "a")).allowed
    assert not (await counter.hit(quick, "a")).allowed

    await asyncio.sleep(1.1)

    assert (await counter.hit(quick, "a")).allowed
