"""Commands against the real api, on a real socket and a real database."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
import uvicorn
from typer.testing import CliRunner

from autostack.core import crypto
from autostack.core.logs.sink import FileSink
from autostack.core.settings import Settings
from autostack.engine.release import Step
from autostack.entrypoints.cli import store
from autostack.entrypoints.cli.main import app as cli
from autostack.entrypoints.http import Keys, assemble
from tests.platform import HEARS_CTRL_C

PASSWORD = "testpassword123"
REPOSITORY = "https://git.example.com/ada/shop.git"


class Server:
    """The api in a thread, stopped and started again on the same port."""

    def __init__(self, settings: Settings, keys: Keys, url: str) -> None:
        self._wired = settings, keys, url
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = int(free.getsockname()[1])
        self.address = f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        settings, keys, url = self._wired
        app = assemble(settings, keys, url=url)
        config = uvicorn.Config(app, port=self._port, log_level="error", ws="none", http="h11")
        self._server = uvicorn.Server(config)
        self._streams = app.state.streams
        self._thread = threading.Thread(target=self._server.run)
        self._thread.start()
        until(lambda: self._server.started)

    def stop(self) -> None:
        self._streams.close()
        self._server.should_exit = True
        self._thread.join(20)


@dataclass
class World:
    """One platform without a worker: what a worker would do, a test does."""

    server: Server
    settings: Settings
    url: str

    def run(self, *args: str, code: int = 0) -> str:
        done = CliRunner().invoke(cli, list(args))
        assert done.exit_code == code, f"{done.exit_code}: {done.output}"
        return done.stdout if code == 0 else done.stderr

    def say(self, deployment: str, text: str) -> None:
        path = self.settings.layout.deployment_output(UUID(deployment))
        FileSink(path).say(text, step=Step.BUILD)

    def finish(self, deployment: str, status: str, **columns: str) -> None:
        values = {"url": None, "error_message": None, "diagnosis": None, **columns}
        with psycopg.connect(self.url) as connection:
            connection.execute(
                "update deployments set status = %(status)s, url = %(url)s,"
                " error_message = %(error_message)s, diagnosis = %(diagnosis)s where id = %(id)s",
                {"status": status, "id": deployment, **values},
            )

    def newest(self) -> str:
        """The deployment a command has just asked for."""
        with psycopg.connect(self.url) as connection:
            found = connection.execute(
                "select id from deployments order by number desc limit 1"
            ).fetchone()
        return str(found[0]) if found else ""


def until(condition: Callable[[], Any], *, limit: float = 20) -> None:
    end = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < end, "did not happen in time"
        time.sleep(0.02)


@pytest.fixture
def world(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    for name in [one for one in os.environ if one.startswith("AUTOSTACK_")]:
        monkeypatch.delenv(name)
    often = "1000/minute"
    settings = Settings(home=tmp_path, api_rate=often, login_rate=often, register_rate=often)
    keys = Keys(secret=crypto.generate_secret(), seal=crypto.generate()[1])
    server = Server(settings, keys, database_url)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("AUTOSTACK_SERVER", server.address)
    monkeypatch.setenv("AUTOSTACK_PASSWORD", PASSWORD)
    monkeypatch.chdir(tmp_path)
    server.start()
    yield World(server, settings, database_url)
    server.stop()


@pytest.fixture
def shop(world: World) -> World:
    """Signed in, with a project this directory is linked to."""
    world.run("register", "--email", "ada@example.com")
    world.run("init", REPOSITORY, "--name", "shop")
    return world


def test_the_way_in_and_out(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    said = world.run("projects", code=3)
    assert said.splitlines() == ["You are not signed in.", "Sign in with `autostack login`."]

    world.run("register", "--email", "ada@example.com")
    world.run("projects")
    world.run("logout")
    world.run("projects", code=3)
    monkeypatch.setenv("AUTOSTACK_PASSWORD", "wrongpassword")
    assert "Invalid credentials" in world.run("login", "--email", "ada@example.com", code=3)
    monkeypatch.setenv("AUTOSTACK_PASSWORD", PASSWORD)
    world.run("login", "--email", "ada@example.com")
    assert world.run("projects") == "No projects yet. Make one with `autostack init`.\n"


def test_a_directory_is_linked_and_known_by_its_link(shop: World) -> None:
    listed = json.loads(shop.run("projects", "--json"))
    link = json.loads(Path(".autostack.json").read_text())

    assert [one["name"] for one in listed] == ["shop"]
    assert link == {"project": listed[0]["id"], "server": shop.server.address}
    assert shop.run("deployments", code=0) is not None
    assert "There is no project 'nope'." in shop.run("ps", "--project", "nope", code=5)
    assert "It has: production." in shop.run("ps", "--env", "staging", code=5)


def test_a_directory_is_known_by_its_git_remote(shop: World) -> None:
    Path(".autostack.json").unlink()
    assert "Which project?" in shop.run("ps", code=2)

    subprocess.run(["git", "init", "-q"], check=True)  # noqa: S607
    remote = REPOSITORY.removesuffix(".git")
    subprocess.run(["git", "remote", "add", "origin", remote], check=True)  # noqa: S607

    shop.run("ps")


def test_deploy_follows_to_success(shop: World) -> None:
    def work() -> None:
        until(shop.newest)
        shop.say(shop.newest(), "Installing flask [2/3]")
        time.sleep(0.3)
        shop.finish(shop.newest(), "success", url="127.1.0.1:8080")

    worker = threading.Thread(target=work)
    worker.start()
    shown = shop.run("deploy")
    worker.join()

    assert "▸ build" in shown
    assert "Installing flask [2/3]" in shown
    assert "http://127.1.0.1:8080/" in shown


def test_a_failed_deployment_is_exit_code_one_with_the_cause(shop: World) -> None:
    def work() -> None:
        until(shop.newest)
        shop.finish(
            shop.newest(),
            "failed",
            error_message="build failed",
            diagnosis=json.dumps(
                {"code": "x", "summary": "No module named flask.", "proof": "", "todo": "Add it."}
            ),
        )

    worker = threading.Thread(target=work)
    worker.start()
    said = shop.run("deploy", code=1)
    worker.join()

    assert said.splitlines() == ["No module named flask.", "Add it."]


def test_json_is_the_apis_own_object_and_nothing_else(shop: World) -> None:
    queued = json.loads(shop.run("deploy", "--no-wait", "--json"))
    shop.finish(queued["id"], "failed", error_message="no")

    listed = json.loads(shop.run("deployments", "--json"))

    def work() -> None:
        until(lambda: shop.newest() != queued["id"])
        shop.finish(shop.newest(), "failed")

    waited = threading.Thread(target=work)
    waited.start()
    done = CliRunner().invoke(cli, ["deploy", "--json"])
    waited.join()

    assert queued["status"] == "pending"
    assert listed[0]["id"] == queued["id"]
    assert done.exit_code == 1
    assert json.loads(done.stdout)["status"] == "failed"


def test_following_survives_a_restart_of_the_server(shop: World) -> None:
    def work() -> None:
        until(shop.newest)
        shop.say(shop.newest(), "before")
        time.sleep(0.5)
        shop.server.stop()
        shop.say(shop.newest(), "meanwhile")
        shop.server.start()
        shop.finish(shop.newest(), "success", url="127.1.0.1:8080")

    worker = threading.Thread(target=work)
    worker.start()
    shown = shop.run("deploy")
    worker.join()

    assert shown.count("before") == 1
    assert shown.count("meanwhile") == 1


def test_ctrl_c_leaves_the_deployment_running_and_says_how_to_cancel(shop: World) -> None:
    script = "from autostack.entrypoints.cli.main import run; run()"
    command = subprocess.Popen(
        [*HEARS_CTRL_C, sys.executable, "-c", script, "deploy"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    until(shop.newest)
    shop.say(shop.newest(), "hello")
    assert command.stdout is not None
    while b"hello" not in command.stdout.readline():
        pass

    command.send_signal(signal.SIGINT)
    _, said = command.communicate(timeout=60)

    assert command.returncode == 130
    assert f"autostack cancel {shop.newest()}" in said.decode()
    assert json.loads(shop.run("deployments", "--json"))[0]["status"] == "pending"
    shop.run("cancel")
    assert json.loads(shop.run("deployments", "--json"))[0]["status"] == "canceled"


def test_variables_are_set_from_a_file_and_never_shown(shop: World) -> None:
    Path(".env").write_text("API_KEY=very-secret\nDEBUG=1\n")

    shop.run("env", "import", ".env")
    shop.run("env", "unset", "DEBUG", "--revoke")
    listed = shop.run("env", "list", "--json")

    assert [one["name"] for one in json.loads(listed)] == ["API_KEY"]
    assert "very-secret" not in listed


def test_values_come_from_stdin(shop: World) -> None:
    done = CliRunner().invoke(cli, ["env", "set", "ONE", "TWO"], input="1\n2\n")
    assert done.exit_code == 0, done.output
    done = CliRunner().invoke(cli, ["env", "set", "ONE", "TWO"], input="1\n")
    assert done.exit_code == 2
    assert done.stderr.splitlines()[0] == "There is no value for TWO."

    assert "nowhere cannot be read" in shop.run("env", "import", "nowhere", code=2)
    assert "no variable" in shop.run("env", "unset", "THREE", code=5).lower()


@pytest.mark.parametrize(
    "command", ["rollback", "restart", "stop", "start", "open", "scale web=2", "cancel"]
)
@pytest.mark.usefixtures("shop")
def test_what_needs_a_deployment_says_so_before_the_first(command: str) -> None:
    done = CliRunner().invoke(cli, command.split())

    assert done.exit_code in {1, 5}, done.output
    assert "deploy" in done.stderr.lower()
    assert "nothing at this address" not in done.stderr


def test_logs_shows_nothing_of_an_app_that_never_ran(shop: World) -> None:
    assert shop.run("logs") == ""
    assert json.loads(shop.run("logs", "--json", "--process", "web")) == []
    assert json.loads(shop.run("ps", "--json")) == []


def test_destroy_asks_for_the_name(shop: World) -> None:
    done = CliRunner().invoke(cli, ["destroy"], input="shap\n")
    assert done.exit_code == 2
    assert [one["name"] for one in json.loads(shop.run("projects", "--json"))] == ["shop"]

    done = CliRunner().invoke(cli, ["destroy"], input="shop\n")
    assert done.exit_code == 0
    assert json.loads(shop.run("projects", "--json")) == []


def test_an_unreachable_server_is_said_in_words(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
        monkeypatch.setenv("AUTOSTACK_SERVER", address)

        said = world.run("projects", code=4)

    assert said.splitlines() == [
        f"{address} cannot be reached.",
        "Start it with `autostack up`.",
    ]


def test_an_expired_session_is_renewed_once_for_all_commands(shop: World) -> None:
    login = store.servers()[shop.server.address]
    expired = store.Login(
        email=login.email, access_token="expired", refresh_token=login.refresh_token
    )
    store.remember(shop.server.address, expired)
    script = "from autostack.entrypoints.cli.main import run; run()"

    commands = [
        subprocess.Popen(
            [sys.executable, "-c", script, "projects", "--json"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for _ in range(4)
    ]
    results = [(one.communicate(timeout=150), one.returncode) for one in commands]

    assert [code for _, code in results] == [0, 0, 0, 0], results
    assert store.servers()[shop.server.address].refresh_token != login.refresh_token


def test_the_disk_is_shown_for_the_server_and_for_one_project(shop: World) -> None:
    empty = shop.run("disk")
    with psycopg.connect(shop.url) as connection:
        connection.execute(
            "insert into disk_usage select id, 3221225472, 0, 1048576, 0, 0, 0, now() from projects"
        )

    server, one = shop.run("disk"), shop.run("disk", "--project", "shop")
    document = json.loads(shop.run("disk", "--json"))

    assert "nothing new is built below" in empty
    assert "Too little history" in empty
    assert "Not measured yet" in empty
    assert "3.0 GB" in server
    assert "1 MB" in one
    assert "are free" not in one
    assert document["projects"][0]["releases"] == 3221225472


def test_a_team_is_made_joined_and_left_on_the_command_line(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.run("register", "--email", "ada@example.com")
    world.run("teams", "create", "Shop people")
    link = world.run("teams", "invite", "Shop people", "eve@example.com").strip()
    world.run("init", REPOSITORY, "--name", "shop", "--team", "Shop people")
    monkeypatch.setenv("AUTOSTACK_INVITATION", link)
    world.run("register", "--email", "eve@example.com", "--invited")

    joined = world.run("teams", "accept")
    refused = world.run("deploy", "--no-wait", "--project", "shop", code=1)

    assert joined == "You are developer of Shop people.\n"
    assert "needs the role 'admin'" in refused
    assert "lift the protection" in refused
    world.run("login", "--email", "ada@example.com")
    assert "developers" in world.run("unprotect", "--project", "shop")
    assert "admins" in world.run("protect", "--project", "shop")
    assert "viewer" in world.run("teams", "role", "Shop people", "eve@example.com", "viewer")
    token = world.run("teams", "service", "Shop people", "ci").strip()
    again = world.run("teams", "service", "Shop people", "ci").strip()
    found = json.loads(world.run("teams", "members", "Shop people", "--json"))
    roles = {one["email"]: one["role"] for one in found}
    assert roles == {"ada@example.com": "owner", "ci": "developer", "eve@example.com": "viewer"}
    assert token.startswith("as_") and again != token  # noqa: PT018 - two of one account
    for gone in ("ci", "eve@example.com"):
        world.run("teams", "remove", "Shop people", gone)
    assert "not in this team" in world.run("teams", "remove", "Shop people", "ci", code=5)
    monkeypatch.setenv("AUTOSTACK_TOKEN", token)
    assert "not signed in" in world.run("projects", code=3)


def test_a_project_of_ones_own_becomes_a_teams(shop: World) -> None:
    world = shop
    world.run("teams", "create", "Shop people")

    moved = world.run("teams", "move", "Shop people", "--project", "shop")

    assert moved == "shop belongs to Shop people now.\n"
    assert "needs an owner" in world.run("teams", "leave", "Shop people", code=1)
    assert "still has projects" in world.run("teams", "delete", "Shop people", code=1)
    assert "no team" in world.run("teams", "members", "Nobody", code=5)
