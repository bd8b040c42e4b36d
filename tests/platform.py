"""A real platform of its own for a test or a demo: own home, free ports, ended again."""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Generator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from autostack.core.home import Home


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer, read to its end."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    def json(self) -> Any:  # noqa: ANN401 - JSON is what it is
        return json.loads(self.body)


def request(
    method: str,
    url: str,
    *,
    body: object = None,
    headers: Mapping[str, str] | None = None,
    timeout: float = 30,
) -> Reply:
    """One request with the standard library's client: no resolver or proxy of our own."""
    data = None if body is None else json.dumps(body).encode()
    sent = {"Content-Type": "application/json"} if data else {}
    asked = urllib.request.Request(  # noqa: S310 - our own http addresses
        url, data=data, method=method, headers={**sent, **(headers or {})}
    )
    try:
        with urllib.request.urlopen(asked, timeout=timeout) as answer:  # noqa: S310
            return Reply(answer.status, answer.read(), dict(answer.headers))
    except urllib.error.HTTPError as error:
        with error:
            return Reply(error.code, error.read(), dict(error.headers))


def until(happened: Callable[[], object], *, limit: float = 60, what: str = "") -> None:
    """Wait for it; an assertion fails when it has not happened within `limit` seconds."""
    end = time.monotonic() + limit
    while not happened():
        assert time.monotonic() < end, f"not within {limit} seconds: {what}"
        time.sleep(0.05)


HEARS_CTRL_C = ("env", "--default-signal=INT")
"""Before a command: what a shell starts in the background ignores SIGINT, as do its children."""


def free_ports(count: int) -> list[int]:
    """Ports that were free a moment ago."""
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for found in sockets:
            found.bind(("127.0.0.1", 0))
        return [int(found.getsockname()[1]) for found in sockets]


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """How to reach and command one platform."""

    root: Path
    port: int
    edge_port: int
    settings: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def home(self) -> Home:
        return Home(self.root)

    @property
    def api(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environ(self) -> dict[str, str]:
        return {
            **os.environ,
            "AUTOSTACK_HOME": str(self.root),
            "AUTOSTACK_PORT": str(self.port),
            "AUTOSTACK_EDGE_PORT": str(self.edge_port),
            "AUTOSTACK_PRIVATE_HOSTS": "127.0.0.1",
            "AUTOSTACK_API_RATE": "100000/minute",
            "AUTOSTACK_WATCH_SECONDS": "5",
            **self.settings,
        }

    def run(self, *args: str, timeout: float = 180) -> subprocess.CompletedProcess[str]:
        """The `autostack` command of this checkout, against this platform."""
        command = Path(sys.executable).with_name("autostack")
        return subprocess.run(
            [str(command), *args],
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
            stdin=subprocess.DEVNULL,
        )

    @property
    def is_ready(self) -> bool:
        """Whether its API answers that all of it is."""
        try:
            return request("GET", f"{self.api}/health/ready", timeout=5).status == 200
        except OSError:
            return False

    def up(self) -> None:
        done = self.run("up", "--detach")
        if done.returncode:
            message = (
                f"autostack up: exit {done.returncode}\n{done.stdout}{done.stderr}{self.logs()}"
            )
            raise RuntimeError(message)

    def down(self) -> None:
        self.run("down", "--apps")

    def logs(self) -> str:
        """The last lines of each of the platform's own programs."""
        folder = self.home.logs / "platform"
        tails = [
            f"--- {file.name}\n{file.read_text(errors='replace')[-3000:]}"
            for file in sorted(folder.glob("*.log"))
        ]
        return "\n".join(tails)


@contextmanager
def platform(**settings: str) -> Generator[Platform]:
    """A platform that is up, and is ended and removed afterwards."""
    # Unix socket paths are short, so not below pytest's long temporary directories.
    root = Path(tempfile.mkdtemp(prefix="autostack-"))
    root.chmod(0o755)
    port, edge_port = free_ports(2)
    made = Platform(root=root / "home", port=port, edge_port=edge_port, settings=settings)
    try:
        made.up()
        yield made
    finally:
        made.down()
        shutil.rmtree(root, ignore_errors=True)


class Refused(AssertionError):
    """The API answered something else than 2xx."""


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A signed-in user of one platform."""

    platform: Platform
    token: str

    @classmethod
    def register(
        cls, platform: Platform, email: str = "test@example.com", password: str = "testpassword123"
    ) -> Self:
        account = {"email": email, "password": password}
        request("POST", f"{platform.api}/auth/register", body=account)
        reply = request("POST", f"{platform.api}/auth/login", body=account)
        assert reply.status == 200, reply.body
        return cls(platform=platform, token=reply.json()["access_token"])

    def call(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401
        reply = request(
            method,
            f"{self.platform.api}{path}",
            body=body,
            headers={"Authorization": f"Bearer {self.token}"},
        )
        if reply.status >= 300:
            raise Refused(f"{method} {path}: {reply.status} {reply.body.decode()[:500]}")
        return reply.json() if reply.body else None

    def command(self, *args: str, cwd: Path, given: str = "") -> subprocess.CompletedProcess[str]:
        """The `autostack` command of this user, in a directory of theirs."""
        program = Path(sys.executable).with_name("autostack")
        signed_in = {"AUTOSTACK_SERVER": self.platform.api, "AUTOSTACK_TOKEN": self.token}
        return subprocess.run(
            [str(program), *args],
            env={**self.platform.environ, **signed_in},
            cwd=cwd,
            input=given,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )

    def create_project(self, name: str, repo_url: str) -> Any:  # noqa: ANN401
        return self.call("POST", "/projects", {"name": name, "repo_url": repo_url})

    def request_deployment(self, project: str, **fields: str) -> Any:  # noqa: ANN401
        return self.call("POST", "/deployments", {"project_id": project, **fields})

    def wait(self, deployment: str, *, limit: float = 120, settled: bool = False) -> Any:  # noqa: ANN401
        """The deployment once it is final (or settled); polls, as any client would."""
        end = time.monotonic() + limit
        while True:
            found = self.call("GET", f"/deployments/{deployment}")
            final = found["status"] in {"success", "failed", "canceled", "superseded"}
            if final and (not settled or found["settled_at"] or found["status"] != "success"):
                return found
            if time.monotonic() > end:
                raise TimeoutError(f"still {found['status']}: {found['steps']}")
            time.sleep(0.05)

    def deploy(self, project: str, *, limit: float = 120) -> Any:  # noqa: ANN401
        """Deploy and wait for `success`; a failure shows its log."""
        asked = self.request_deployment(project)
        found = self.wait(asked["id"], limit=limit)
        if found["status"] != "success":
            raise AssertionError(
                f"{found['status']}: {found['error_message']}\n{self.log(asked['id'])}"
            )
        return found

    def log(self, deployment: str) -> str:
        page = self.call("GET", f"/deployments/{deployment}/logs")
        return "\n".join(line["text"] for line in page["items"])
