"""`autostack run`: one command in what is live, for somebody who waits for it."""

import json
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess
from uuid import UUID

import psutil
import pytest

from tests.e2e.apps import tells
from tests.gitserver import GitServer
from tests.platform import HEARS_CTRL_C, Platform, Refused, User, until

SECRET = "s3cret-of-the-shop"


@dataclass(frozen=True)
class Shop:
    """A project that is live, with a variable, and somebody who runs commands there."""

    user: User
    project: str
    directory: Path

    def run(self, *command: str, options: tuple[str, ...] = ()) -> CompletedProcess[str]:
        words = ("run", "--project", "runs", *options, "--", *command)
        return self.user.command(*words, cwd=self.directory)


@pytest.fixture(scope="module")
def shop(user: User, git: GitServer, tmp_path_factory: pytest.TempPathFactory) -> Shop:
    git.create("runs", tells("one", "TOKEN"))
    project = user.create_project("runs", git.url("runs"))["id"]
    at = f"/projects/{project}/environments/production/variables/TOKEN"
    user.call("PUT", at, {"value": SECRET})
    user.deploy(project)
    return Shop(user, project, tmp_path_factory.mktemp("shop"))


def environment(user: User, project: str) -> str:
    found = user.call("GET", f"/projects/{project}/environments")["items"][0]
    return str(found["id"])


def sleepers(seconds: int) -> list[int]:
    wanted = ["sleep", str(seconds)]
    return [one.pid for one in psutil.process_iter(["cmdline"]) if one.info["cmdline"] == wanted]


def test_output_and_exit_code_are_the_commands_own(shop: Shop) -> None:
    program = "import sys; print('to stdout'); print('to stderr', file=sys.stderr); sys.exit(7)"

    done = shop.run("python", "-u", "-c", program)

    assert done.returncode == 7
    assert done.stdout == "to stdout\nto stderr\n"
    assert "exit code 7" in done.stderr


def test_it_runs_in_the_release_with_its_configuration_which_is_not_shown(shop: Shop) -> None:
    program = "import os; t = os.environ['TOKEN']; print(len(t), t, os.path.exists('Procfile'))"

    done = shop.run("python", "-c", program)

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{len(SECRET)} ")
    assert done.stdout.endswith(" True\n")
    assert SECRET not in done.stdout


def test_a_signal_is_128_and_its_number(shop: Shop) -> None:
    done = shop.run("sh", "-c", "kill -TERM $$")

    assert done.returncode == 128 + signal.SIGTERM


def test_a_command_that_is_not_there_says_so(shop: Shop) -> None:
    done = shop.run("no-such-program")

    assert done.returncode == 1, done
    assert "no-such-program" in done.stdout + done.stderr


def test_what_begins_with_a_dash_behind_the_command_is_the_commands(shop: Shop) -> None:
    words = ("run", "--project", "runs", "python", "-c", "import sys; print(sys.argv)", "--env")

    done = shop.user.command(*words, cwd=shop.directory)

    assert done.stdout == "['-c', '--env']\n"


def test_json_is_the_run_and_nothing_else(shop: Shop) -> None:
    done = shop.run("sh", "-c", "echo said; exit 4", options=("--json",))

    assert done.returncode == 4
    assert json.loads(done.stdout)["exit_code"] == 4


def test_a_detached_command_is_listed_read_and_canceled(shop: Shop) -> None:
    started = shop.run("sh", "-c", "echo begun; sleep 7438", options=("--detach", "--json"))
    run_id = json.loads(started.stdout)["id"]
    until(lambda: sleepers(7438))

    shop.user.command("runs", "cancel", run_id, cwd=shop.directory)
    read = shop.user.command("runs", "logs", run_id, cwd=shop.directory)
    listed = shop.user.command("runs", "list", "--project", "runs", cwd=shop.directory)

    assert sleepers(7438) == []
    assert read.stdout == "begun\n"
    assert "The command was canceled." in read.stderr
    [line] = [line for line in listed.stdout.splitlines() if run_id in line]
    assert "canceled" in line
    assert "sh -c 'echo begun; sleep 7438'" in line


def test_a_time_limit_ends_it_and_what_it_started(shop: Shop) -> None:
    done = shop.run("sh", "-c", "sleep 7434 & sleep 7434", options=("--timeout", "1s"))

    assert done.returncode == 1
    assert "1 second" in done.stderr
    assert sleepers(7434) == []


def test_ctrl_c_cancels_it(shop: Shop) -> None:
    user = shop.user
    program = Path(sys.executable).with_name("autostack")
    words = ["run", "--project", "runs", "--", "sh", "-c", "sleep 7432 & sleep 7432"]
    signed_in = {"AUTOSTACK_SERVER": user.platform.api, "AUTOSTACK_TOKEN": user.token}
    following = subprocess.Popen(
        [*HEARS_CTRL_C, str(program), *words],
        env={**user.platform.environ, **signed_in},
        cwd=shop.directory,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    until(lambda: len(sleepers(7432)) == 2)

    began = time.monotonic()
    following.send_signal(signal.SIGINT)
    until(lambda: sleepers(7432) == [])
    took = time.monotonic() - began

    assert following.wait(30) == 130
    assert took < 10, "two seconds are promised; five-fold slack for a busy machine"
    at = f"/environments/{environment(user, shop.project)}/runs"
    until(lambda: user.call("GET", at)["items"][0]["status"] == "canceled")


def test_it_runs_beside_a_deployment_and_outlives_it(shop: Shop) -> None:
    user = shop.user
    started = shop.run("sleep", "7435", options=("--detach",))
    run_id = started.stdout.split()[-1].rstrip(".")
    until(lambda: sleepers(7435))

    deployed = user.wait(user.request_deployment(shop.project)["id"], settled=True)

    listed = user.command("ps", "--project", "runs", "--json", cwd=shop.directory).stdout
    assert deployed["status"] == "success"
    assert len(sleepers(7435)) == 1
    assert user.call("GET", f"/runs/{run_id}")["status"] == "running"
    assert '"run"' not in listed
    user.call("POST", f"/runs/{run_id}/cancel")
    until(lambda: sleepers(7435) == [])


def test_a_stopped_environment_still_runs_commands(user: User, git: GitServer) -> None:
    git.create("runs-stopped", tells("one"))
    project = user.create_project("runs-stopped", git.url("runs-stopped"))["id"]
    user.deploy(project)
    place = environment(user, project)
    user.wait(user.call("POST", f"/environments/{place}/stop")["id"], settled=True)

    asked = user.call("POST", f"/environments/{place}/runs", {"command": "echo still here"})
    until(lambda: user.call("GET", f"/runs/{asked['id']}")["status"] == "done")

    [line] = user.call("GET", f"/runs/{asked['id']}/logs")["items"]
    assert line["text"] == "still here"


def test_a_removed_project_takes_its_runs_and_their_logs_with_it(
    local: Platform, user: User, git: GitServer
) -> None:
    git.create("runs-removed", tells("one"))
    project = user.create_project("runs-removed", git.url("runs-removed"))["id"]
    user.deploy(project)
    place = environment(user, project)
    body = {"command": ["sh", "-c", "echo begun; exec sleep 7436"]}
    asked = user.call("POST", f"/environments/{place}/runs", body)
    until(lambda: sleepers(7436))
    log = local.home.run_output(UUID(asked["id"]))
    until(log.exists)

    user.call("DELETE", f"/projects/{project}")
    until(lambda: not log.exists())

    assert sleepers(7436) == []
    with pytest.raises(Refused, match="404"):
        user.call("GET", f"/runs/{asked['id']}")
