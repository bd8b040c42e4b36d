"""The Docker runtime: redeployments under load, and a deployment beside `docker build` and `run`.

A platform and an engine of its own (tests/docker.py); image builds get no network there, so the
app needs the standard library alone.
"""

import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.floors import until_200
from benchmarks.redeploys import IN_A_ROW, RATE, Pair, Sample, rows
from benchmarks.series import Section, Series, alone
from tests.docker import BASE, TestEngine, engine
from tests.gitserver import GitServer
from tests.platform import User, platform, request
from tests.system import find

SERVER = """
import os, signal, threading, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

VERSION = open("VERSION", "rb").read()


class Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    log_message = lambda *_: None

    def do_GET(self):
        seconds = float(parse_qs(urlsplit(self.path).query).get("seconds", ["0"])[0])
        self.send_response(200)
        if not seconds:
            self.send_header("Content-Length", str(len(VERSION)))
            self.end_headers()
            self.wfile.write(VERSION)
            return
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for _ in range(int(seconds * 10)):
            time.sleep(0.1)
            self.wfile.write(b"2\\r\\n.\\n\\r\\n")
        self.wfile.write(b"0\\r\\n\\r\\n")


class Server(ThreadingHTTPServer):
    request_queue_size = 1024
    daemon_threads = False


server = Server(("0.0.0.0", int(os.environ.get("PORT", "8000"))), Answer)
signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
server.serve_forever()
server.server_close()
"""
DOCKERFILE = f"""FROM {BASE}
WORKDIR /app
COPY server.py VERSION ./
CMD ["python3", "server.py"]
"""


def files(number: int) -> Mapping[str, str]:
    return {"Dockerfile": DOCKERFILE, "server.py": SERVER, "VERSION": f"v{number}\n"}


BOXED = Sample(name="boxed", files=files, says=lambda number: f"v{number}\n".encode())


def sections(scratch: Path, *, runs: int) -> Iterator[Section]:
    """Nothing where no engine can be started."""
    if find("dockerd") is None:
        print("no Docker engine on this machine: its part is left out\n", flush=True)
        return
    with (
        engine() as started,
        platform(AUTOSTACK_DOCKER_HOST=started.host) as up,
        GitServer(scratch / "boxed") as git,
    ):
        user = User.register(up)
        yield _beside_the_floor(user, git, ByHand(engine=started, folder=scratch), runs=runs)
        yield _under_load(user, git)


def _under_load(user: User, git: GitServer) -> Section:
    found = Pair.make(user, git, BOXED).redeploy(range(2, IN_A_ROW + 2))
    title = f"The same on Docker: {IN_A_ROW} in a row under {RATE} new connections a second"
    return Section(title=title, rows=alone(*rows(found)))


def _beside_the_floor(user: User, git: GitServer, by_hand: "ByHand", *, runs: int) -> Section:
    """The first round fills the caches of both and does not count."""
    git.create("timed", files(1))
    project = user.create_project("timed", git.url("timed"))["id"]
    floor: list[float] = []
    ours: list[float] = []
    for number in range(2, runs + 3):
        git.commit("timed", files(number), "a change")
        floor.append(by_hand.deploy(git.url("timed")))
        ours.append(_timed(user, project, f"v{number}\n".encode()))
    by = Series(name="docker build and run by hand (floor)", unit="s", values=tuple(floor[1:]))
    change = Series(name="Dockerfile, source change", unit="s", values=tuple(ours[1:]))
    over = Series(name="what that is more", unit="s", values=(change.middle - by.middle,), goal=1)
    return Section(title="Docker", rows=[(by, None), (change, by), (over, None)])


def _timed(user: User, project: str, wanted: bytes) -> float:
    began = time.monotonic()
    found = user.wait(user.request_deployment(project)["id"])
    assert found["status"] == "success", found["error_message"]
    body = request("GET", f"http://{found['url']}/").body
    assert body == wanted, (body, wanted)
    return time.monotonic() - began


@dataclass(frozen=True, slots=True, kw_only=True)
class ByHand:
    """clone, `docker build`, `docker run`, until the first 200; nothing watched, nothing safe."""

    engine: TestEngine
    folder: Path

    def deploy(self, url: str) -> float:
        tree = self.folder / "by-hand-docker"
        self._docker("network", "create", "by-hand", quiet=True)
        began = time.monotonic()
        try:
            subprocess.run(
                [find("git") or "git", "clone", "-q", "--depth", "1", url, str(tree)],
                check=True,
                timeout=60,
            )
            self._docker("build", "-q", "--network", "none", "-t", "by-hand", str(tree))
            self._docker("run", "-d", "--name", "by-hand", "--network", "by-hand", "by-hand")
            until_200(f"http://{self._address()}:8000/")
            return time.monotonic() - began
        finally:
            self._docker("rm", "-f", "by-hand", quiet=True)
            shutil.rmtree(tree, ignore_errors=True)

    def _address(self) -> str:
        where = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}"
        return self._docker("inspect", "-f", where, "by-hand")

    def _docker(self, *words: str, quiet: bool = False) -> str:
        done = subprocess.run(
            [find("docker") or "docker", "-H", self.engine.host, *words],
            check=not quiet,
            capture_output=True,
            text=True,
            timeout=120,
        )
        return done.stdout.strip()
