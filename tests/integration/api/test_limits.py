"""Rates over two replicas of the api, and while what they share is away."""

import asyncio
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import AsyncExitStack

import httpx
import pytest

from autostack.core.settings import Settings
from autostack.entrypoints.http import Keys, assemble
from autostack.web.limits import AGAIN
from tests.integration.api.conftest import speak
from tests.redis_server import RedisServer, redis_server

pytestmark = pytest.mark.needs("redis")


@pytest.fixture
def redis() -> Iterator[RedisServer]:
    with redis_server() as running:
        yield running


@pytest.fixture
async def replicas(
    settings: Settings, keys: Keys, database_url: str, redis: RedisServer
) -> AsyncGenerator[list[httpx.AsyncClient]]:
    """Two, with the limits a platform has by default."""
    usual = Settings(home=settings.home, redis_url=redis.url)
    async with AsyncExitStack() as stack:
        clients: list[httpx.AsyncClient] = []
        for _ in range(2):
            app = assemble(usual, keys, url=database_url)
            await stack.enter_async_context(app.router.lifespan_context(app))
            clients.append(await stack.enter_async_context(speak(app)))
        yield clients


async def sign_in(client: httpx.AsyncClient, number: int) -> httpx.Response:
    body = {"email": f"{number}@x.io", "password": "not the password"}
    return await client.post("/auth/login", json=body)


@pytest.mark.attack("A33")
async def test_the_eleventh_sign_in_of_a_minute_waits_whichever_replica_it_asks(
    replicas: list[httpx.AsyncClient],
) -> None:
    answers = [await sign_in(replicas[n % 2], n) for n in range(10)]
    refused = [await sign_in(one, 11) for one in replicas]

    assert [one.status_code for one in answers] == [401] * 10
    assert [one.headers["ratelimit-remaining"] for one in answers] == [
        str(left) for left in range(9, -1, -1)
    ]
    for one in refused:
        assert (one.status_code, one.json()["code"]) == (429, "too_many_requests")
        assert 0 < int(one.headers["retry-after"]) <= 60
        assert one.headers["ratelimit-limit"] == "10"
        assert one.headers["ratelimit-remaining"] == "0"


@pytest.mark.parametrize("how", ["killed", "frozen"])
async def test_while_redis_is_away_each_replica_counts_for_itself(
    replicas: list[httpx.AsyncClient], redis: RedisServer, how: str
) -> None:
    assert (await sign_in(replicas[0], 0)).status_code == 401
    redis.stop() if how == "killed" else redis.freeze()

    before = time.monotonic()
    answers = [await sign_in(replicas[0], n) for n in range(11)]
    took = time.monotonic() - before

    assert [one.status_code for one in answers] == [401] * 10 + [429]
    assert (await sign_in(replicas[1], 12)).status_code == 401
    assert took < 30, "nobody waits for it again and again"


async def left(client: httpx.AsyncClient) -> int:
    """Of a rate of its own."""
    answer = await client.post("/auth/refresh", json={"refresh_token": "x"})
    return int(answer.headers["ratelimit-remaining"])


async def test_when_redis_is_back_they_share_again(
    replicas: list[httpx.AsyncClient], redis: RedisServer
) -> None:
    redis.stop()
    assert [await left(one) for one in replicas] == [99, 99]
    redis.start()
    await asyncio.sleep(AGAIN.total_seconds() + 0.5)

    assert [await left(one) for one in replicas] == [99, 98]
