"""One real platform: started, used, killed part by part, and ended without a trace."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sysconfig
import threading
import time
import venv
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import mkdtemp
from typing import Self

import psutil
import psycopg
import pytest

import autostack
from autostack.core import host
from autostack.drivers.machine.identity import Identity, noted
from tests import platform as platforms
from tests.platform import Platform, request

pytestmark = [pytest.mark.needs("linux"), pytest.mark.alone]

HEAL = 30.0


@pytest.fixture(scope="module")
def local() -> Iterator[Platform]:
    with platforms.platform() as running:
        yield running


def parts(local: Platform) -> dict[str, int]:
    """The pid of each part, by name."""
    told = json.loads(local.run("status", "--json").stdout)
    return {part["name"]: part["pid"] for part in told["parts"]}


def eventually(true: Callable[[], object], *, seconds: float = HEAL) -> float:
    """Wait until it holds, and say how long that took."""
    began = time.monotonic()
    while not true():
        if time.monotonic() - began > seconds:
            raise TimeoutError(true)
        time.sleep(0.05)
    return time.monotonic() - began


def mark(local: Platform, name: str) -> Identity | None:
    return noted(local.home.run / f"{name}.pid")


def living(local: Platform) -> list[str]:
    """Every process that knows of this home, by its command or its environment."""
    found: list[str] = []
    for process in psutil.process_iter():
        try:
            known = {*process.cmdline(), process.environ().get("AUTOSTACK_HOME", "")}
        except psutil.Error:
            continue
        if any(str(local.root) in each for each in known):
            found.append(" ".join(process.cmdline()))
    return found


def make_newer(local: Platform) -> None:
    """The database says that it has a later version than the code."""
    url = f"postgresql://autostack@/autostack?host={local.home.run / 'postgres'}"
    with psycopg.connect(url) as connection:
        connection.execute("update alembic_version set version_num = version_num || '9'")


@dataclass(frozen=True, slots=True)
class Stopped:
    """The database of a platform, for when it does not run."""

    program: str
    folder: str
    user: int
    group: int

    @classmethod
    def of(cls, local: Platform) -> Self:
        running = psutil.Process(parts(local)["postgres"])
        folder = running.cmdline()[running.cmdline().index("-D") + 1]
        return cls(running.exe(), folder, running.uids().real, running.gids().real)

    def make_older(self) -> None:
        subprocess.run(
            [self.program, "--single", "-D", self.folder, "autostack"],
            input="update alembic_version set version_num = rtrim(version_num, '9')\n",
            user=self.user if os.geteuid() == 0 else None,
            group=self.group if os.geteuid() == 0 else None,
            text=True,
            check=True,
            timeout=60,
            env={},
            capture_output=True,
        )


@contextmanager
def visitors(port: int) -> Generator[Counter[str]]:
    """New connections to the edge all the while; what became of each."""
    seen, over = Counter[str](), threading.Event()

    def visit() -> None:
        while not over.is_set():
            seen[_visit(port)] += 1
            time.sleep(0.02)

    threads = [threading.Thread(target=visit) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        yield seen
    finally:
        over.set()
        for thread in threads:
            thread.join()


def _visit(port: int) -> str:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            return "answered" if connection.recv(64).startswith(b"HTTP/1.1") else "cut"
    except OSError as error:
        return type(error).__name__


def test_it_says_that_it_is_ready_and_status_agrees(local: Platform) -> None:
    told = json.loads(local.run("status", "--json").stdout)

    assert local.is_ready
    assert told["ready"]
    assert {part["state"] for part in told["parts"]} == {"running"}


def test_a_second_up_is_harmless(local: Platform) -> None:
    before = parts(local)

    done = local.run("up", "--detach")

    assert done.returncode == 0
    assert "runs already" in done.stdout
    assert parts(local) == before


def test_an_up_with_other_ports_is_refused_and_changes_nothing(local: Platform) -> None:
    before = parts(local)
    other = replace(local, port=local.port + 1)

    done = other.run("up", "--detach")

    assert done.returncode == 1
    assert f"AUTOSTACK_PORT is {local.port}, not {local.port + 1}" in done.stderr
    assert parts(local) == before


@pytest.mark.needs("root")
def test_only_those_that_need_root_have_it(local: Platform) -> None:
    found = parts(local)

    for name in ("postgres", "logs", "edge", "edge-pages", "api"):
        status = Path(f"/proc/{found[name]}/status").read_text()
        fields = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
        assert fields["Uid"].split()[0] != "0", name
        assert int(fields["CapEff"], 16) == 0, name
        assert fields["NoNewPrivs"].strip() == "1", name
    assert len({Path(f"/proc/{found[n]}").stat().st_uid for n in ("postgres", "logs", "edge")}) == 3


@pytest.mark.attack("I01")
@pytest.mark.needs("root")
def test_a_stranger_on_the_machine_gets_nothing_out_of_the_home(local: Platform) -> None:
    for private in ("secrets", "postgres", "mirrors", "uploads", "edge", "logs"):
        assert not (local.root / private).stat().st_mode & 0o006, private
    assert not local.home.supervisor_socket.stat().st_mode & 0o077


def test_the_embedded_database_listens_on_its_socket_only(local: Platform) -> None:
    listening = [
        each
        for process in (psutil.Process(parts(local)["postgres"]),)
        for each in process.net_connections(kind="inet")
    ]

    assert listening == []


@pytest.mark.parametrize("name", ["api", "worker"])
def test_a_killed_part_of_control_is_back_at_once(local: Platform, name: str) -> None:
    first = mark(local, name)
    assert first

    first.send(signal.SIGKILL)

    took = eventually(lambda: mark(local, name) not in {None, first})
    assert took < 5, "some 0.1 s on an idle machine"
    eventually(lambda: local.is_ready)


def test_killed_control_takes_its_children_along_and_comes_back(local: Platform) -> None:
    first, api, worker = (mark(local, name) for name in ("control", "api", "worker"))
    assert first
    assert api
    assert worker

    first.send(signal.SIGKILL)

    assert api.wait(2)
    assert worker.wait(2)
    eventually(lambda: local.is_ready)


def test_a_killed_database_comes_back(local: Platform) -> None:
    first = mark(local, "postgres")
    assert first

    first.send(signal.SIGKILL)

    eventually(lambda: mark(local, "postgres") not in {None, first})
    eventually(lambda: local.is_ready)


def test_down_leaves_the_edge_serving_and_up_brings_back_the_rest(local: Platform) -> None:
    edge = mark(local, "edge-0")

    with visitors(local.edge_port) as seen:
        assert local.run("down").returncode == 0
        stopped = {name: mark(local, name) for name in ("control", "api", "worker", "postgres")}
        assert local.run("up", "--detach").returncode == 0

    assert set(stopped.values()) == {None}
    assert seen.keys() == {"answered"}
    assert mark(local, "edge-0") == edge
    assert local.is_ready


def test_an_up_after_down_brings_its_own_settings(local: Platform) -> None:
    closed = replace(local, settings={**local.settings, "AUTOSTACK_REGISTRATION": "closed"})
    account = {"email": "late@example.com", "password": "testpassword123"}
    # The first account is let in whatever the setting says.
    request("POST", f"{local.api}/auth/register", body={**account, "email": "first@example.com"})

    local.run("down")
    closed.run("up", "--detach")
    refused = request("POST", f"{local.api}/auth/register", body=account)
    said = local.run("up", "--detach").stdout
    local.run("down")
    local.run("up", "--detach")

    assert refused.status == 403
    assert "AUTOSTACK_REGISTRATION" in said
    assert request("POST", f"{local.api}/auth/register", body=account).status == 200


def test_a_killed_supervisor_is_replaced_without_a_lost_request(local: Platform) -> None:
    first, edge = mark(local, "supervisor"), mark(local, "edge-0")
    assert first

    with visitors(local.edge_port) as seen:
        first.send(signal.SIGKILL)
        took = eventually(lambda: mark(local, "supervisor") not in {None, first} and local.is_ready)
        eventually(lambda: local.run("status").returncode == 0)

    assert took < HEAL
    assert seen.keys() == {"answered"}
    assert mark(local, "edge-0") == edge
    assert parts(local)["edge"] == (edge and edge.pid)
    commands = [line for line in living(local) if "autostack.entrypoints.supervise" in line]
    assert len(commands) == 1


def test_an_edge_that_outlived_its_supervisor_is_replaced_when_it_dies(local: Platform) -> None:
    first = mark(local, "edge-0")
    assert first

    with visitors(local.edge_port) as seen:
        first.send(signal.SIGKILL)
        eventually(lambda: mark(local, "edge-0") not in {None, first} and local.is_ready)

    assert seen["answered"]
    assert not seen["ConnectionRefusedError"]


def test_a_platform_that_cannot_come_back_leaves_the_edge_serving(local: Platform) -> None:
    first, edge = mark(local, "supervisor"), mark(local, "edge-0")
    log = local.home.platform_log("control")
    assert first
    database = Stopped.of(local)
    make_newer(local)

    with visitors(local.edge_port) as seen:
        first.send(signal.SIGKILL)
        eventually(lambda: "The database is newer than this AutoStack" in log.read_text())
        eventually(lambda: mark(local, "supervisor") is None and mark(local, "postgres") is None)
        assert mark(local, "edge-0") == edge
        database.make_older()
        assert local.run("up", "--detach").returncode == 0

    assert seen.keys() == {"answered"}
    assert mark(local, "edge-0") == edge
    assert local.is_ready


def test_a_newer_database_is_refused_in_words_and_nothing_is_changed(local: Platform) -> None:
    make_newer(local)
    local.run("down")

    done = local.run("up", "--detach")

    assert done.returncode == 1
    assert "The database is newer than this AutoStack" in done.stderr
    assert mark(local, "control") is None
    assert mark(local, "postgres") is None


def test_afterwards_nothing_is_left(local: Platform) -> None:
    taken = host.load(local.home)
    assert taken

    assert local.run("down", "--apps").returncode == 0

    assert living(local) == []
    assert not Path(f"/sys/class/net/{taken.bridge or 'none'}").exists()
    assert local.run("status").returncode == 1


@pytest.mark.parametrize("setting", ["AUTOSTACK_PORT", "AUTOSTACK_EDGE_PORT"])
def test_a_port_in_use_stops_the_start_before_anything_runs(local: Platform, setting: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        other = platforms.Platform(
            root=local.root, port=local.port, edge_port=local.edge_port, settings={setting: port}
        )
        done = other.run("up", "--detach")

    assert done.returncode == 1
    assert f"Port {port}" in done.stderr
    assert f"(pid {os.getpid()})" in done.stderr
    assert f"{setting}=" in done.stderr
    assert living(local) == []


@pytest.mark.needs("root")
def test_all_of_it_may_lie_below_a_directory_only_root_may_pass() -> None:
    hidden = Path(mkdtemp(prefix="autostack-"))
    command = install(hidden)
    port, edge_port = platforms.free_ports(2)
    inside = platforms.Platform(root=hidden / "home", port=port, edge_port=edge_port)
    try:
        done = run(inside, [*command, "up", "--detach"])
        mode = hidden.stat().st_mode & 0o777
    finally:
        run(inside, [*command, "down", "--apps"])
        shutil.rmtree(hidden)

    assert done.returncode == 0, done.stderr
    assert mode == 0o700


def run(local: Platform, argv: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        argv, env=local.environ, capture_output=True, text=True, timeout=180, check=False
    )


def install(folder: Path) -> list[str]:
    """An environment of its own with a copy of the code; the command that runs it."""
    venv.create(folder / "venv")
    shutil.copytree(Path(autostack.__file__).parent, folder / "src" / "autostack")
    packages = sysconfig.get_path("purelib")
    (link,) = (folder / "venv").glob("lib/python*/site-packages")
    (link / "here.pth").write_text(f"{folder / 'src'}\n{packages}\n")
    for program in ("traefik", "uv"):
        source = Path(sysconfig.get_path("scripts")) / program
        (folder / "venv" / "bin" / program).symlink_to(source)
    return [str(folder / "venv" / "bin" / "python"), "-m", "autostack.entrypoints.cli.main"]


def test_a_wrong_setting_is_said_without_its_value(local: Platform) -> None:
    other = platforms.Platform(
        root=local.root, port=local.port, edge_port=local.edge_port,
        settings={"AUTOSTACK_PORT": "s3cret"},
    )  # fmt: skip

    done = other.run("up", "--detach")

    assert done.returncode == 1
    assert "AUTOSTACK_PORT" in done.stderr
    assert "s3cret" not in done.stderr + done.stdout
