"""How often one may ask. Counted in this process; several replicas need a shared storage."""

import math
import time
from dataclasses import dataclass
from datetime import timedelta

from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from autostack.core.errors import TooMany


class TooManyRequests(TooMany):
    hint = "Wait as long as Retry-After says."

    def __init__(self, rate: str, wait: timedelta) -> None:
        super().__init__(f"More requests than the limit of {rate} allows.")
        self.retry_after = wait


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


class Limits:
    """Counts hits in a moving window. `hit` is async so that a shared storage can stand here."""

    def __init__(self) -> None:
        self._strategy = MovingWindowRateLimiter(MemoryStorage())
        self._rates: dict[str, RateLimitItem] = {}

    async def hit(self, rate: str, *key: str) -> Quota:
        """Count one; `TooManyRequests` above the rate (`10/minute`)."""
        item = self._rates.setdefault(rate, parse(rate))
        allowed = self._strategy.hit(item, *key)
        stats = self._strategy.get_window_stats(item, *key)
        wait = max(0.0, stats.reset_time - time.time())
        if not allowed:
            raise TooManyRequests(rate, timedelta(seconds=wait))
        return Quota(limit=item.amount, remaining=stats.remaining, reset=math.ceil(wait))
