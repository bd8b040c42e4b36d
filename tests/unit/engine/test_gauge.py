"""What a switch costs visitors, counted."""

import asyncio
from dataclasses import replace
from uuid import UUID, uuid4

from autostack.engine.gauge import Evidence, Gauge
from autostack.engine.release import Answer, Routes
from autostack.engine.tally import BOUNDS, NONE, Tally
from tests.fakes import FakeRouter

ME = uuid4()
OLD = Routes(
    environment_id=uuid4(),
    release_id=uuid4(),
    name="shop",
    hosts=("shop.localhost",),
    targets=("10.0.0.2:8000",),
)
NEW = uuid4()


def quick(count: int, *, gateway: int = 0, errors: int = 0, place: int = 1) -> Tally:
    latency = [0] * (len(BOUNDS) + 1)
    latency[place] = count
    good = count - gateway - errors
    codes = (0, good, 0, 0, gateway + errors)
    return Tally(codes=codes, gateway=gateway, latency=tuple(latency))


async def measured(router: FakeRouter, **since: Tally) -> Evidence:
    """One measurement in which these answers came, by `old` and `new`."""
    gauge = Gauge(monotonic=lambda: 0.0)
    await router.apply(OLD, generation=1)
    await gauge.begin(ME, router, serving=OLD, path="/", every=0.001)
    while len(router.visits) < 3:  # noqa: ASYNC110 - visits tell nobody
        await asyncio.sleep(0.001)
    for name, tally in since.items():
        release: UUID = {"old": OLD.release_id, "new": NEW}[name]
        router.counted[release] = router.counted.get(release, NONE) + tally
    found = await gauge.end(ME, router, old=OLD.release_id, new=NEW, usual=quick(50))
    assert found is not None
    return found


async def test_requests_of_both_releases_are_counted_and_told() -> None:
    router = FakeRouter()
    router.counted[OLD.release_id] = quick(1000, gateway=7)

    found = await measured(router, old=quick(300), new=quick(112, place=2))

    assert (found.requests, found.failed, found.visits_failed) == (412, 0, 0)
    assert found.summary == "0 of 412 requests failed, p95 10 → 24 ms."


async def test_a_single_502_appears_as_one() -> None:
    found = await measured(FakeRouter(), old=quick(300), new=quick(112, gateway=1))

    assert found.summary.startswith("1 of 412 requests failed")


async def test_errors_of_the_app_itself_are_told_apart() -> None:
    found = await measured(FakeRouter(), old=quick(300), new=quick(112, errors=8))

    assert found.failed == 0
    assert "the app itself answered 8 with an error" in found.summary


async def test_without_visitors_our_own_requests_tell() -> None:
    router = FakeRouter()
    router.visited = Answer(attempts=1, seconds=0.1, error="connection refused")

    found = await measured(router)

    assert found.visits_failed == found.visits >= 3
    assert found.summary.startswith("No requests came;")
    assert "the first: connection refused" in found.summary


async def test_nothing_is_sent_where_nothing_serves_and_nothing_is_told() -> None:
    router, gauge = FakeRouter(), Gauge(monotonic=lambda: 0.0)
    await gauge.begin(ME, router, serving=None, path="/", every=0.001)
    await asyncio.sleep(0.02)

    assert await gauge.end(ME, router, old=None, new=NEW, usual=NONE) is None
    assert router.visits == []


async def test_what_another_worker_began_is_not_told() -> None:
    gauge = Gauge(monotonic=lambda: 0.0)

    assert await gauge.end(ME, FakeRouter(), old=uuid4(), new=NEW, usual=NONE) is None


async def test_a_measurement_whose_end_never_comes_ends_by_itself() -> None:
    now = [0.0]
    router, gauge = FakeRouter(), Gauge(monotonic=lambda: now[0], longest=0.01)
    await gauge.begin(ME, router, serving=OLD, path="/", every=0.001)
    await asyncio.sleep(0.1)
    seen = len(router.visits)
    now[0] = 1.0

    await gauge.begin(uuid4(), router, serving=None, path="/", every=0.001)

    assert seen == len(router.visits) == 10
    assert await gauge.end(ME, router, old=OLD.release_id, new=NEW, usual=NONE) is None


async def test_a_measurement_that_was_dropped_sends_nothing_more() -> None:
    router, gauge = FakeRouter(), Gauge(monotonic=lambda: 0.0)
    await gauge.begin(ME, router, serving=replace(OLD), path="/", every=0.001)
    await asyncio.sleep(0.01)

    await gauge.drop(ME)

    seen = len(router.visits)
    await asyncio.sleep(0.02)
    assert len(router.visits) == seen
