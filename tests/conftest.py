"""Fixtures every kind of test may use."""

import os
from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from autostack.core.db import Database
from tests import postgres as servers
from tests.clock import FakeClock
from tests.machine import PARTS
from tests.postgres import Postgres

if TYPE_CHECKING:
    from tests.docker import TestEngine

# How quickly examples come says something about the machine, not about what is tested.
settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("any machine")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """`needs(part, …)`: skip with the reason, or fail where everything is required."""
    for marker in item.iter_markers("needs"):
        for part in marker.args:
            if part not in PARTS:
                pytest.fail(f"no such part: {part!r}; known: {', '.join(PARTS)}", pytrace=False)
            if reason := PARTS[part]():
                _lacks(reason)


def _lacks(reason: str) -> None:
    if os.environ.get("AUTOSTACK_REQUIRE") == "all":
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One server for the run, on a unix socket in a directory of its own."""
    with servers.server() as running:
        yield running


@pytest.fixture
def database_url(postgres: Postgres) -> Iterator[str]:
    """An empty database with every table, for this test alone."""
    name = postgres.create()
    yield postgres.url(name)
    postgres.drop(name)


@pytest.fixture
async def db(database_url: str) -> AsyncIterator[Database]:
    database = Database(database_url)
    yield database
    await database.close()


@pytest.fixture(scope="session")
def docker_engine() -> Iterator["TestEngine"]:
    """One Docker engine for the run; only for tests that need `docker`."""
    from tests import docker  # noqa: PLC0415 - the SDK is not needed by most runs

    with docker.engine() as running:
        yield running
