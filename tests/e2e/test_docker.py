"""Projects with a Dockerfile, from their repository to a URL, beside one that runs as processes.

There is no registry: base images are made by tests/docker.py, and image builds get no network.
"""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from autostack.drivers.runtimes.docker_container import ONCE
from tests import load
from tests.docker import BASE, TestEngine
from tests.e2e.repositories import publish
from tests.gitserver import GitServer
from tests.platform import Platform, User, platform, request

pytestmark = pytest.mark.needs("docker")

SERVER = """
import os, signal, sys, threading, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    log_message = lambda *_: None

    def do_GET(self):
        body = open("VERSION", "rb").read()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

server = ThreadingHTTPServer(("0.0.0.0", int(os.environ.get("PORT", "8000"))), Answer)
server.daemon_threads = False
server.socket.listen(1024)
signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
print("serving", open("VERSION").read().strip(), os.getuid(), flush=True)
server.serve_forever()
server.server_close()
"""


def app(version: str, *lines: str) -> Mapping[str, str]:
    dockerfile = [
        f"FROM {BASE}",
        "WORKDIR /app",
        "COPY server.py VERSION ./",
        *lines,
        'CMD ["python3", "server.py"]',
    ]
    return {"Dockerfile": "\n".join(dockerfile), "server.py": SERVER, "VERSION": f"{version}\n"}


@pytest.fixture(scope="module")
def local(docker_engine: TestEngine) -> Iterator[Platform]:
    with platform(AUTOSTACK_DOCKER_HOST=docker_engine.host) as up:
        yield up


@pytest.fixture(scope="module")
def user(local: Platform) -> User:
    return User.register(local)


def test_a_dockerfile_becomes_a_url_and_its_output_is_kept(user: User, git: GitServer) -> None:
    git.create("boxed", app("one", "USER 1234"))
    project = user.create_project("boxed", git.url("boxed"))["id"]

    found = user.deploy(project)

    answer = request("GET", f"http://{found['url']}/")
    assert (answer.status, answer.body) == (200, b"one\n")
    assert "boxed" in found["url"] or found["url"].startswith("127.")
    assert "build: Dockerfile" in user.log(found["id"])
    assert "Step 1/" in user.log(found["id"])


def test_a_redeploy_under_load_fails_no_request(user: User, git: GitServer, examples: Path) -> None:
    git.create("moving", app("one"))
    project = user.create_project("moving", git.url("moving"))["id"]
    first = user.deploy(project)
    beside = user.create_project("process", publish(git, "process", examples / "flask"))["id"]
    user.deploy(beside)
    git.commit("moving", {"VERSION": "two\n"}, "second version")
    bodies = (b"one\n", b"two\n")

    watched = load.Load(url=f"http://{first['url']}/", bodies=bodies, rate=100, keep_alive=2)
    with load.during(watched) as measured:
        second = user.wait(user.deploy(project)["id"], settled=True)

    assert second["status"] == "success"
    assert measured.result.failed == 0, measured.result
    assert measured.result.bodies[b"two\n"] > 0


def test_an_app_that_crashes_in_its_container_is_explained(user: User, git: GitServer) -> None:
    git.create("broken", {**app("one"), "server.py": "import nowhere"})
    project = user.create_project("broken", git.url("broken"))["id"]

    failed = user.wait(user.request_deployment(project)["id"], limit=60)

    assert failed["status"] == "failed"
    assert "nowhere" in user.log(failed["id"])


def test_a_command_runs_in_the_image_and_does_not_outlive_its_worker(
    local: Platform, user: User, git: GitServer, docker_engine: TestEngine
) -> None:
    git.create("commands", app("one", "USER 1234"))
    project = user.create_project("commands", git.url("commands"))["id"]
    user.deploy(project)
    place = user.call("GET", f"/projects/{project}/environments")["items"][0]["id"]
    program = "import os; print(open('VERSION').read().strip(), os.getuid()); raise SystemExit(3)"

    short = ended(user, run(user, place, "python3", "-c", program))
    long = run(user, place, "sleep", "600")
    until(lambda: len(running_once(docker_engine, project)) == 1)
    status = json.loads(local.run("status", "--json").stdout)
    os.kill(next(one["pid"] for one in status["parts"] if one["name"] == "worker"), signal.SIGKILL)

    assert (short["status"], short["exit_code"]) == ("failed", 3)
    assert [one["text"] for one in user.call("GET", f"/runs/{short['id']}/logs")["items"]] == [
        "one 1234",
        "The command ended with exit code 3.",
    ]
    assert "worker ended" in ended(user, long)["error_message"]
    assert running_once(docker_engine, project) == []


def run(user: User, place: str, *command: str) -> str:
    made = user.call("POST", f"/environments/{place}/runs", {"command": command})
    return str(made["id"])


def ended(user: User, run_id: str) -> Any:  # noqa: ANN401 - JSON
    until(lambda: user.call("GET", f"/runs/{run_id}")["finished_at"])
    return user.call("GET", f"/runs/{run_id}")


def running_once(engine: TestEngine, project: str) -> list[object]:
    wanted = {"label": [f"autostack.project={project}", ONCE]}
    with engine.client() as client:
        return list(client.containers(all=True, filters=wanted))


def until(true: Callable[[], object], *, limit: float = 60) -> None:
    deadline = time.monotonic() + limit
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_nothing_is_left_of_a_removed_project(
    user: User, git: GitServer, docker_engine: TestEngine
) -> None:
    git.create("leaving", app("one"))
    project = user.create_project("leaving", git.url("leaving"))["id"]
    user.deploy(project)

    user.call("DELETE", f"/projects/{project}")

    wait_until_gone(docker_engine, project)


def wait_until_gone(engine: TestEngine, project: str) -> None:
    wanted = {"label": [f"autostack.project={project}"]}
    deadline = time.monotonic() + 60
    with engine.client() as client:
        while client.containers(all=True, filters=wanted) or client.images(filters=wanted):
            assert time.monotonic() < deadline
            time.sleep(0.2)
