"""A redeployment under load: nothing may fail, and what it would be without the drain."""

import os
import signal
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks.deploys import version
from benchmarks.idle import apps
from benchmarks.series import Section, Series, alone
from tests import load
from tests.gitserver import GitServer
from tests.platform import User

RATE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Redeployed:
    """What the app's short and long requests and its neighbour's met meanwhile."""

    short: load.Result
    long: load.Result
    beside: load.Result


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """An app to redeploy, and another one."""

    user: User
    git: GitServer
    example: Path
    app: str
    url: str
    beside: str
    running: frozenset[int]
    """The processes of the neighbour."""

    @classmethod
    def make(cls, user: User, git: GitServer, example: Path) -> "Pair":
        names = ("beside", "loaded")
        already = frozenset(apps(user.platform))
        made: list[tuple[str, str, frozenset[int]]] = []
        for name in names:
            git.create(name, version(example, 1))
            project = user.create_project(name, git.url(name))["id"]
            url = f"http://{user.deploy(project)['url']}/"
            made.append((project, url, frozenset(apps(user.platform)) - already))
        (_, beside, running), (app, url, _) = made
        return cls(
            user=user,
            git=git,
            example=example,
            app=app,
            url=url,
            beside=beside,
            running=running | already,
        )

    def redeploy(self, number: int, *, drain: bool) -> Redeployed:
        self.git.commit("loaded", version(self.example, number), "a change")
        old = set(apps(self.user.platform)) - self.running
        bodies = tuple(f"Hello from Flask v{one}\n".encode() for one in (number - 1, number))
        neighbour = (b"Hello from Flask v1\n",)
        loads = (
            load.Load(url=self.url, bodies=bodies, rate=RATE, keep_alive=4),
            load.Load(url=self.url, rate=0, slow=4),
            load.Load(url=self.beside, bodies=neighbour, rate=RATE / 4),
        )
        with ExitStack() as stack:
            measured = [stack.enter_context(load.during(one)) for one in loads]
            asked = self.user.request_deployment(self.app)
            found = self.user.wait(asked["id"])
            assert found["status"] == "success", found["error_message"]
            if not drain:
                _end_at_once(old)
            self.user.wait(asked["id"], settled=True)
        short, long, beside = (one.result for one in measured)
        return Redeployed(short=short, long=long, beside=beside)


def _end_at_once(pids: set[int]) -> None:
    """What a platform without a drain does at the switch."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def section(user: User, git: GitServer, example: Path) -> Section:
    pair = Pair.make(user, git, example)
    drained = pair.redeploy(2, drain=True)
    cut = pair.redeploy(3, drain=False)
    long = _failed("control without drain, long answers", cut.long)
    assert long.middle > 0, "the control run shows no failure, so the other run proves nothing"
    return Section(
        title=f"Redeployment under {RATE} new connections a second and long answers",
        rows=alone(
            _failed("the app", drained.short, goal=0),
            _failed("the app, long answers", drained.long, goal=0),
            _failed("its neighbour", drained.beside, goal=0),
            Series(name="the app: p99", unit="ms", values=(drained.short.p99 * 1000,)),
            _failed("control without drain", cut.short),
            long,
        ),
    )


def _failed(name: str, found: load.Result, *, goal: float | None = None) -> Series:
    values = (float(found.failed),)
    return Series(name=f"{name}: failed of {found.sent}", unit="requests", values=values, goal=goal)
