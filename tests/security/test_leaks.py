"""Secrets at a live platform: where they must not be, and how they change."""

import base64
import time
import urllib.parse
from pathlib import Path
from typing import Any

import pytest

from tests.gitserver import GitServer
from tests.platform import request, until
from tests.reliability.gate import Rows
from tests.security.live import OPENED, PLATFORMS, VICTIMS, World

SECRET = "t0p/s3cret+of the=app"
CODED = base64.b64encode(SECRET.encode()).decode()
QUOTED = urllib.parse.quote(SECRET, safe="")

NOISY = """
import base64, os, sys, time, urllib.parse
secret = os.environ["SECRET"]
coded = base64.b64encode(secret.encode()).decode()
for form in (secret, coded, urllib.parse.quote(secret, safe=""), f"postgres://u:{secret}@h/db"):
    print("form", form, flush=True)
print("basic", base64.b64encode(f"user:{secret}".encode()).decode(), flush=True)
for half in (secret[:9], secret[9:] + " end"):
    sys.stdout.write(half)
    sys.stdout.flush()
    time.sleep(1.5 if "--slow" in sys.argv else 0)
print(flush=True)
print("over", flush=True)
"""
SERVER = """
from http.server import HTTPServer, SimpleHTTPRequestHandler
HTTPServer(("0.0.0.0", int(os.environ["PORT"])), SimpleHTTPRequestHandler).serve_forever()
"""


def visible(text: str) -> list[str]:
    basic = base64.b64encode(f"user:{SECRET}".encode()).decode()[8:28]
    parts = (SECRET, SECRET[:12], CODED, CODED[:20], QUOTED, basic)
    return [part for part in parts if part in text]


def logged(world: World, path: str) -> str:
    return "\n".join(one["text"] for one in world.eve.call("GET", path)["items"])


@pytest.mark.attack("S07")
def test_what_build_release_and_app_print_of_a_secret_is_hidden(world: World, word: str) -> None:
    files = {
        "noisy.py": NOISY,
        "app.py": f"import sys\nsys.argv.append('--slow')\n{NOISY}{SERVER}",
        "Procfile": "web: python app.py\nrelease: python noisy.py\n",
        "requirements.txt": "",
    }
    world.git.create(word, files)
    project = world.eve.project(word, world.git.url(word), build_command="python3 noisy.py")
    world.eve.set(project, "SECRET", SECRET)

    found = world.eve.attempt(project)

    assert found["status"] == "success", found["error_message"]
    environment = found["environment_id"]
    runtime = f"/environments/{environment}/logs?limit=1000"
    until(lambda: "over" in logged(world, runtime), limit=30, what="the app's last line")
    ran = world.eve.call(
        "POST", f"/environments/{environment}/runs", {"command": ["python", "noisy.py"]}
    )
    run = f"/runs/{ran['id']}"
    until(lambda: world.eve.call("GET", run)["finished_at"], what="the end of the run")
    logs = {
        "deployment": logged(world, f"/deployments/{found['id']}/logs?limit=1000"),
        "runtime": logged(world, runtime),
        "run": logged(world, f"{run}/logs?limit=1000"),
    }
    for kind, text in logs.items():
        assert "form [hidden]" in text, (kind, text)
        assert visible(text) == [], (kind, text)
    # The spool is what the app wrote; nobody but the collector reads it.
    spools = world.platform.home.logs / "spool" / "instances"
    assert {path.parent for path in files_with(world.platform.home.logs, SECRET)} <= {spools}
    world.eve.call("DELETE", f"/projects/{project}")


@pytest.mark.attack("S07")
def test_a_failure_tells_no_secret(world: World, word: str) -> None:
    crash = "import os\nraise SystemExit('cannot reach ' + os.environ['SECRET'])\n"
    world.git.create(
        word, {"app.py": crash, "Procfile": "web: python app.py\n", "requirements.txt": ""}
    )
    project = world.eve.project(word, world.git.url(word))
    world.eve.set(project, "SECRET", SECRET)

    found = world.eve.attempt(project)

    told = str(found) + str(world.eve.call("GET", f"/deployments/{found['id']}"))
    told += logged(world, f"/deployments/{found['id']}/logs?limit=1000")
    assert found["status"] == "failed"
    assert "[hidden]" in told
    assert visible(told) == []
    world.eve.call("DELETE", f"/projects/{project}")


@pytest.mark.attack("S01", "Z15")
def test_the_database_and_its_files_hold_no_secret_readably(world: World) -> None:
    rows = Rows(world.platform)
    tables = [
        row["tablename"]
        for row in rows.all("select tablename from pg_tables where schemaname = 'public'")
    ]
    text = "".join(str(rows.all(f'select * from "{table}"')) for table in tables)  # noqa: S608 - names from the catalogue
    rows.close()

    assert "victim" in text
    for canary in (VICTIMS, PLATFORMS, world.ada.token):
        assert canary not in text
        assert files_with(world.platform.home.postgres, canary) == []


def files_with(folder: Path, text: str) -> list[Path]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return [path for path in files if text.encode() in path.read_bytes()]


@pytest.mark.attack("S05", "S06", "S13")
def test_a_repositorys_token_is_heard_by_nobody_whatever_git_is_told(
    world: World, word: str, tmp_path: Path
) -> None:
    token = "ghp_AS_CANARY_TOKEN_55d1"
    with GitServer(tmp_path, host=OPENED, token=token) as private:
        private.create(word, {"app.py": NOISY + SERVER, "Procfile": "web: python app.py\n"})
        project = world.eve.project(word, private.url(word), build_command="set -x; env; true")
        world.eve.call("PUT", f"/projects/{project}/credential", {"token": token})
        world.eve.set(project, "SECRET", SECRET)
        for name in ("GIT_TRACE", "GIT_CURL_VERBOSE", "GIT_TRACE_CURL", "GIT_TRACE2"):
            world.eve.set(project, name, "1")

        found = world.eve.attempt(project)

    assert found["status"] == "success", found["error_message"]
    basic = base64.b64encode(f"x-access-token:{token}".encode()).decode()
    heard = b"".join(reply.body for _, reply in world.eve.heard).decode(errors="replace")
    for said in (heard, world.platform.logs()):
        assert token not in said
        assert basic not in said
    home = world.platform.home
    for folder in (home.mirrors, home.trees, home.artifacts, home.instances, home.run):
        assert files_with(folder, token) == []
    world.eve.call("DELETE", f"/projects/{project}")


def test_keys_are_changed_while_everything_serves(world: World, word: str) -> None:
    home = world.platform.home
    before = (home.secrets / "seal.key").read_text().split()

    done = world.platform.run("admin", "rotate-keys")
    world.eve.project(word, world.git.url("victim"))
    status = ""
    end = time.monotonic() + 60
    while "with the new key" not in status and time.monotonic() < end:
        status = world.platform.run("admin", "rotate-keys", "--status").stdout

    assert done.returncode == 0, done.stderr
    assert "with the new key" in status
    assert (home.secrets / "seal.key").read_text().split()[1:] == before
    again = redeployed(world)
    assert request("GET", f"http://{again['url']}/").body.decode().strip() == f"v1 {VICTIMS}"
    assert (home.secrets / "seal.key").stat().st_mode & 0o777 == 0o600


def redeployed(world: World) -> Any:  # noqa: ANN401 - JSON
    found = world.ada.wait(world.ada.request_deployment(world.victim["project_id"])["id"])
    assert found["status"] == "success", found["error_message"]
    return found
