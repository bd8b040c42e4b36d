"""A live platform under attack: a victim, an attacker, traps, and what holds after each case."""

import socket
import threading
import time
import urllib.parse
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil

from tests.gitserver import GitServer
from tests.platform import Platform, Reply, User, request, until

OPENED = "127.77.0.1"
"""The one private address that repositories may be fetched from."""
PLATFORMS = "AS_CANARY_PLATFORM_7d3f0c1a"
VICTIMS = "AS_CANARY_VICTIM_b81e44d2"


class Traps:
    """Listens where nobody has any business, and keeps what came."""

    def __init__(self) -> None:
        self.hits: list[str] = []
        self._sockets = [_listening("127.0.0.1", 0)]
        self.port = int(self._sockets[0].getsockname()[1])
        for address in ("127.0.0.2", "::1", outer_address()):
            with suppress(OSError):
                self._sockets.append(_listening(address, self.port))

    def __enter__(self) -> Self:
        for one in self._sockets:
            threading.Thread(target=self._serve, args=(one,), daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for one in self._sockets:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _serve(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                caught, _ = listener.accept()
                with caught:
                    caught.settimeout(0.2)
                    said = b""
                    with suppress(OSError):
                        said = caught.recv(200)
                self.hits.append(f"{listener.getsockname()}: {said!r}")


def _listening(address: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return socket.create_server((address, port), family=family)


def outer_address() -> str:
    """The one this machine leaves by; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))
        return str(probe.getsockname()[0])


@dataclass(frozen=True, slots=True, kw_only=True)
class Person(User):
    """A user whose every answer is kept for `World.holds`."""

    heard: list[tuple[str, Reply]] = field(default_factory=list[tuple[str, Reply]])

    def ask(
        self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None
    ) -> Reply:
        url = self.platform.api + urllib.parse.quote(path, safe="/?&=%")
        sent = {"Authorization": f"Bearer {self.token}", **(headers or {})}
        reply = request(method, url, body=body, headers=sent, timeout=90)
        self.heard.append((f"{method} {path}", reply))
        return reply

    def project(self, name: str, url: str, **overrides: str) -> str:
        made = self.call(
            "POST", "/projects", {"name": name, "repo_url": url, "overrides": overrides}
        )
        return str(made["id"])

    def production(self, project: str) -> str:
        found = self.call("GET", f"/projects/{project}/environments")["items"]
        return str(found[0]["id"])

    def set(self, project: str, name: str, value: str) -> None:
        path = f"/projects/{project}/environments/production/variables/{name}"
        self.call("PUT", path, {"value": value})

    def attempt(self, project: str, **fields: str) -> Any:  # noqa: ANN401 - JSON
        """A deployment, however it ends; its log is among what was heard."""
        found = self.wait(self.request_deployment(project, **fields)["id"])
        self.ask("GET", f"/deployments/{found['id']}")
        self.ask("GET", f"/deployments/{found['id']}/logs")
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """`marks` is a directory of the host anybody may write to: a case that runs something there
    leaves a mark.
    """

    platform: Platform
    git: GitServer
    ada: Person
    eve: Person
    traps: Traps
    marks: Path
    victim: Mapping[str, Any]
    """Ada's live deployment."""

    @property
    def mark(self) -> Path:
        return self.marks / "mark"

    @property
    def names(self) -> dict[str, object]:
        """What attacks are filled in with."""
        return {"mark": self.mark, "port": self.traps.port, "home": self.platform.root}

    def holds(self) -> None:
        """The conditions that hold after every case."""
        assert list(self.marks.iterdir()) == [], "something ran on the host"
        assert self.traps.hits == [], "something was contacted"
        heard = [*self.ada.heard, *self.eve.heard]
        assert [what for what, reply in heard if reply.status >= 500] == []
        for canary in (PLATFORMS, VICTIMS):
            assert [what for what, reply in heard if canary.encode() in reply.body] == []
            assert canary not in self.platform.logs()
            assert canary not in command_lines()
        until(lambda: not running("git"), limit=30, what="a git of the platform that ends")
        assert request("GET", f"{self.platform.api}/health").status == 200
        served = request("GET", f"http://{self.victim['url']}/")
        assert served.body.decode().strip() == f"v1 {VICTIMS}"

    def refuses(self, who: Person, calls: Sequence[tuple[str, str, object]]) -> None:
        """Each call is refused as the client's mistake, with a code."""
        for method, path, body in calls:
            reply = who.ask(method, path, body)
            assert 400 <= reply.status < 500, (method, path, body, reply.status, reply.body[:300])
            assert reply.json()["code"], (method, path)


def command_lines() -> str:
    found: list[bytes] = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            found.append(path.read_bytes())
    return b"\n".join(found).decode(errors="replace")


def running(name: str) -> list[int]:
    """Processes of that name that did not begin just now."""
    found: list[int] = []
    for one in psutil.process_iter(["name", "create_time"]):
        old = time.time() - (one.info["create_time"] or 0) > 1
        if old and str(one.info["name"]).startswith(f"{name}-remote"):
            found.append(one.pid)
    return found
