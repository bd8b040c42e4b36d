"""One platform for the whole run; each test brings its own user or project."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gitserver import GitServer
from tests.platform import Platform, User, platform

SOURCE_LIMIT_MB = 16
"""Small, so that a test can pass it."""


@pytest.fixture(scope="session")
def local() -> Iterator[Platform]:
    with platform(AUTOSTACK_SOURCE_LIMIT_MB=str(SOURCE_LIMIT_MB)) as up:
        yield up


@pytest.fixture(scope="session")
def user(local: Platform) -> User:
    return User.register(local)


@pytest.fixture(scope="session")
def git(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitServer]:
    with GitServer(tmp_path_factory.mktemp("git")) as server:
        yield server


@pytest.fixture(scope="session")
def examples() -> Path:
    return Path(__file__).parents[2] / "examples"
