"""Rates, and what happens to them while the shared counter is away."""

import math

import pytest
from limits import RateLimitItem

from autostack.core.settings import Settings
from autostack.web.limits import Count, CounterAway, Limits, TooManyRequests, home_of


class Shared:
    """A counter that can be away, and says how often it was asked."""

    def __init__(self) -> None:
        self.away, self.asked = False, 0

    async def hit(self, rate: RateLimitItem, *_key: str) -> Count:
        self.asked += 1
        if self.away:
            raise CounterAway("gone")
        return Count(allowed=True, remaining=rate.amount - 1, opens=0)

    async def close(self) -> None:
        pass


async def test_a_refusal_says_how_long_to_wait_and_what_the_rate_is() -> None:
    limits = Limits()
    await limits.hit("1/minute", "a")

    with pytest.raises(TooManyRequests) as refused:
        await limits.hit("1/minute", "a")

    assert refused.value.retry_after is not None
    wait = refused.value.retry_after.total_seconds()
    assert 0 < wait <= 60
    assert refused.value.headers == {
        "RateLimit-Limit": "1",
        "RateLimit-Remaining": "0",
        "RateLimit-Reset": str(math.ceil(wait)),
    }


async def test_of_several_rates_the_tightest_decides() -> None:
    limits = Limits()

    quota = await limits.hit("10/minute; 3/hour", "a")
    for _ in range(2):
        await limits.hit("10/minute; 3/hour", "a")

    assert (quota.limit, quota.remaining) == (3, 2)
    with pytest.raises(TooManyRequests):
        await limits.hit("10/minute; 3/hour", "a")


async def test_while_the_shared_counter_is_away_this_process_counts() -> None:
    now = 0.0
    shared = Shared()
    limits = Limits(shared, clock=lambda: now)
    shared.away = True

    await limits.hit("2/minute", "a")
    await limits.hit("2/minute", "a")
    with pytest.raises(TooManyRequests):
        await limits.hit("2/minute", "a")

    assert shared.asked == 1, "it is left alone for a while"
    shared.away, now = False, 5.0
    await limits.hit("2/minute", "a")
    assert shared.asked == 2


@pytest.mark.parametrize(
    ("address", "home"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:aaaa::1", "2001:db8:1:2::"),
        ("2001:db8:1:2:bbbb::9", "2001:db8:1:2::"),
        ("testclient", "testclient"),
        ("", ""),
    ],
)
def test_an_ipv6_customer_is_one_whatever_address_they_take(address: str, home: str) -> None:
    assert home_of(address) == home


@pytest.mark.parametrize("rate", ["", "ten/minute", "0/minute", "10/fortnight", "10/minute;"])
def test_a_rate_that_is_none_stops_the_start(rate: str) -> None:
    with pytest.raises(ValueError, match="login_rate"):
        Settings(login_rate=rate)


def test_the_shared_counter_is_a_redis() -> None:
    with pytest.raises(ValueError, match="redis_url"):
        Settings(redis_url="http://x.io")

    assert "hidden" not in repr(Settings(redis_url="redis://:hidden@x.io"))
