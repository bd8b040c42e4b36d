"""Redeployments in a row under load: nothing may fail, and what it would be without the drain."""

import os
import signal
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from benchmarks.deploys import version
from benchmarks.idle import apps
from benchmarks.series import Section, Series, alone
from tests import load
from tests.gitserver import GitServer
from tests.platform import User

RATE = 200
IN_A_ROW = int(os.environ.get("BENCH_REDEPLOYS", "50"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """An app in numbered versions: its files, and what its start page says."""

    name: str
    files: Callable[[int], Mapping[str, str]]
    says: Callable[[int], bytes]

    @classmethod
    def flask(cls, example: Path) -> "Sample":
        return cls(
            name="loaded",
            files=partial(version, example),
            says=lambda number: f"Hello from Flask v{number}\n".encode(),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Redeployed:
    """What the app's short and long requests and its neighbour's met meanwhile."""

    short: load.Result
    long: load.Result
    beside: load.Result


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """An app to redeploy, and another one of the same kind."""

    user: User
    git: GitServer
    sample: Sample
    app: str
    url: str
    beside: str
    neighbours: frozenset[int] = field(default_factory=frozenset[int])
    """Processes of other apps, to be left alone by the control run."""

    @classmethod
    def make(cls, user: User, git: GitServer, sample: Sample) -> "Pair":
        _, beside = _deployed(user, git, f"{sample.name}-beside", sample)
        neighbours = frozenset(apps(user.platform))
        app, url = _deployed(user, git, sample.name, sample)
        return cls(
            user=user,
            git=git,
            sample=sample,
            app=app,
            url=url,
            beside=beside,
            neighbours=neighbours,
        )

    def redeploy(self, numbers: Sequence[int], *, drain: bool = True) -> Redeployed:
        """To each of these versions, one right after the other."""
        bodies = tuple(self.sample.says(one) for one in range(numbers[0] - 1, numbers[-1] + 1))
        loads = (
            load.Load(url=self.url, bodies=bodies, rate=RATE, keep_alive=32, pause=0.2),
            load.Load(url=self.url, rate=0, slow=4),
            load.Load(url=self.beside, bodies=(self.sample.says(1),), rate=RATE / 4),
        )
        with ExitStack() as stack:
            measured = [stack.enter_context(load.during(one)) for one in loads]
            for number in numbers:
                self._to(number, drain=drain)
        short, long, beside = (one.result for one in measured)
        return Redeployed(short=short, long=long, beside=beside)

    def _to(self, number: int, *, drain: bool) -> None:
        old = set[int]() if drain else set(apps(self.user.platform)) - self.neighbours
        self.git.commit(self.sample.name, self.sample.files(number), "a change")
        asked = self.user.request_deployment(self.app)
        found = self.user.wait(asked["id"])
        assert found["status"] == "success", found["error_message"]
        if not drain:
            _end_at_once(old)
            self.user.wait(asked["id"], settled=True)


def _deployed(user: User, git: GitServer, name: str, sample: Sample) -> tuple[str, str]:
    """(project, address) of its first version."""
    git.create(name, sample.files(1))
    project = user.create_project(name, git.url(name))["id"]
    return project, f"http://{user.deploy(project)['url']}/"


def _end_at_once(pids: set[int]) -> None:
    """What a platform without a drain does at the switch."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def section(user: User, git: GitServer, example: Path) -> Section:
    pair = Pair.make(user, git, Sample.flask(example))
    last = 1 + IN_A_ROW
    drained = pair.redeploy(range(2, last + 1))
    cut = pair.redeploy([last + 1], drain=False)
    long = failed("control without drain, long answers", cut.long)
    assert long.middle > 0, "the control run shows no failure, so the other run proves nothing"
    return Section(
        title=f"{IN_A_ROW} redeployments in a row under {RATE} new connections a second, "
        "32 kept ones and long answers",
        rows=alone(*rows(drained), failed("control without drain", cut.short), long),
    )


def rows(found: Redeployed) -> Sequence[Series]:
    return (
        failed("the app", found.short, goal=0),
        failed("the app, long answers", found.long, goal=0),
        failed("its neighbour", found.beside, goal=0),
        Series(name="the app: p99", unit="ms", values=(found.short.p99 * 1000,)),
    )


def failed(name: str, found: load.Result, *, goal: float | None = None) -> Series:
    values = (float(found.failed),)
    return Series(name=f"{name}: failed of {found.sent}", unit="requests", values=values, goal=goal)
