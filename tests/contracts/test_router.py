"""What every Router promises, the fake included."""

from collections.abc import Generator
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from autostack.engine.errors import StaleGeneration
from autostack.engine.ports import Router
from autostack.engine.release import Routes
from autostack.engine.tally import NONE
from tests.fakes import FakeRouter
from tests.integration.routers import edges

LIMIT = timedelta(seconds=15)


@pytest.fixture(
    scope="module", params=["fake", pytest.param("traefik", marks=pytest.mark.needs("linux"))]
)
def router(request: pytest.FixtureRequest) -> Generator[Router]:
    if request.param == "fake":
        yield FakeRouter()
        return
    with edges.edge() as running:
        yield running.router


@pytest.fixture
def routes() -> Routes:
    """Routes of an environment of its own, to a port where nobody listens."""
    environment = uuid4()
    return Routes(
        environment_id=environment,
        release_id=uuid4(),
        name="shop",
        hosts=(f"{environment}.test", "127.9.8.7"),
        targets=("127.0.0.1:9",),
    )


async def test_routes_that_were_applied_are_confirmed(router: Router, routes: Routes) -> None:
    await router.apply(routes, generation=1)

    await router.confirm(routes, limit=LIMIT)
    await router.remove(routes.environment_id, generation=2)


async def test_applying_the_same_again_is_harmless(router: Router, routes: Routes) -> None:
    for _ in range(3):
        await router.apply(routes, generation=1)

    await router.confirm(routes, limit=LIMIT)
    await router.remove(routes.environment_id, generation=2)


async def test_an_older_generation_is_refused_and_changes_nothing(
    router: Router, routes: Routes
) -> None:
    await router.apply(routes, generation=7)

    with pytest.raises(StaleGeneration):
        await router.apply(replace(routes, release_id=uuid4()), generation=6)

    await router.confirm(routes, limit=LIMIT)
    await router.remove(routes.environment_id, generation=8)


async def test_generations_of_environments_have_nothing_to_do_with_each_other(
    router: Router, routes: Routes
) -> None:
    other = replace(routes, environment_id=uuid4(), hosts=("other.test",))
    await router.apply(routes, generation=7)

    await router.apply(other, generation=1)

    await router.confirm(other, limit=LIMIT)
    await router.remove(routes.environment_id, generation=8)
    await router.remove(other.environment_id, generation=2)


async def test_what_was_removed_comes_back_only_with_a_newer_generation(
    router: Router, routes: Routes
) -> None:
    await router.apply(routes, generation=1)
    await router.remove(routes.environment_id, generation=3)

    with pytest.raises(StaleGeneration):
        await router.apply(routes, generation=2)

    await router.apply(routes, generation=4)
    await router.confirm(routes, limit=LIMIT)
    await router.remove(routes.environment_id, generation=5)


async def test_an_older_removal_is_refused(router: Router, routes: Routes) -> None:
    await router.apply(routes, generation=4)

    with pytest.raises(StaleGeneration):
        await router.remove(routes.environment_id, generation=3)

    await router.confirm(routes, limit=LIMIT)
    await router.remove(routes.environment_id, generation=5)


async def test_removing_what_is_gone_is_not_an_error(router: Router, routes: Routes) -> None:
    await router.remove(routes.environment_id, generation=1)
    await router.remove(routes.environment_id, generation=1)


async def test_its_own_changes_are_no_drift(router: Router, routes: Routes) -> None:
    await router.drifted()
    await router.apply(routes, generation=1)
    applied = await router.drifted()

    await router.remove(routes.environment_id, generation=2)

    assert not applied
    assert not await router.drifted()


async def test_nothing_in_flight_is_drained_at_once(router: Router) -> None:
    seen = await router.drain(["127.0.0.1:9"], limit=LIMIT)

    assert seen.open == 0
    assert seen.seconds < 2


async def test_a_visit_tells_what_the_edge_answered_and_is_not_counted(
    router: Router, routes: Routes
) -> None:
    unknown = await router.visit(routes, path="/", limit=LIMIT)
    await router.apply(routes, generation=1)
    await router.confirm(routes, limit=LIMIT)

    seen = await router.visit(routes, path="/", limit=LIMIT)

    assert unknown.status == 404
    assert seen.status is not None
    assert not seen.error
    counted = await router.tallies(fresh=True)
    assert counted.get(routes.release_id, NONE) == NONE
    await router.remove(routes.environment_id, generation=2)
