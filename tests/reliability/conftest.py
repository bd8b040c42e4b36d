"""The bench of the crash matrix, and its account, printed at the end of a run."""

from collections.abc import Iterator

import pytest

from tests.gitserver import GitServer
from tests.platform import platform
from tests.reliability.matrix import WATCH, Account, Bench

ACCOUNT = pytest.StashKey[Account]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[ACCOUNT] = Account()


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    account = config.stash[ACCOUNT]
    if account.outcomes:
        terminalreporter.section("crash matrix: cases that held, by step and killed process")
        for line in account.lines():
            terminalreporter.write_line(line)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with (
        GitServer(tmp_path_factory.mktemp("git")) as git,
        platform(AUTOSTACK_WATCH_SECONDS=str(WATCH)) as up,
    ):
        made = Bench(up, git)
        yield made
        made.close()
