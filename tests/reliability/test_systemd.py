"""`autostack service install` on a machine that a real systemd runs."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import pytest

from tests.systemd import AUTOSTACK, CHECKOUT, Box, box

pytestmark = [pytest.mark.slow, pytest.mark.needs("systemd"), pytest.mark.timeout(900)]

UNIT = "autostack.service"
HEAL = 120
"""Seconds the platform has to be whole again, the first start of Python included."""

APP = """
import http.server, os

class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"here\\n")

http.server.ThreadingHTTPServer(("0.0.0.0", int(os.environ["PORT"])), Page).serve_forever()
"""

ASK = """
import sys, time, urllib.request

while True:
    try:
        with urllib.request.urlopen(sys.argv[1], timeout=10) as answer:
            print(answer.read().decode().strip(), flush=True)
    except OSError as error:
        print(error, flush=True)
    if "once" in sys.argv:
        break
    time.sleep(0.05)
"""


@pytest.fixture(scope="module")
def machine() -> Iterator[Box]:
    with box() as booted:
        booted.said(AUTOSTACK, "service", "install")
        booted.said(AUTOSTACK, "register", "--email", "test@example.com")
        yield booted


@pytest.fixture(scope="module")
def apps(machine: Box) -> dict[str, str]:
    """A process and a static site: the address of each, and what it answers."""
    machine.write("/srv/process/app.py", APP)
    machine.write("/srv/process/Procfile", "web: python app.py\n")
    machine.write("/srv/site/index.html", "site\n")
    return {deployed(machine, "process"): "here", deployed(machine, "site"): "site"}


@pytest.fixture
def running(machine: Box, apps: dict[str, str]) -> None:
    machine.said("systemctl", "start", UNIT)
    until(lambda: whole(machine, apps))


def deployed(machine: Box, name: str) -> str:
    machine.said(AUTOSTACK, "init", f"https://git.test/{name}.git", "--name", name)
    folder = f"/srv/{name}"
    done = machine.run(AUTOSTACK, "deploy", folder, "--dirty", "-p", name, "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    return f"http://{json.loads(done.stdout)['url']}/"


def shown(machine: Box, name: str) -> str:
    return machine.said("systemctl", "show", "--value", f"--property={name}", UNIT)


def answers(machine: Box, apps: dict[str, str]) -> bool:
    asked = {url: machine.said(sys.executable, "-c", ASK, url, "once") for url in apps}
    return asked == apps


def whole(machine: Box, apps: dict[str, str]) -> bool:
    return machine.run(AUTOSTACK, "status").returncode == 0 and answers(machine, apps)


def left(machine: Box) -> list[str]:
    """Command lines of the platform and its apps."""
    lines = machine.said("ps", "-eo", "args").splitlines()
    return [one for one in lines if "autostack" in one or "app.py" in one or "/srv/" in one]


def until(happened: Callable[[], bool]) -> None:
    end = time.monotonic() + HEAL
    while not happened():
        assert time.monotonic() < end, f"not within {HEAL} seconds"
        time.sleep(0.2)


@pytest.mark.usefixtures("running")
def test_apps_serve_on_while_systemd_brings_a_killed_supervisor_back(
    machine: Box, apps: dict[str, str]
) -> None:
    killed = shown(machine, "MainPID")
    visitors = {url: machine.start(sys.executable, "-c", ASK, url) for url in apps}

    machine.said("kill", "-9", killed)
    until(lambda: shown(machine, "MainPID") not in {killed, "0"} and whole(machine, apps))
    until(lambda: replaced(machine))

    for url, visitor in visitors.items():
        visitor.terminate()
        told, _ = visitor.communicate(timeout=30)
        assert set(told.splitlines()) == {apps[url]}
    assert [one["status"] for one in deployments(machine)] == ["success", "success"]


def replaced(machine: Box) -> bool:
    """Whether a second deployment has taken the place of the app that outlived its supervisor."""
    found = deployments(machine)
    return len(found) > 1 and found[0]["status"] in {"success", "failed"}


def deployments(machine: Box) -> list[dict[str, str]]:
    page = machine.said(AUTOSTACK, "deployments", "-p", "process", "--json")
    found: list[dict[str, str]] = json.loads(page)
    return found


@pytest.mark.usefixtures("running")
def test_a_restart_brings_every_app_back(machine: Box, apps: dict[str, str]) -> None:
    before = shown(machine, "MainPID")

    machine.said("systemctl", "restart", UNIT)

    until(lambda: whole(machine, apps))
    assert shown(machine, "MainPID") != before


@pytest.mark.usefixtures("running")
def test_stopping_the_service_leaves_no_process_and_no_network(machine: Box) -> None:
    machine.said("systemctl", "stop", UNIT)

    assert shown(machine, "ActiveState") == "inactive"
    assert left(machine) == []
    assert [link["ifname"] for link in json.loads(machine.said("ip", "-json", "link"))] == ["lo"]


@pytest.mark.usefixtures("running")
def test_down_leaves_the_apps_serving_until_the_control_plane_is_asked_for_again(
    machine: Box, apps: dict[str, str]
) -> None:
    before = shown(machine, "MainPID")

    machine.said(AUTOSTACK, "down")
    machine.said("sleep", "5")  # longer than systemd waits before it starts something again

    assert answers(machine, apps)
    assert part(machine, "control") == "stopped"
    machine.said(AUTOSTACK, "up", "--detach")
    assert whole(machine, apps)
    assert shown(machine, "MainPID") == before


def part(machine: Box, name: str) -> str:
    found = json.loads(machine.run(AUTOSTACK, "status", "--json").stdout)
    return next(str(one["state"]) for one in found["parts"] if one["name"] == name)


@pytest.mark.usefixtures("running")
def test_down_with_apps_is_not_undone(machine: Box) -> None:
    machine.said(AUTOSTACK, "down", "--apps")

    until(lambda: shown(machine, "SubState") in {"dead", "auto-restart", "failed"})
    assert shown(machine, "SubState") == "dead"
    assert left(machine) == []


@pytest.mark.usefixtures("running")
def test_a_platform_started_by_hand_is_left_alone(machine: Box, apps: dict[str, str]) -> None:
    machine.said("systemctl", "stop", UNIT)
    machine.said(AUTOSTACK, "up", "--detach")

    refused = machine.run(AUTOSTACK, "service", "install")
    machine.said("systemctl", "start", UNIT)
    until(lambda: shown(machine, "SubState") == "auto-restart")

    assert refused.returncode == 1
    assert "systemd did not start it" in refused.stderr
    assert whole(machine, apps)
    # The next try of systemd succeeds.
    machine.said(AUTOSTACK, "down", "--apps")
    until(lambda: shown(machine, "SubState") == "running" and whole(machine, apps))


@pytest.mark.usefixtures("running")
def test_what_keeps_it_from_starting_is_said_by_the_installation(machine: Box) -> None:
    machine.said("systemctl", "stop", UNIT)
    serve = ("-m", "http.server", "8080", "--bind", "127.0.0.1")
    with machine.start(sys.executable, *serve) as other:
        until(lambda: ":8080" in machine.said("ss", "-Htln"))
        done = machine.run(AUTOSTACK, "service", "install")
        other.terminate()

    assert done.returncode == 1
    assert "Port 8080, wanted for the deployed apps, is in use" in done.stderr


@pytest.mark.usefixtures("running")
def test_a_start_that_takes_longer_than_a_minute_is_not_begun_anew(
    machine: Box, apps: dict[str, str]
) -> None:
    machine.said("systemctl", "stop", UNIT)
    machine.said("systemctl", "start", UNIT)
    until(lambda: machine.run("pkill", "-STOP", "-f", "launch control").returncode == 0)
    starting = shown(machine, "MainPID")

    said = ("journalctl", "-u", UNIT, "--boot", "--output=cat")
    until(lambda: "It goes on starting" in machine.said(*said))
    machine.said("pkill", "-CONT", "-f", "launch control")

    until(lambda: whole(machine, apps))
    assert shown(machine, "MainPID") == starting


@pytest.mark.parametrize("how", [(), ("--force", "--force")], ids=["in order", "at once"])
@pytest.mark.usefixtures("running")
def test_what_ran_runs_again_after_a_reboot(
    machine: Box, apps: dict[str, str], how: tuple[str, ...]
) -> None:
    machine.reboot(*how)

    until(lambda: whole(machine, apps))
    assert shown(machine, "NRestarts") == "0"


@pytest.mark.usefixtures("running")
def test_the_unit_of_another_platform_is_left_alone(machine: Box, apps: dict[str, str]) -> None:
    elsewhere = ("env", "AUTOSTACK_HOME=/srv/other", AUTOSTACK, "service")

    for asked in ("install", "uninstall"):
        refused = machine.run(*elsewhere, asked)
        assert refused.returncode == 1
        assert "runs another platform" in refused.stderr

    assert whole(machine, apps)


@pytest.mark.parametrize("signal", ["0", "9"], ids=["all is well", "its supervisor was killed"])
@pytest.mark.usefixtures("running")
def test_uninstalling_ends_all_and_keeps_the_data(
    machine: Box, apps: dict[str, str], signal: str
) -> None:
    machine.said("kill", f"-{signal}", shown(machine, "MainPID"))

    machine.said(AUTOSTACK, "service", "uninstall")

    assert left(machine) == []
    assert shown(machine, "LoadState") == "not-found"
    assert "There is no service" in machine.said(AUTOSTACK, "service", "uninstall")
    machine.said(AUTOSTACK, "service", "install")
    until(lambda: whole(machine, apps))


def test_a_normal_users_service_starts_at_boot_without_a_session(machine: Box) -> None:
    machine.said(AUTOSTACK, "service", "uninstall")
    machine.said("useradd", "--create-home", "ann")
    # The interpreter and the checkout may lie below a directory of root's own.
    machine.said("chmod", "a+x", "/root", *(str(one) for one in CHECKOUT.parents))

    as_ann(machine, AUTOSTACK, "service", "install")
    machine.reboot()

    until(lambda: as_ann(machine, AUTOSTACK, "status", check=False).returncode == 0)
    owner = machine.said("ps", "-o", "user=", "-C", "traefik")
    as_ann(machine, AUTOSTACK, "service", "uninstall")
    assert owner == "ann"
    assert left(machine) == []


def as_ann(machine: Box, *argv: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    who = ("setpriv", "--reuid=ann", "--regid=ann", "--init-groups")
    home = ("env", "-u", "AUTOSTACK_HOME", "HOME=/home/ann")
    done = machine.run(*who, *home, *argv)
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done
