"""How often one may ask. Counted in this process, or in Redis for several replicas.

While Redis is away each replica counts for itself: nobody is kept out because of it, and nobody
gets more than the rate from each replica.
"""

import logging
import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Protocol

from limits import RateLimitItem, parse_many

from autostack.core.errors import TooMany

log = logging.getLogger(__name__)

AGAIN = timedelta(seconds=2)
"""How long a shared counter that failed is left alone."""
SWEEP = 4096
_HOME = 64
"""Bits of an IPv6 address that one customer has: below it they can change at will."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """What is left of a rate; `reset` in seconds."""

    limit: int
    remaining: int
    reset: int

    @property
    def headers(self) -> dict[str, str]:
        return {
            "RateLimit-Limit": str(self.limit),
            "RateLimit-Remaining": str(self.remaining),
            "RateLimit-Reset": str(self.reset),
        }


class TooManyRequests(TooMany):
    hint = "Wait as long as Retry-After says."

    def __init__(self, rate: str, wait: timedelta, quota: Quota) -> None:
        super().__init__(f"More requests than the limit of {rate} allows.")
        self.retry_after = wait
        self.headers = quota.headers


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """`opens` is the Unix time at which the next place is free."""

    allowed: bool
    remaining: int
    opens: float


class CounterAway(Exception):
    """The counter did not answer in time."""


class Counter(Protocol):
    """Counts hits in a moving window. A refused hit is not counted. Nothing but `CounterAway` is
    raised.
    """

    async def hit(self, rate: RateLimitItem, *key: str) -> Count: ...

    async def close(self) -> None: ...


class InProcess:
    """Every key has a window of its own, which no other key can push out.

    The library's storage starts a thread for nearly every hit, to forget old ones: a tenth of a
    small request. Here each hit forgets the old ones of its key, and one in `SWEEP` all others.
    """

    def __init__(self) -> None:
        self._windows: dict[str, deque[float]] = {}
        """By rate and key: when each hit that counts stops doing so, the oldest first."""
        self._until_sweep = SWEEP

    async def hit(self, rate: RateLimitItem, *key: str) -> Count:
        now = time.time()
        self._sweep(now)
        window = self._windows.setdefault(rate.key_for(*key), deque())
        _forget(window, now)
        allowed = len(window) < rate.amount
        if allowed:
            window.append(now + rate.get_expiry())
        opens = window[0] if window else now + rate.get_expiry()
        return Count(allowed=allowed, remaining=rate.amount - len(window), opens=opens)

    async def close(self) -> None:
        pass

    def _sweep(self, now: float) -> None:
        self._until_sweep -= 1
        if self._until_sweep > 0:
            return
        self._until_sweep = SWEEP
        for key, window in list(self._windows.items()):
            _forget(window, now)
            if not window:
                del self._windows[key]


def _forget(window: deque[float], now: float) -> None:
    while window and window[0] <= now:
        window.popleft()


class Limits:
    """Rates are written as `10/minute`, several as `10/minute; 100/hour`."""

    def __init__(
        self, shared: Counter | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._own = InProcess()
        self._shared = shared
        self._clock = clock
        self._again_at = -math.inf
        self._rates: dict[str, list[RateLimitItem]] = {}

    async def hit(self, rate: str, *key: str) -> Quota:
        """Count one; `TooManyRequests` above a rate. The quota is that of the tightest one."""
        items = self._rates.setdefault(rate, parse_many(rate))
        quotas = [await self._hit(item, rate, *key) for item in items]
        return min(quotas, key=lambda quota: quota.remaining)

    async def hit_from(self, rate: str, kind: str, address: str) -> Quota:
        return await self.hit(rate, kind, home_of(address))

    async def close(self) -> None:
        if self._shared is not None:
            await self._shared.close()

    async def _hit(self, item: RateLimitItem, rate: str, *key: str) -> Quota:
        count = await self._count(item, *key)
        wait = max(0.0, count.opens - time.time())
        quota = Quota(limit=item.amount, remaining=count.remaining, reset=math.ceil(wait))
        if not count.allowed:
            raise TooManyRequests(rate, timedelta(seconds=wait), quota)
        return quota

    async def _count(self, item: RateLimitItem, *key: str) -> Count:
        if self._shared is None or self._clock() < self._again_at:
            return await self._own.hit(item, *key)
        try:
            return await self._shared.hit(item, *key)
        except CounterAway as error:
            self._again_at = self._clock() + AGAIN.total_seconds()
            log.warning("counting requests in this process alone: %s", error)
            return await self._own.hit(item, *key)


def home_of(address: str) -> str:
    """Whom an address belongs to: itself, but for IPv6 its network."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    if not isinstance(found, IPv6Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ip_network((found, _HOME), strict=False).network_address)
