"""Many projects, deployments and log lines: what they cost the next deployment and the api.

The crowd are static sites, all live behind the one edge; the app that is redeployed among them is
a process. Deployments of the past are rows copied in the database, as their number is what counts.
"""

import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import psycopg

from autostack.core.settings import Settings
from autostack.entrypoints.postgres import database_url
from benchmarks import idle
from benchmarks.clients import Target, ask
from benchmarks.deploys import version
from benchmarks.loglines import APP
from benchmarks.series import Section, Series, alone
from tests.e2e.processes import below, proportional_memory
from tests.gitserver import GitServer
from tests.platform import Platform, User, platform, request, until

SIZES = tuple(int(one) for one in os.environ.get("BENCH_SCALE", "1,10,100,500").split(","))
DEPLOYMENTS = 10_000
LINES = 1_000_000
PIECE = 50_000
AT_ONCE = 20
"""Deployments of the crowd asked for at a time."""
CLIENTS = 50
_PAST = """
    insert into deployments
    select (jsonb_populate_record(null::deployments, to_jsonb(d) || jsonb_build_object(
        'id', gen_random_uuid(), 'number', d.number + n, 'release_id', null,
        'created_at', d.created_at - n * interval '1 minute'))).*
    from generate_series(1, %s) n,
        (select * from deployments where project_id = %s order by number desc limit 1) d
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """A platform that fills up."""

    up: Platform
    user: User
    git: GitServer
    example: Path
    app: str
    """The project that is redeployed."""

    @classmethod
    def begin(cls, up: Platform, git: GitServer, example: Path) -> "Crowd":
        user = User.register(up)
        files = version(example, 1)
        git.create("app", {**files, "app.py": files["app.py"] + APP})
        git.create("site", {"index.html": "<h1>One of many</h1>\n"})
        app = user.create_project("app", git.url("app"))["id"]
        user.deploy(app)
        return cls(up=up, user=user, git=git, example=example, app=app)

    def fill(self, size: int) -> None:
        """Live projects until there are `size` of them."""
        there = len(self._projects())
        while there < size:
            number = min(AT_ONCE, size - there)
            names = [f"site-{there + one}" for one in range(number)]
            made = [self.user.create_project(name, self.git.url("site"))["id"] for name in names]
            asked = [self.user.request_deployment(one)["id"] for one in made]
            for one in asked:
                found = self.user.wait(one, limit=600)
                assert found["status"] == "success", found["error_message"]
            there += number

    def redeploy(self, *, runs: int) -> tuple[float, ...]:
        """Seconds from the request to the first 200 of a changed source; the first does not
        count.
        """
        return tuple(self._redeployed(f"{time.monotonic_ns()}") for _ in range(runs + 1))[1:]

    def ask(self) -> float:
        """p95 of the api in milliseconds, for fifty people with a page open."""
        about = f"/projects/{self.app}", f"/deployments?project_id={self.app}"
        paths = ("/overview", "/projects", "/deployments", *about)
        targets = [Target(url=f"{self.up.api}{path}", token=self.user.token) for path in paths]
        found = ask(targets, clients=CLIENTS, seconds=15, pause=1)
        assert not found.failed, f"{found.failed} requests failed"
        return found.quantile(0.95) * 1000

    def remember(self, number: int) -> None:
        """That many deployments of the past, all of the one project."""
        url = database_url(Settings(home=self.up.root))
        with psycopg.connect(url) as connection:
            connection.execute(_PAST, (number, self.app))
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("analyze deployments")

    def print_lines(self, number: int) -> float:
        """Seconds until the last of that many lines can be read; all but it in great pieces."""
        url = f"http://{self._deployment()['url']}/print"
        began = time.monotonic()
        for part in range(number // PIECE):
            mark = f"piece{part}"
            asked = f"{url}?mark={mark}&count={PIECE}"
            assert request("GET", asked, timeout=120).status == 200
            until(partial(self._shows, f"{mark} {PIECE - 1} "), limit=300, what=mark)
        return time.monotonic() - began

    def read_lines(self) -> tuple[Series, Series]:
        """A thousand lines from the end, and from the beginning, where the first still is."""
        first = self.user.call("GET", self._log("?limit=1000"))["items"]
        assert any("piece0 0 " in one["text"] for one in first), "the log lost its beginning"
        return (
            self._timed("its last 1000 lines", "?tail=1000"),
            self._timed("its first 1000 lines", "?limit=1000"),
        )

    def _timed(self, name: str, query: str) -> Series:
        path, times = self._log(query), list[float]()
        for _ in range(10):
            began = time.monotonic()
            assert len(self.user.call("GET", path)["items"]) == 1000
            times.append((time.monotonic() - began) * 1000)
        return Series(name=name, unit="ms", values=tuple(times), goal=2000)

    def _shows(self, words: str) -> bool:
        items = self.user.call("GET", self._log("?tail=20"))["items"]
        return any(words in one["text"] for one in items)

    def _log(self, query: str) -> str:
        return f"/environments/{self._deployment()['environment_id']}/logs{query}"

    def _deployment(self) -> Any:  # noqa: ANN401 - JSON
        return self.user.call("GET", f"/deployments?project_id={self.app}&limit=1")["items"][0]

    def _redeployed(self, mark: str) -> float:
        files = version(self.example, 1)
        app = files["app.py"] + APP
        self.git.commit("app", {**files, "app.py": app, "VERSION": f"{mark}\n"}, "a change")
        began = time.monotonic()
        found = self.user.wait(self.user.request_deployment(self.app)["id"])
        assert found["status"] == "success", found["error_message"]
        assert mark in request("GET", f"http://{found['url']}/").body.decode()
        return time.monotonic() - began

    def _projects(self) -> Sequence[str]:
        found: list[str] = []
        cursor = ""
        while True:
            page = self.user.call("GET", f"/projects?limit=100{cursor}")
            found += [one["id"] for one in page["items"]]
            if not page["next_cursor"]:
                return found
            cursor = f"&cursor={page['next_cursor']}"


def sections(scratch: Path, example: Path, *, runs: int) -> Iterator[Section]:
    with GitServer(scratch / "crowd") as git, platform() as up:
        crowd = Crowd.begin(up, git, example)
        yield _projects(crowd, runs=runs)
        crowd.remember(DEPLOYMENTS)
        latency = Series(name="api, 50 clients: p95", unit="ms", values=(crowd.ask(),), goal=200)
        title = f"{SIZES[-1]} projects and {DEPLOYMENTS} deployments of one of them"
        yield Section(title=title, rows=alone(latency))
        yield _log(crowd)


def _projects(crowd: Crowd, *, runs: int) -> Section:
    deploys: list[Series] = []
    latencies: list[Series] = []
    for size in SIZES:
        crowd.fill(size)
        name = f"{size} projects"
        goal = 1.5 * deploys[0].middle if deploys else None
        times = crowd.redeploy(runs=runs)
        deploys.append(
            Series(name=f"{name}: source change of one", unit="s", values=times, goal=goal)
        )
        p95 = crowd.ask()
        latencies.append(
            Series(name=f"{name}: api, 50 clients: p95", unit="ms", values=(p95,), goal=200)
        )
    rows = [(one, deploys[0] if one is not deploys[0] else None) for one in deploys]
    return Section(title="Many live projects", rows=[*rows, *alone(*latencies)])


def _log(crowd: Crowd) -> Section:
    rate = LINES / crowd.print_lines(LINES)
    (collector,) = [
        one.pid
        for one in below(_supervisor(crowd.up))
        if "autostack.entrypoints.logs" in one.command
    ]
    memory = proportional_memory([collector]) / idle.MB
    return Section(
        title=f"A log of {LINES} lines",
        rows=alone(
            Series(name="printed until they could be read", unit="lines/s", values=(rate,)),
            *crowd.read_lines(),
            Series(name="memory of the collector", unit="MB", values=(memory,)),
        ),
    )


def _supervisor(up: Platform) -> int:
    return int((up.home.run / "supervisord.pid").read_text())
