"""kill -9 of each part of the platform, while an app that prints serves under load."""

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests import load
from tests.e2e.repositories import publish
from tests.gitserver import GitServer
from tests.platform import Platform, User, platform, request, until

HEAL = 30
"""Seconds the platform has to be whole again."""

APP = {
    "app.py": """
import itertools
from flask import Flask

app = Flask(__name__)
numbers = itertools.count()


@app.get("/health")
def health():
    return "ok\\n"


@app.get("/")
def index():
    print(f"line {next(numbers)}\\n", end="", flush=True)
    return "here\\n"
""",
    "requirements.txt": "flask==3.1.3\ngunicorn==27.0.1\n",
    "Procfile": "web: gunicorn --threads 8 --bind 0.0.0.0:$PORT app:app\n",
}


@pytest.fixture(scope="module")
def local() -> Iterator[Platform]:
    with platform() as up:
        yield up


@pytest.fixture(scope="module")
def git(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitServer]:
    with GitServer(tmp_path_factory.mktemp("git")) as server:
        yield server


@pytest.fixture(scope="module")
def user(local: Platform) -> User:
    return User.register(local)


@pytest.fixture(scope="module")
def serving(user: User, git: GitServer) -> str:
    """The address of an app that prints a numbered line a request."""
    git.create("printer", APP)
    project = user.create_project("printer", git.url("printer"))
    return f"http://{user.deploy(project['id'])['url']}/"


def pids(local: Platform) -> dict[str, int]:
    status = json.loads(local.run("status", "--json").stdout)
    return {part["name"]: part["pid"] for part in status["parts"] if part["pid"]}


@pytest.mark.parametrize("part", ["api", "worker", "postgres", "logs", "control"])
def test_apps_serve_on_while_a_part_is_killed_and_heals(
    local: Platform, user: User, git: GitServer, serving: str, part: str
) -> None:
    repository = f"kill-{part}"
    git.create(repository, APP)
    project = user.create_project(repository, git.url(repository))["id"]
    victim = pids(local)[part]

    watched = load.Load(url=serving, bodies=(b"here\n",), rate=100, keep_alive=2)
    with load.during(watched) as measured:
        asked = user.request_deployment(project)
        time.sleep(0.3)
        os.kill(victim, signal.SIGKILL)
        until(lambda: pids(local).get(part, victim) != victim and local.is_ready)

    found = user.wait(asked["id"], limit=60, settled=True)
    assert measured.result.failed == 0, measured.result
    assert found["status"] in {"success", "failed"}
    assert all(step["outcome"] for step in found["steps"] if step["started_at"]), found["steps"]


@pytest.mark.usefixtures("serving")
def test_a_command_whose_worker_is_killed_is_ended_and_never_run_again(
    local: Platform, user: User
) -> None:
    project = next(
        one for one in user.call("GET", "/projects")["items"] if one["name"] == "printer"
    )
    environment = user.call("GET", f"/projects/{project['id']}/environments")["items"][0]["id"]
    body = {"command": ["sh", "-c", "echo begun; sleep 7437 & sleep 7437"]}
    asked = user.call("POST", f"/environments/{environment}/runs", body)
    until(lambda: len(sleepers(7437)) == 2)

    os.kill(pids(local)["worker"], signal.SIGKILL)
    until(lambda: sleepers(7437) == [])
    until(lambda: user.call("GET", f"/runs/{asked['id']}")["status"] == "failed")

    found = user.call("GET", f"/runs/{asked['id']}")
    lines = [one["text"] for one in user.call("GET", f"/runs/{asked['id']}/logs")["items"]]
    assert "worker ended" in found["error_message"]
    assert found["exit_code"] is None
    assert lines.count("begun") == 1
    assert sleepers(7437) == []


def sleepers(seconds: int) -> list[int]:
    wanted = ["sleep", str(seconds)]
    return [one.pid for one in psutil.process_iter(["cmdline"]) if one.info["cmdline"] == wanted]


def test_no_line_an_app_printed_is_lost_while_logs_is_killed(
    local: Platform, user: User, serving: str
) -> None:
    project = next(
        one for one in user.call("GET", "/projects")["items"] if one["name"] == "printer"
    )
    environment = user.call("GET", f"/projects/{project['id']}/environments")["items"][0]["id"]
    before = len(printed(user, environment))

    with load.during(load.Load(url=serving, bodies=(b"here\n",), rate=100)) as measured:
        for _ in range(3):
            time.sleep(1)
            os.kill(pids(local)["logs"], signal.SIGKILL)
            until(lambda: "logs" in pids(local))

    wanted = before + measured.result.ok
    until(lambda: len(printed(user, environment)) >= wanted)
    numbers = printed(user, environment)
    assert sorted(numbers) == list(range(wanted))


def printed(user: User, environment: str) -> list[int]:
    """The numbers of all lines that were kept, by paging through the runtime log."""
    found: list[int] = []
    cursor = ""
    while True:
        page = user.call("GET", f"/environments/{environment}/logs?limit=1000{cursor}")
        lines = [line["text"] for line in page["items"]]
        found += [int(line.split()[1]) for line in lines if line.startswith("line ")]
        if not page["next_cursor"] or not page["items"]:
            return found
        cursor = f"&cursor={page['next_cursor']}"


def test_apps_outlive_the_supervisor_and_are_replaced_without_a_failed_request(
    local: Platform, serving: str
) -> None:
    supervisor = int((local.home.run / "supervisord.pid").read_text())
    watched = load.Load(url=serving, bodies=(b"here\n",), rate=50)

    with load.during(watched) as measured:
        time.sleep(0.5)
        os.kill(supervisor, signal.SIGKILL)
        time.sleep(1)
    assert measured.result.failed == 0, measured.result

    local.up()
    until(lambda: local.is_ready)
    assert request("GET", serving).body == b"here\n"


def test_the_edge_refuses_nobody_while_traefik_is_killed(local: Platform, serving: str) -> None:
    victim = pids(local)["edge"]
    with load.during(load.Load(url=serving, bodies=(b"here\n",), rate=100)) as measured:
        time.sleep(0.5)
        os.kill(victim, signal.SIGKILL)
        until(lambda: traefik(local) != victim)
        replaced = time.monotonic()
        time.sleep(3)

    # Requests inside a killed edge, or in its queue, are lost: reset, cut off, or told so. None
    # is refused, none waits in vain, none gets a wrong answer, and whoever comes once the next
    # Traefik is on its way is served.
    result = measured.result
    assert (result.refused, result.timed_out, result.wrong) == (0, 0, 0), result
    assert result.failed_since(replaced) == 0, (replaced, result)
    assert result.ok, result


def traefik(local: Platform) -> int:
    """As the edge remembers it; a look at this file costs the machine nothing."""
    return int((local.home.edge / "pid").read_text())


def test_an_example_still_deploys_after_all_that(
    user: User, git: GitServer, examples: Path
) -> None:
    project = user.create_project("after", publish(git, "after", examples / "flask"))

    found = user.deploy(project["id"])

    assert request("GET", f"http://{found['url']}/health").status == 200


@pytest.fixture
def examples() -> Path:
    return Path(__file__).parents[2] / "examples"
