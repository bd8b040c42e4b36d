"""Private repositories: opened by a token or a deploy key, which nobody sees."""

import base64
import pwd
import secrets
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.e2e.apps import tells
from tests.gitserver import GitServer
from tests.platform import Platform, User, request
from tests.sshserver import SshServer

TOKEN = f"t0ken-{secrets.token_hex(16)}"
BASIC = base64.b64encode(f"x-access-token:{TOKEN}".encode()).decode()


@pytest.fixture(scope="module")
def private(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitServer]:
    with GitServer(tmp_path_factory.mktemp("private"), token=TOKEN) as server:
        yield server


@dataclass(slots=True)
class Sightings:
    """What the process list showed: who held the secret, and every command line."""

    commands: set[str] = field(default_factory=set[str])
    holders: set[tuple[int, str]] = field(default_factory=set[tuple[int, str]])
    """Uid and program of each process with the secret in its environment."""

    def look(self, secret: str) -> None:
        for process in psutil.process_iter():
            try:
                name, argv, environ = process.name(), process.cmdline(), process.environ()
                # Last: a process that was just made has its parent's user until it is git.
                uid = process.uids().real
            except psutil.Error:
                continue
            self.commands.add(" ".join(argv))
            if any(secret in value for value in environ.values()):
                self.holders.add((uid, name))


@contextmanager
def watching(secret: str) -> Generator[Sightings]:
    seen, over = Sightings(), threading.Event()

    def watch() -> None:
        while not over.wait(0.005):
            seen.look(secret)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()


def everything_told(user: User, project: str, deployment: str) -> str:
    """All that the API says about them."""
    paths = [
        f"/projects/{project}",
        "/projects",
        f"/deployments/{deployment}",
        f"/deployments/{deployment}/logs",
        f"/deployments?project_id={project}",
    ]
    return "\n".join(str(user.call("GET", path)) for path in paths)


def plan_status(user: User, url: str) -> int:
    headers = {"Authorization": f"Bearer {user.token}"}
    asked = {"repo_url": url}
    return request(
        "POST", f"{user.platform.api}/projects/plan", body=asked, headers=headers, timeout=90
    ).status


def attempt(user: User, project: str) -> Any:  # noqa: ANN401 - JSON
    return user.wait(user.request_deployment(project)["id"])


def test_a_private_repository_is_deployed_with_its_token_and_not_without(
    user: User, private: GitServer
) -> None:
    private.create("closed", tells("v1"))
    project = user.create_project("closed", private.url("closed"))["id"]

    without = attempt(user, project)
    unplanned = plan_status(user, private.url("closed"))
    user.call("PUT", f"/projects/{project}/credential", {"token": TOKEN})
    planned = plan_status(user, private.url("closed"))
    stranger = User.register(user.platform, "stranger@example.com")
    foreign = plan_status(stranger, private.url("closed"))
    opened = user.deploy(project)
    user.call("DELETE", f"/projects/{project}/credential")
    again = attempt(user, project)

    for denied in (without, again):
        assert denied["status"] == "failed"
        assert denied["diagnosis"]["code"] == "clone_denied"
        assert "token" in denied["diagnosis"]["todo"]
    assert (unplanned, planned, foreign) == (422, 200, 422)
    assert request("GET", f"http://{opened['url']}/").body == b"v1\n"


@pytest.mark.attack("S05", "S13")
@pytest.mark.needs("root")
def test_a_token_is_seen_by_nobody(local: Platform, user: User, private: GitServer) -> None:
    private.create("hidden", tells("v1"))
    private.manners["hidden"] = "cut"
    project = user.create_project("hidden", private.url("hidden"))["id"]
    user.call("PUT", f"/projects/{project}/credential", {"token": TOKEN})

    with watching(BASIC) as seen:
        private.held = lambda: not seen.holders
        broken = attempt(user, project)
        private.manners["hidden"] = "honest"
        found = user.deploy(project)

    git = pwd.getpwnam("autostack-git").pw_uid
    assert {uid for uid, _ in seen.holders} == {git}, "git runs as a user without rights"
    said = [*seen.commands, *(everything_told(user, project, d["id"]) for d in (broken, found))]
    said += [local.logs(), *private.asked]
    assert not [text for text in said if TOKEN in text or BASIC in text]


@pytest.mark.attack("S13")
@pytest.mark.needs("sshd")
def test_a_deploy_key_of_ours_opens_a_repository_over_ssh(
    local: Platform, user: User, git: GitServer, tmp_path: Path
) -> None:
    git.create("keyed", tells("v1"))
    with SshServer(tmp_path / "sshd", git.root, public="") as door:
        project = user.create_project("keyed", door.url("keyed"))["id"]

        without = attempt(user, project)
        public = user.call("POST", f"/projects/{project}/deploy-key")["deploy_key"]
        unknown = attempt(user, project)
        door.allow(public)
        with watching("PRIVATE KEY") as seen:
            found = user.deploy(project)

    for denied in (without, unknown):
        assert denied["diagnosis"]["code"] == "clone_denied", denied["error_message"]
        assert "deploy key" in denied["diagnosis"]["todo"]
    assert request("GET", f"http://{found['url']}/").body == b"v1\n"
    assert "PRIVATE KEY" not in everything_told(user, project, found["id"])
    assert seen.holders == set()
    assert not [path for path in local.home.mirrors.rglob("*") if path.name == "key"]


def test_the_command_line_sets_a_token_from_its_input(
    user: User, private: GitServer, tmp_path: Path
) -> None:
    private.create("piped", tells("v1"))
    project = user.create_project("piped", private.url("piped"))["id"]

    user.command("credential", "set", "-p", "piped", given=f"{TOKEN}\n", cwd=tmp_path)
    done = user.command("deploy", "-p", "piped", cwd=tmp_path)

    assert done.returncode == 0, done.stderr
    assert user.call("GET", f"/projects/{project}")["has_credential"]
    key = user.command("deploy-key", "-p", "piped", "--json", cwd=tmp_path)
    assert '"deploy_key": "ssh-ed25519 ' in key.stdout
