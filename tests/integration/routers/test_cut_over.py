"""Nobody who uses an app notices that its release changes, or that the edge dies."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from autostack.engine.release import Routes
from tests import load
from tests.integration.routers import edges
from tests.integration.routers.edges import RealEdge
from tests.load import Load

pytestmark = [pytest.mark.needs("linux"), pytest.mark.alone]

SECONDS_10 = timedelta(seconds=10)


def routes(host: str, *targets: str, environment: UUID) -> Routes:
    return Routes(
        environment_id=environment,
        release_id=uuid4(),
        name="shop",
        hosts=(host,),
        targets=targets,
        loopback_only=True,
    )


async def switch_under_load(edge: RealEdge, host: str, *, drain: bool) -> load.Result:
    """Three releases one after the other; each old one is ended as soon as it may be."""
    environment, stop = uuid4(), asyncio.Event()
    wanted = Load(
        url=f"http://127.0.0.1:{edge.port}/",
        host=host,
        bodies=(b"one", b"two", b"three"),
        rate=60,
        keep_alive=3,
        slow=3,
        slow_seconds=1.5,
    )
    async with AsyncExitStack() as living:
        first = await living.enter_async_context(edges.app("one"))
        await switch(edge, routes(host, first, environment=environment), generation=1)
        running = asyncio.create_task(load.until(wanted, stop))
        old, old_address = living.pop_all(), first
        for generation, version in enumerate(["two", "three"], start=2):
            await asyncio.sleep(0.5)
            new = await living.enter_async_context(edges.app(version))
            await switch(edge, routes(host, new, environment=environment), generation=generation)
            if drain:
                await edge.router.drain([old_address], limit=SECONDS_10)
            await old.aclose()
            old, old_address = living.pop_all(), new
        stop.set()
        result = await running
        await old.aclose()
    await edge.router.remove(environment, generation=9)
    return result


async def switch(edge: RealEdge, wanted: Routes, *, generation: int) -> None:
    await edge.router.apply(wanted, generation=generation)
    await edge.router.confirm(wanted, limit=SECONDS_10)


async def test_switching_releases_loses_no_request(edge: RealEdge) -> None:
    result = await switch_under_load(edge, "shop.test", drain=True)

    assert result.failed == 0, result
    assert set(result.bodies) == {b"one", b"two", b"three"}


async def test_without_the_drain_the_same_load_loses_long_responses(edge: RealEdge) -> None:
    result = await switch_under_load(edge, "careless.test", drain=False)

    assert result.failed > 0, result


async def test_a_killed_edge_refuses_nobody(edge: RealEdge) -> None:
    async def kill() -> None:
        edge.process("traefik").kill()

    result = await restart_under_load(edge, kill, times=2)

    assert result.refused == 0, result
    assert result.timed_out == 0, result
    # A Traefik that starts answers 404 before it has read its routes; nobody may see that.
    assert result.wrong == 0, result
    # What was inside the edge while it died is lost, and told so.
    assert result.reset + result.server_errors <= 30, result
    assert result.ok > 200, result


async def test_an_edge_that_is_restarted_on_purpose_loses_next_to_nothing(edge: RealEdge) -> None:
    async def restart() -> None:
        edge.process("holder").send_signal(signal.SIGUSR1)
        await asyncio.sleep(0.05)
        edge.process("traefik").terminate()

    result = await restart_under_load(edge, restart, times=1)

    # One place in the queue cannot be taken away; a busy machine may cost another.
    assert result.failed <= 3, result
    assert result.ok > 150, result


async def restart_under_load(
    edge: RealEdge, restart: Callable[[], Awaitable[None]], *, times: int
) -> load.Result:
    environment, stop = uuid4(), asyncio.Event()
    url = f"http://127.0.0.1:{edge.port}/"
    wanted = Load(url=url, host="held.test", bodies=(b"one",), rate=60, timeout=20)
    async with edges.app("one") as address:
        await switch(edge, routes("held.test", address, environment=environment), generation=1)
        running = asyncio.create_task(load.until(wanted, stop))
        for _ in range(times):
            await asyncio.sleep(0.5)
            await restart()
            await asyncio.sleep(2.5)
        stop.set()
        result = await running
    await edge.router.remove(environment, generation=2)
    return result
