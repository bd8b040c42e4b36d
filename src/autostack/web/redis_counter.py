"""Rates counted in Redis, for several replicas of the API."""

import asyncio
from datetime import timedelta

from limits import RateLimitItem
from limits.aio.storage import RedisStorage
from limits.aio.strategies import MovingWindowRateLimiter
from limits.errors import StorageError
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from autostack.web.limits import Count, CounterAway

LIMIT = timedelta(milliseconds=500)
"""A request waits no longer for its count; then this process counts."""
_PREFIX = "autostack"


class InRedis:
    def __init__(self, url: str, *, limit: timedelta = LIMIT) -> None:
        self._limit = limit.total_seconds()
        self._storage = RedisStorage(
            f"async+{url}",
            implementation="redispy",
            wrap_exceptions=True,
            key_prefix=_PREFIX,
            # The library's own retries wait for seconds.
            retry=Retry(NoBackoff(), 0),  # type: ignore[arg-type]  # handed to the client as it is
            socket_connect_timeout=self._limit,
            socket_timeout=self._limit,
        )
        self._strategy = MovingWindowRateLimiter(self._storage)

    async def hit(self, rate: RateLimitItem, *key: str) -> Count:
        try:
            async with asyncio.timeout(self._limit):
                allowed = await self._strategy.hit(rate, *key)
                stats = await self._strategy.get_window_stats(rate, *key)
        except StorageError as error:
            raise CounterAway(f"Redis: {type(error.storage_error).__name__}") from error
        except TimeoutError as error:
            raise CounterAway("Redis did not answer in time") from error
        return Count(allowed=allowed, remaining=stats.remaining, opens=stats.reset_time)

    async def close(self) -> None:
        await self._storage.bridge.get_connection().aclose()  # type: ignore[attr-defined]
