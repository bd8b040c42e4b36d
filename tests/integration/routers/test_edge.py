"""What a visitor gets from the real edge."""

import asyncio
import json
import socket
from collections.abc import AsyncGenerator, Generator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

import psutil
import pytest

from autostack.drivers.machine.sockets import count_to
from autostack.drivers.routers import documents
from autostack.engine.errors import StaleGeneration, SwitchUnconfirmed
from autostack.engine.release import Routes
from tests import load
from tests.integration.routers import edges
from tests.integration.routers.edges import RealEdge
from tests.load import Load

pytestmark = pytest.mark.needs("linux")

LIMIT = timedelta(seconds=15)
NOBODY = "127.0.0.1:9"
SHOP = Routes(
    environment_id=uuid4(),
    release_id=uuid4(),
    name="shop",
    hosts=("shop.test",),
    targets=(NOBODY,),
    loopback_only=True,
)


@asynccontextmanager
async def routed(edge: RealEdge, routes: Routes) -> AsyncGenerator[None]:
    """The routes are in force in the block, and gone after it."""
    fresh = replace(routes, environment_id=uuid4())
    await edge.router.apply(fresh, generation=1)
    try:
        await edge.router.confirm(fresh, limit=LIMIT)
        yield
    finally:
        await edge.router.remove(fresh.environment_id, generation=2)


@pytest.mark.attack("X12")
async def test_an_unknown_host_gets_a_plain_404(edge: RealEdge) -> None:
    page = edge.get("nobody.test")
    data = edge.get("nobody.test", Accept="application/json")

    assert page.status == data.status == 404
    assert page.headers["Cache-Control"] == "no-store"
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert b"No application answers" in page.body
    assert data.json()["status"] == 404


async def test_an_app_that_is_down_is_named(edge: RealEdge) -> None:
    async with routed(edge, SHOP):
        page = edge.get("shop.test")
        data = edge.get("shop.test", Accept="application/json")

    assert page.status == data.status == 502
    assert b"shop does not answer" in page.body
    assert page.headers["Cache-Control"] == "no-store"
    assert NOBODY.encode() not in page.body
    assert "shop" in data.json()["title"]


async def test_an_app_without_targets_says_that_it_is_stopped(edge: RealEdge) -> None:
    async with routed(edge, replace(SHOP, targets=())):
        page = edge.get("shop.test", method="POST")

    assert page.status == 503
    assert b"shop is not running" in page.body


@pytest.mark.parametrize("status", [500, 501, 503, 504])
async def test_what_an_app_says_about_its_own_failure_arrives_untouched(
    edge: RealEdge, status: int
) -> None:
    async with (
        edges.app("one") as address,
        routed(edge, replace(SHOP, targets=(address,))),
    ):
        reply = edge.get("shop.test", f"/{status}")

    assert (reply.status, reply.body, reply.headers["X-Own"]) == (status, b"own one", "yes")


@pytest.mark.attack("X16")
async def test_a_name_that_is_a_template_stays_text(edge: RealEdge) -> None:
    name = '{{ env "LISTEN_PID" }}{{/*</h1><script>&\ud83d`\n🎉'
    async with routed(edge, replace(SHOP, name=name)):
        page = edge.get("shop.test")

    assert page.status == 502
    assert b"{{ env &quot;LISTEN_PID&quot; }}" in page.body
    assert b"<script>" not in page.body


@pytest.mark.attack("X04")
async def test_headers_a_client_could_lie_with_do_not_reach_the_app(edge: RealEdge) -> None:
    lies = {
        "Forwarded": "for=6.6.6.6",
        "X_Forwarded_For": "6.6.6.6",
        "X_Real_IP": "6.6.6.6",
        "X_Forwarded_User": "6.6.6.6",
        "True_Client_IP": "6.6.6.6",
        "CF_Connecting_IP": "6.6.6.6",
        "X_Autostack_Site": "6.6.6.6",
    }
    async with edges.app("one") as address, routed(edge, replace(SHOP, targets=(address,))):
        seen = edge.get("shop.test", "/headers", **lies).body

    assert b"6.6.6.6" not in seen
    assert b"X-Forwarded-For: 127.0.0.1\r\n" in seen
    assert b"Host: shop.test\r\n" in seen


async def test_the_question_who_serves_is_not_answered_at_the_door(edge: RealEdge) -> None:
    async with edges.app("one") as address:
        asked = replace(SHOP, targets=(address,))
        async with routed(edge, asked):
            reply = edge.get("shop.test", **{documents.ASK: documents.question(asked)})

    assert (reply.status, reply.body) == (200, b"one")
    assert documents.RELEASE not in reply.headers


async def test_only_loopback_reaches_an_address_of_this_machine(edge: RealEdge) -> None:
    outside = [
        address.address
        for addresses in psutil.net_if_addrs().values()
        for address in addresses
        if address.family.name == "AF_INET" and not address.address.startswith("127.")
    ]
    if not outside:
        pytest.skip("this machine has no other address")
    async with edges.app("one") as target, routed(edge, replace(SHOP, targets=(target,))):
        wanted = Load(url=f"http://{outside[0]}:{edge.port}/", host="shop.test", rate=10)
        near = await load.run(replace(wanted, url=f"http://127.0.0.1:{edge.port}/"), seconds=0.3)
        far = await load.run(wanted, seconds=0.3)

    assert set(near.bodies) == {b"one"}
    assert set(far.bodies) == {b"Forbidden"}


async def test_requests_are_spread_over_all_targets(edge: RealEdge) -> None:
    async with (
        edges.app("one") as one,
        edges.app("two") as two,
        routed(edge, replace(SHOP, targets=(one, two))),
    ):
        bodies = {edge.get("shop.test").body for _ in range(6)}

    assert bodies == {b"one", b"two"}


async def test_a_switch_is_confirmed_for_every_host_even_when_the_app_is_down(
    edge: RealEdge,
) -> None:
    async with routed(edge, replace(SHOP, hosts=("127.7.7.7", "shop.localhost", "a-b.shop.test"))):
        assert edge.get("127.7.7.7").status == 502
        assert edge.get("a-b.shop.test").status == 502


async def test_the_same_release_at_new_targets_is_not_confirmed_by_the_old_ones(
    edge: RealEdge,
) -> None:
    routes = replace(SHOP, environment_id=uuid4())
    moved = replace(routes, targets=("127.0.0.1:10",))
    await edge.router.apply(routes, generation=1)
    await edge.router.confirm(routes, limit=LIMIT)

    with pytest.raises(SwitchUnconfirmed):
        await edge.router.confirm(moved, limit=timedelta(seconds=0.5))

    await edge.router.apply(moved, generation=2)
    await edge.router.confirm(moved, limit=LIMIT)
    await edge.router.remove(moved.environment_id, generation=3)


async def test_a_late_writer_cannot_bring_a_removed_environment_back(edge: RealEdge) -> None:
    routes = replace(SHOP, environment_id=uuid4())
    await edge.router.apply(routes, generation=1)
    await edge.router.remove(routes.environment_id, generation=5)

    with pytest.raises(StaleGeneration):
        await edge.router.apply(routes, generation=4)
    assert not list(edge.home.edge.glob(f"routes/{routes.environment_id}*"))


async def test_a_broken_foreign_file_is_put_aside_by_the_next_change(edge: RealEdge) -> None:
    foreign = edge.home.edge / "routes" / "notes.yml"
    foreign.write_text("http: {{{")

    async with routed(edge, SHOP):
        assert edge.get("shop.test").status == 502

    assert not foreign.exists()
    assert list((edge.home.edge / "foreign").glob("notes.yml*"))


async def test_a_damaged_route_file_does_not_survive_a_restart_of_the_edge(edge: RealEdge) -> None:
    damaged = edge.home.edge / "routes" / f"{uuid4()}.yml"
    async with routed(edge, SHOP):
        damaged.write_text('# autostack generation=1\n{"http": {"routers": ')
        traefik = edge.process("traefik")
        traefik.kill()
        traefik.wait(5)
        await asyncio.sleep(0.2)
        reply = edge.get("shop.test")

    assert reply.status == 502
    assert not damaged.exists()


async def test_switches_are_confirmed_among_300_other_environments(edge: RealEdge) -> None:
    router = edge.router
    others = [
        replace(SHOP, environment_id=UUID(int=number), hosts=(f"other-{number}.test",))
        for number in range(300)
    ]
    with quiet(others, edge):
        for routes in others:
            await router.apply(routes, generation=1)
        async with routed(edge, SHOP):
            assert edge.get("shop.test").status == 502
        assert edge.get("other-299.test").status == 502


@contextmanager
def quiet(routes: list[Routes], edge: RealEdge) -> Generator[None]:
    try:
        yield
    finally:
        for each in routes:
            (edge.home.edge / "routes" / f"{each.environment_id}.yml").unlink(missing_ok=True)


@pytest.mark.attack("X14")
async def test_figures_are_kept_per_release_and_on_loopback_only(edge: RealEdge) -> None:
    port = int((edge.home.edge / "metrics").read_text())
    release = uuid4()
    async with (
        edges.app("one") as address,
        routed(edge, replace(SHOP, release_id=release, targets=(address,))),
    ):
        edge.get("shop.test", "/503")
        await asyncio.sleep(0.1)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /metrics HTTP/1.0\r\n\r\n")
        figures = (await reader.read()).decode()
        writer.close()

    line = next(each for each in figures.splitlines() if f"release-{release}" in each)
    assert 'code="503"' in line
    states = {tuple(one.laddr) for one in psutil.net_connections("tcp") if one.status == "LISTEN"}
    assert {host for host, at in states if at == port} == {"127.0.0.1"}


async def test_a_drain_waits_for_the_request_in_flight(edge: RealEdge) -> None:
    async with edges.app("one") as address, routed(edge, replace(SHOP, targets=(address,))):
        slow = Load(
            url=f"http://127.0.0.1:{edge.port}/", host="shop.test", rate=0, slow=1, slow_seconds=1
        )
        running = asyncio.create_task(load.run(slow, seconds=0.1))
        await asyncio.sleep(0.3)
        hurried = await edge.router.drain([address], limit=timedelta(seconds=0.2))
        patient = await edge.router.drain([address], limit=LIMIT)
        assert (await running).failed == 0

    assert hurried.open == 1
    assert patient.open == 0
    assert 0.3 < patient.seconds < 10


def test_connections_are_counted_by_address_and_port() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server, ExitStack() as open_ones:
        address = server.getsockname()
        port = address[1]
        for _ in range(3):
            open_ones.enter_context(socket.create_connection(address))

        assert count_to([f"127.0.0.1:{port}", f"127.0.0.1:{port}"]) == 3
        assert count_to([f"localhost:{port}"]) == 3
        assert count_to([f"127.0.0.2:{port}", f"[::1]:{port}"]) == 0
        open_ones.close()
        assert count_to([f"127.0.0.1:{port}"]) == 0


@pytest.mark.needs("root")
async def test_the_edge_runs_without_root_and_its_pages_are_small(edge: RealEdge) -> None:
    traefik, pages = edge.process("traefik"), edge.process("holder")

    assert 0 not in {*traefik.uids(), *pages.uids()}
    passed = {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "GOGC"}
    assert set(traefik.environ()) == passed
    assert pages.memory_full_info().pss < 10 * 1024 * 1024
    assert json.loads((edge.home.edge / "static.yml").read_text())["global"] == {
        "checkNewVersion": False,
        "sendAnonymousUsage": False,
    }
