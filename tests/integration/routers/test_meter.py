"""What the edge counts, release by release."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from autostack.engine.release import Routes
from tests.integration.routers import edges
from tests.integration.routers.edges import RealEdge

pytestmark = pytest.mark.needs("linux")

LIMIT = timedelta(seconds=15)


def shop(*targets: str) -> Routes:
    return Routes(
        environment_id=uuid4(),
        release_id=uuid4(),
        name="shop",
        hosts=(f"{uuid4()}.test",),
        targets=targets,
        loopback_only=True,
    )


async def test_answers_are_counted_by_release_code_and_latency(edge: RealEdge) -> None:
    router = edge.router
    async with edges.app("one") as address:
        routes = shop(address)
        await router.apply(routes, generation=1)
        await router.confirm(routes, limit=LIMIT)

        for _ in range(3):
            edge.get(routes.hosts[0])
        edge.get(routes.hosts[0], "/404")
        edge.get(routes.hosts[0], "/500")
        edge.get(routes.hosts[0], "/503")
        edge.get(routes.hosts[0], "/slow?seconds=0.6")
        await asyncio.sleep(0.1)  # it is counted a moment after its last byte
        seen = (await router.tallies(fresh=True))[routes.release_id]

    assert seen.codes == (0, 4, 0, 1, 2)
    assert seen.gateway == 1
    assert sum(seen.latency) == 7
    assert seen.slower_than(0.5) == 1
    await router.remove(routes.environment_id, generation=2)


async def test_a_release_that_nobody_can_reach_counts_as_failed(edge: RealEdge) -> None:
    router = edge.router
    routes = shop("127.0.0.1:9")
    await router.apply(routes, generation=1)
    await router.confirm(routes, limit=LIMIT)

    visit = await router.visit(routes, path="/", limit=LIMIT)
    edge.get(routes.hosts[0])
    seen = (await router.tallies(fresh=True))[routes.release_id]

    assert visit.status == 502
    assert (seen.requests, seen.gateway) == (1, 1)
    await router.remove(routes.environment_id, generation=2)


async def test_a_visit_that_is_cut_off_is_no_answer(edge: RealEdge) -> None:
    router = edge.router
    async with edges.app("one") as address:
        routes = shop(address)
        await router.apply(routes, generation=1)
        await router.confirm(routes, limit=LIMIT)

        whole = await router.visit(routes, path="/", limit=LIMIT)
        late = await router.visit(routes, path="/slow?seconds=2", limit=timedelta(seconds=0.2))

    assert (whole.status, whole.error) == (200, "")
    assert "no answer within 0.2 seconds" in late.error
    await router.remove(routes.environment_id, generation=2)


async def test_figures_outlive_their_release_and_a_killed_edge(edge: RealEdge) -> None:
    router = edge.router
    async with edges.app("one") as address:
        first = shop(address)
        await router.apply(first, generation=1)
        await router.confirm(first, limit=LIMIT)
        edge.get(first.hosts[0])
        await router.tallies(fresh=True)

        second = replace(first, release_id=uuid4())
        await router.apply(second, generation=2)
        await router.confirm(second, limit=LIMIT)
        for _ in range(3):
            await router.tallies(fresh=True)
        edge.process("traefik").kill()
        await router.confirm(second, limit=LIMIT)
        edge.get(second.hosts[0])
        seen = await router.tallies(fresh=True)

    assert seen[first.release_id].requests == 1
    assert seen[second.release_id].requests == 1
    await router.remove(first.environment_id, generation=3)
