"""One platform with a built dashboard and one browser for the run; each test has a visitor."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.browser import Theme, Visit, Visitor, launch, visitor
from tests.gitserver import GitServer
from tests.platform import Platform, platform

ROOT = Path(__file__).parents[2]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        item.add_marker(pytest.mark.needs("chromium"))


def build() -> None:
    """As `autostack dashboard build` does; nothing where it is there already."""
    command = [sys.executable, str(ROOT / "dashboard/build.py")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="session")
def local() -> Iterator[Platform]:
    """With the default limits, but for those by address of who comes in: here all have the same."""
    build()
    with platform(
        AUTOSTACK_WATCH_SECONDS="2",
        AUTOSTACK_LOGIN_RATE="1000/minute",
        AUTOSTACK_REGISTER_RATE="1000/minute",
    ) as up:
        yield up


@pytest.fixture(scope="session")
def git(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitServer]:
    with GitServer(tmp_path_factory.mktemp("git")) as server:
        yield server


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as engine:
        browser = launch(engine)
        yield browser
        browser.close()


@pytest.fixture
def visit(local: Platform, chromium: Browser) -> Iterator[Visit]:
    """Makes visitors; one whose pages complained fails the test."""
    with ExitStack() as stack:

        def make(
            *, theme: Theme = "light", width: int = 1280, expected: tuple[int, ...] = ()
        ) -> Visitor:
            made = visitor(
                chromium, f"{local.api}/dashboard", theme=theme, width=width, expected=expected
            )
            return stack.enter_context(made)

        yield make
