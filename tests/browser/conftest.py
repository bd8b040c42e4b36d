"""One platform with a built dashboard and one browser for the run; each test has a visitor."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache

import pytest
from playwright.sync_api import Browser, StorageState, sync_playwright

from tests.browser.browser import ADMIN, ROOT, Theme, Visit, Visitor, launch, signed_in, visitor
from tests.browser.things import Things, make
from tests.gitserver import GitServer
from tests.platform import Platform, User, platform


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
        User.register(up, ADMIN)
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


@pytest.fixture(scope="session")
def things(local: Platform, git: GitServer) -> Things:
    return make(local, git)


Sessions = Callable[[str], StorageState]


@pytest.fixture(scope="module")
def sessions(local: Platform, chromium: Browser) -> Sessions:
    """What the browser of somebody keeps who signed in before; each signs in once."""

    @cache
    def kept(email: str) -> StorageState:
        return signed_in(chromium, f"{local.api}/dashboard", email)

    return kept


@pytest.fixture
def visit(local: Platform, chromium: Browser, sessions: Sessions) -> Iterator[Visit]:
    """Makes visitors, strangers or `somebody`; one whose pages complained fails the test."""
    with ExitStack() as stack:

        def arrive(
            *,
            theme: Theme = "light",
            width: int = 1280,
            expected: tuple[int, ...] = (),
            somebody: str | None = None,
        ) -> Visitor:
            arriving = visitor(
                chromium,
                f"{local.api}/dashboard",
                theme=theme,
                width=width,
                expected=expected,
                state=sessions(somebody) if somebody else None,
            )
            return stack.enter_context(arriving)

        yield arrive
