"""The Docker engine is killed in each step of a deployment that runs on it."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

import pytest

from autostack.engine.release import Step
from tests import load
from tests.docker import TestEngine
from tests.e2e.test_docker import app
from tests.gitserver import GitServer
from tests.platform import User, platform, request, until
from tests.reliability.gate import Gate, Rows
from tests.reliability.matrix import DEADLINE, SEED, WATCH, Moment

pytestmark = [pytest.mark.faults, pytest.mark.needs("docker")]

AWAY = 1.0
"""Seconds the engine is gone while the deployment goes on."""
INSIDE = 0.5
"""Seconds into a step; most have done their work by then."""
CHANCE = Random(SEED)  # noqa: S311 - a die, not a key


@dataclass(slots=True, kw_only=True)
class Port:
    """A project that serves from containers."""

    user: User
    git: GitServer
    rows: Rows
    gate: Gate
    project: str
    url: str
    number: int = 1

    def change(self) -> bytes:
        self.number += 1
        self.git.commit("boxed", {"VERSION": f"{self.number}\n"}, f"version {self.number}")
        return f"{self.number}\n".encode()


@pytest.fixture(scope="module")
def port(docker_engine: TestEngine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Port]:
    with (
        GitServer(tmp_path_factory.mktemp("git")) as git,
        # Else a project is planned as processes while no engine answers.
        platform(
            AUTOSTACK_RUNTIME="docker",
            AUTOSTACK_DOCKER_HOST=docker_engine.host,
            AUTOSTACK_WATCH_SECONDS=str(WATCH),
        ) as up,
    ):
        user, rows = User.register(up), Rows(up)
        git.create("boxed", {**app("1"), "Procfile": "release: python3 -c 'print(1)'\n"})
        project = user.create_project("boxed", git.url("boxed"))["id"]
        found = user.wait(user.deploy(project)["id"], settled=True)
        url = f"http://{found['url']}/"
        yield Port(user=user, git=git, rows=rows, gate=Gate(rows), project=project, url=url)
        rows.close()


@pytest.mark.parametrize("moment", list(Moment))
@pytest.mark.parametrize("step", list(Step))
def test_an_engine_killed_in_any_step_costs_no_request_and_leaves_nothing(
    port: Port, docker_engine: TestEngine, step: Step, moment: Moment
) -> None:
    before, after = request("GET", port.url).body, port.change()
    watched = load.Load(url=port.url, bodies=(before, after), rate=30, keep_alive=2, timeout=60)

    with load.during(watched) as measured, port.gate.shut(step) as let_go:
        deployment = port.user.request_deployment(port.project)["id"]
        kill_in(port, docker_engine, deployment, step, moment)
        let_go()
        time.sleep(AWAY)
        docker_engine.start()
        found = port.user.wait(deployment, limit=DEADLINE, settled=True)
    until(lambda: leaves_nothing(port, docker_engine), limit=DEADLINE, what="one instance alone")

    assert found["status"] in {"success", "failed"}
    assert "The platform itself failed" not in (found["error_message"] or "")
    served = request("GET", port.url).body
    assert served == (after if found["status"] == "success" else before)
    assert measured.result.failed == 0, measured.result
    assert port.rows.count("select from steps where outcome is null") == 0


def leaves_nothing(port: Port, engine: TestEngine) -> bool:
    """What a deployment left that could not end it without an engine goes once there is one."""
    return len(living(port)) == 1 and living(port) == containers(port, engine)


def kill_in(port: Port, engine: TestEngine, deployment: str, step: Step, moment: Moment) -> None:
    """The step's row is open before and after: nobody can close it."""
    until(lambda: port.gate.is_open(deployment, step), limit=DEADLINE, what=f"open {step}")
    if moment is Moment.END:
        until(port.gate.is_waited_at, limit=DEADLINE, what=f"the end of {step}")
    else:
        time.sleep(CHANCE.uniform(0, INSIDE))
    assert port.gate.is_open(deployment, step)
    engine.kill()
    assert port.gate.is_open(deployment, step)


def living(port: Port) -> set[str]:
    query = "select id from instances where freed_at is null and runtime = 'docker'"
    return {str(row["id"]) for row in port.rows.all(query)}


def containers(port: Port, engine: TestEngine) -> set[str]:
    """By the instance they are; every one of the project, running or not."""
    wanted = {"label": [f"autostack.project={port.project}"]}
    with engine.client() as client:
        return {
            str(one["Labels"]["autostack.instance"])
            for one in client.containers(all=True, filters=wanted)
        }
