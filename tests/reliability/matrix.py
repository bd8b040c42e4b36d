"""The crash matrix: each process of the platform is killed in each step of a deployment.

Cases are made from `Step`, so a new step is covered by itself. One platform carries them all, one
after the other; the app has everything a release may have.
"""

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import uuid4

from autostack.engine.release import Step
from tests import load
from tests.gitserver import GitServer
from tests.load import Result
from tests.platform import Platform, User, request, until
from tests.reliability.gate import Gate, Rows
from tests.reliability.world import PARTS, World, pid

SEED = 20_261_125
CONNECTION = "connection"
"""The worker's connection to the database, with its transaction open."""
DEADLINE = 120.0
"""Seconds for a deployment to end, and for the platform to be whole again."""
WATCH = 2
LONGEST = 3.0
"""Seconds into a step; what lasts longer only waits."""
SIGNED_IN = 600.0
HARDEST = {
    "worker": Step.SWITCH,
    "api": Step.BUILD,
    "control": Step.CHECK,
    "postgres": Step.SWITCH,
    "edge": Step.SWITCH,
    "logs": Step.WATCH,
    "supervisor": Step.START,
    CONNECTION: Step.RETIRE,
}


class Moment(StrEnum):
    INSIDE = "inside"
    """At a random moment of the step's work."""
    END = "end"
    """The work is done and the row about to be closed: everything may be done twice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    step: Step
    part: str
    moment: Moment

    def __str__(self) -> str:
        return f"{self.step.value}-{self.part}-{self.moment.value}"


def cases() -> list[Case]:
    """A connection is cut where it is sure to be in a transaction: at the end."""
    return [
        Case(step=step, part=part, moment=moment)
        for step in Step
        for part in (*PARTS, CONNECTION)
        for moment in Moment
        if part != CONNECTION or moment is Moment.END
    ]


def is_quick(case: Case) -> bool:
    """Enough for every change: each process once, where its end is hardest to bear."""
    return case.moment is Moment.END and case.step is HARDEST[case.part]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one case came to, for the account at the end."""

    case: Case
    status: str
    message: str
    sent: int
    lost_in_edge: int
    seconds: float


@dataclass(slots=True)
class Account:
    """Of all cases of a run."""

    outcomes: list[Outcome] = field(default_factory=list[Outcome])

    def lines(self) -> list[str]:
        """A table: steps down, processes across; how many cases held."""
        held = Counter((one.case.step, one.case.part) for one in self.outcomes)
        parts = (*PARTS, CONNECTION)
        head = "".join(f"{part:>11}" for part in parts)
        table = [
            f"{step.value:<16}" + "".join(f"{held[step, part]:>11}" for part in parts)
            for step in Step
        ]
        failed = [one for one in self.outcomes if one.status != "success"]
        sent = sum(one.sent for one in self.outcomes)
        lost = sum(one.lost_in_edge for one in self.outcomes)
        told = [f"{one.case}: failed cleanly ({one.message})" for one in failed]
        return [
            f"{'':<16}{head}",
            *table,
            (
                f"{len(self.outcomes)} cases held: 0 stuck, 0 doubled; {sent} requests,"
                f" 0 lost by the serving release, {lost} inside a killed edge, 0 refused by it."
            ),
            f"{len(self.outcomes) - len(failed)} deployments succeeded, {len(failed)} failed.",
            *told,
        ]


def app(version: str) -> Mapping[str, str]:
    """A release command, a web process that knows long requests, a worker that ends slowly."""
    return {
        "web.py": f"""
import os
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

time.sleep(0.3)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        asked = urlsplit(self.path)
        time.sleep(float(parse_qs(asked.query).get("seconds", ["0"])[0]))
        body = b"{version}\\n"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


ThreadingHTTPServer.request_queue_size = 256
ThreadingHTTPServer(("0.0.0.0", int(os.environ["PORT"])), Handler).serve_forever()
""",
        "worker.py": """
import signal
import sys
import time


def end(*_):
    time.sleep(0.3)
    sys.exit(0)


signal.signal(signal.SIGTERM, end)
while True:
    time.sleep(1)
""",
        "release.py": "import time\nprint('prepared', flush=True)\ntime.sleep(0.4)\n",
        "Procfile": "release: python release.py\nweb: python web.py\nworker: python worker.py\n",
        "requirements.txt": "",
    }


class Subject:
    """The project the cases are tried on. It is left for a new one when a case did not hold."""

    def __init__(self, user: User, git: GitServer) -> None:
        self._user, self._git = user, git
        self._repository = f"matrix-{uuid4().hex[:8]}"
        self._number = 1
        git.create(self._repository, app("1"))
        self.project = user.create_project(self._repository, git.url(self._repository))["id"]
        self.first = user.wait(user.deploy(self.project)["id"], settled=True)
        self.second = self.first
        self.environment = str(self.first["environment_id"])
        self.url = f"http://{self.first['url']}/"

    @property
    def serving(self) -> bytes:
        return request("GET", self.url).body

    def change(self) -> bytes:
        """The body the next version answers with."""
        self._number += 1
        self._git.commit(self._repository, app(str(self._number)), f"version {self._number}")
        return f"{self._number}\n".encode()


class Bench:
    """The platform, its database, and the project of the moment."""

    def __init__(self, platform: Platform, git: GitServer) -> None:
        self.platform = platform
        self._git = git
        self._user = User.register(platform)
        self._signed_in = time.monotonic()
        self.rows = Rows(platform)
        self.gate = Gate(self.rows)
        self.world = World(platform, self.rows)
        self._random = random.Random(SEED)  # noqa: S311 - a die, not a key
        self._subject: Subject | None = None
        self._usual: dict[str, float] = {}

    @property
    def user(self) -> User:
        """Signed in again in time: all cases take longer than an access token lives."""
        if time.monotonic() - self._signed_in > SIGNED_IN:
            self._user = User.register(self.platform)
            self._signed_in = time.monotonic()
        return self._user

    def subject(self) -> Subject:
        if self._subject is None:
            self._subject = self.fresh()
            self._subject.change()
            self._subject.second = self.user.deploy(self._subject.project)
            until(self.world.at_rest, what="the platform at rest")
            query = "select name, extract(epoch from ended_at - started_at)::float as seconds"
            found = self.rows.all(
                f"{query} from steps where deployment_id = %s", self._subject.second["id"]
            )
            self._usual = {row["name"]: row["seconds"] for row in found}
        return self._subject

    def fresh(self) -> Subject:
        """One nothing depends on."""
        return Subject(self.user, self._git)

    def give_up(self) -> None:
        self._subject = None

    def close(self) -> None:
        self.rows.close()

    def somewhere_in(self, step: Step) -> float:
        """Seconds into its work."""
        return self._random.uniform(0, min(self._usual.get(step, 0.1), LONGEST))


def carry_out(bench: Bench, case: Case) -> Outcome:
    """One case: the deployment, the kill, and everything that has to hold afterwards."""
    begun = time.monotonic()
    subject = bench.subject()
    before = subject.serving
    after = subject.change()
    victim = pid(bench.platform, case.part) if case.part in PARTS else None
    assert victim is not None or case.part == CONNECTION, f"{case.part} does not run"

    with (
        load.during(mixed_load(subject, before, after)) as measured,
        bench.gate.shut(case.step) as open_,
    ):
        deployment = str(bench.user.request_deployment(subject.project)["id"])
        _until_inside(bench, case, deployment)
        killed_at = _kill(bench, case, deployment, victim)
        served_from = _until_served(bench, case, victim)
        open_()
        found = until_settled(bench, deployment)
    until_whole(bench, case.part, victim)

    _check_row(bench, case, deployment, killed_at)
    _check_end(bench, subject, found, before=before, after=after)
    _check_load(measured.result, served_from)
    return Outcome(
        case=case,
        status=found["status"],
        message=found["error_message"] or "",
        sent=measured.result.sent,
        lost_in_edge=measured.result.failed,
        seconds=time.monotonic() - begun,
    )


def mixed_load(subject: Subject, *bodies: bytes) -> load.Load:
    """New connections, kept ones, and answers that take a while."""
    return load.Load(
        url=subject.url, bodies=bodies, rate=30, keep_alive=2, pause=0.05,
        slow=1, slow_seconds=0.7, timeout=60,
    )  # fmt: skip


def _until_inside(bench: Bench, case: Case, deployment: str) -> None:
    until(
        lambda: bench.gate.is_open(deployment, case.step), limit=DEADLINE, what=f"open {case.step}"
    )
    if case.moment is Moment.END:
        until(bench.gate.is_waited_at, what=f"the end of {case.step}")
    else:
        time.sleep(bench.somewhere_in(case.step))


def _kill(bench: Bench, case: Case, deployment: str, victim: int | None) -> datetime:
    """The row is open before, and after: nobody could close it, and nobody has healed yet."""
    assert bench.gate.is_open(deployment, case.step)
    killed_at = datetime.now(UTC)
    if victim is None:
        assert bench.gate.cut_off() == 1
    else:
        os.kill(victim, signal.SIGKILL)
    if case.part != "postgres":
        assert bench.gate.is_open(deployment, case.step)
    return killed_at


def _until_served(bench: Bench, case: Case, victim: int | None) -> float:
    """From when on a request may not fail, by the monotonic clock: for ever, but for the edge."""
    if case.part != "edge":
        return 0.0
    mark = bench.platform.home.edge / "pid"
    until(lambda: int(mark.read_text()) != victim, limit=DEADLINE, what="the next Traefik")
    return time.monotonic()


def until_settled(bench: Bench, deployment: str) -> dict[str, Any]:
    query = "select * from deployments where id = %s"

    def is_over() -> bool:
        return bench.rows.one(query, deployment)["settled_at"] is not None

    try:
        until(is_over, limit=DEADLINE, what="a settled deployment")
    except AssertionError as late:
        steps = bench.rows.all("select * from steps where deployment_id = %s", deployment)
        raise AssertionError(f"stuck: {steps}\n{bench.platform.logs()}") from late
    return bench.rows.one(query, deployment)


def until_whole(bench: Bench, part: str, victim: int | None) -> None:
    """The killed process is back, and what it left is mended."""

    def is_back() -> bool:
        return all(pid(bench.platform, part) for part in PARTS) and (
            victim is None or pid(bench.platform, part) != victim
        )

    until(is_back, limit=DEADLINE, what=f"{part} back")
    until(lambda: bench.platform.is_ready, limit=DEADLINE, what="an api that answers")
    end = time.monotonic() + DEADLINE
    while not _is_whole(bench):
        found = bench.world.surplus()
        assert time.monotonic() < end, f"not whole: {found}\n{bench.platform.logs()}"
        time.sleep(0.2)


def _is_whole(bench: Bench) -> bool:
    """Whatever the reconciler had to mend, it has: it looks every three seconds."""
    return bench.world.at_rest() and not bench.world.surplus() and bench.world.at_rest()


def _check_row(bench: Bench, case: Case, deployment: str, killed_at: datetime) -> None:
    """The step was begun before the kill and closed after it, by the database's own word."""
    row = bench.gate.step(deployment, case.step)
    assert row is not None
    assert row["started_at"] < killed_at < row["ended_at"], (row, killed_at)


def _check_end(
    bench: Bench, subject: Subject, found: Mapping[str, Any], *, before: bytes, after: bytes
) -> None:
    """A verdict with words, one release, and the version that belongs to the verdict serves."""
    assert found["status"] in {"success", "failed"}, found
    message = found["error_message"] or ""
    assert "The platform itself failed" not in message, message
    assert (found["status"] == "success") == (message == ""), found
    assert subject.serving == (after if found["status"] == "success" else before)
    query = "select from releases where environment_id = %s and commit_sha = %s"
    releases = bench.rows.count(query, subject.environment, found["commit_sha"])
    assert releases <= 1
    asked = "select from deployments where environment_id = %s and commit_sha = %s and kind = %s"
    assert bench.rows.count(asked, subject.environment, found["commit_sha"], "deploy") == 1
    processes = sorted(
        row["process"]
        for row in bench.world.living()
        if str(row["environment_id"]) == subject.environment
    )
    assert processes == ["web", "worker"]


def _check_load(result: Result, served_from: float) -> None:
    """Those inside a killed edge, or in its queue, are reset or told so. No other one fails."""
    assert (result.refused, result.wrong, result.timed_out) == (0, 0, 0), result
    assert result.failed_since(served_from) == 0, (served_from, result)
