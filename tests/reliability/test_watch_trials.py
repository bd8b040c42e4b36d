"""Twenty good versions, watched at once: none is taken back."""

import threading
import time
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import pytest

from tests import load
from tests.e2e.apps import erring
from tests.gitserver import GitServer
from tests.platform import Platform, User, platform, request

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

WATCH = 60
BEFORE = 15
"""Seconds of visitors before the second version, so that there is something to compare with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """`every` so many requests fail in both versions; the new one is slow for its first seconds;
    `rate` visitors come a second, or one a minute where it is 0.
    """

    name: str
    every: int = 0
    slow_seconds: float = 0
    rate: float = 10


TRIALS = [
    Trial(name=f"{kind.name}-{number}", every=kind.every, slow_seconds=kind.slow_seconds,
          rate=kind.rate)
    for kind in (
        Trial(name="plain"),
        Trial(name="two-percent", every=50),
        Trial(name="rare", rate=0),
        Trial(name="warm-up", slow_seconds=5),
    )
    for number in range(5)
]  # fmt: skip


@pytest.fixture(scope="module")
def local() -> Generator[Platform]:
    with platform(AUTOSTACK_WATCH_SECONDS=str(WATCH)) as up:
        yield up


@contextmanager
def visitors(url: str, trial: Trial) -> Generator[None]:
    if trial.rate:
        with load.during(load.Load(url=url, rate=trial.rate)):
            yield
        return
    over = threading.Event()

    def now_and_then() -> None:
        while not over.wait(60):
            request("GET", url)

    thread = threading.Thread(target=now_and_then)
    request("GET", url)
    thread.start()
    yield
    over.set()
    thread.join()


def test_no_good_version_is_taken_back_in_twenty_of_twenty_trials(
    local: Platform, tmp_path_factory: pytest.TempPathFactory
) -> None:
    user = User.register(local)
    with GitServer(tmp_path_factory.mktemp("git")) as git, ExitStack() as stack:
        projects = {trial.name: first_version(user, git, trial) for trial in TRIALS}
        for trial in TRIALS:
            stack.enter_context(visitors(f"http://{projects[trial.name][1]}/", trial))
        time.sleep(BEFORE)
        asked = {
            trial.name: user.request_deployment(projects[trial.name][0])["id"] for trial in TRIALS
        }
        found = {
            name: user.wait(one, limit=600, settled=True)["watch"] for name, one in asked.items()
        }

    assert {name: watch["state"] for name, watch in found.items()} == dict.fromkeys(found, "passed")
    assert found["rare-0"]["basis"] == "health"
    assert found["two-percent-0"]["basis"] == "traffic"
    assert found["two-percent-0"]["errors"] > 0


def first_version(user: User, git: GitServer, trial: Trial) -> tuple[str, str]:
    git.create(trial.name, erring("one", every=trial.every))
    project = user.create_project(trial.name, git.url(trial.name))["id"]
    url = user.deploy(project)["url"]
    second = erring("two", every=trial.every, slow_seconds=trial.slow_seconds)
    git.commit(trial.name, second, "second version")
    return project, url
