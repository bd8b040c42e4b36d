"""`make demo`: the main job on real input, from an empty machine to a redeployed app.

Starts a platform of its own under `.demo/`, serves `examples/flask` as a real Git repository on
loopback, deploys it, follows the log, asks the URL, redeploys a change under load, and says what
was measured.
"""

import json
import os
import secrets
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from demo.follow import follow
from tests import load
from tests.e2e.repositories import files
from tests.gitserver import GitServer
from tests.platform import Platform, User, free_ports, request

ROOT = Path(__file__).parents[1]
DEMO = ROOT / ".demo"
NAME = "hello"
EMAIL = "demo@example.com"
BUILD_SECONDS = 900


def main() -> int:
    began = time.monotonic()
    DEMO.mkdir(mode=0o755, exist_ok=True)
    platform = choose()
    say("Starting the platform …")
    platform.up()
    say(f"  up at {platform.api}")
    try:
        show(platform)
    finally:
        if os.environ.get("DEMO_STOP"):
            platform.down()
            say("Stopped.")
    say(f"Done in {time.monotonic() - began:.1f} s.")
    if not os.environ.get("DEMO_STOP"):
        dashboard()
        say(
            f"It is still running. Look around (the password is in {shown(DEMO / 'account.json')}):"
        )
        say(f"  {platform.api}/dashboard in a browser, as {EMAIL}")
        say(f"  .venv/bin/autostack login --server {platform.api} --email {EMAIL}")
        say(f"  .venv/bin/autostack logs --project {NAME}")
        say("Stop it with:  make demo-stop")
    return 0


def dashboard() -> None:
    """Built last, so that nothing above is measured beside it; the rest works without it too."""
    if not (ROOT / "dashboard/built").exists():
        say("Building the dashboard, which takes a minute the first time …")
    command = [sys.executable, str(ROOT / "dashboard/build.py")]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=BUILD_SECONDS
        )
    except subprocess.TimeoutExpired:
        say("The dashboard takes too long to build; try `autostack dashboard build` later.")
    else:
        say((done.stdout + done.stderr).strip())


def shown(file: Path) -> Path:
    """As short as it can be written here."""
    return file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file


def choose() -> Platform:
    """The ports of the last run, the default ones, or free ones if those are taken."""
    kept = DEMO / "ports.json"
    if kept.exists():
        api, edge = json.loads(kept.read_text())
    else:
        api, edge = (8000, 8080) if is_free(8000) and is_free(8080) else free_ports(2)
        kept.write_text(json.dumps([api, edge]))
    return Platform(root=DEMO / "home", port=api, edge_port=edge)


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("0.0.0.0", port))  # noqa: S104 - only asking
        except OSError:
            return False
    return True


def show(platform: Platform) -> None:
    user = account(platform)
    with repository() as git:
        project = the_project(user, git.url(NAME))
        say(f"Deploying {git.url(NAME)}")
        first = deploy(user, project)
        url = f"http://{first['url']}/"
        say(f"GET {url} → {request('GET', url).body.decode().strip()}")
        redeploy(user, project, git, url)


def account(platform: Platform) -> User:
    kept = DEMO / "account.json"
    if not kept.exists():
        kept.touch(mode=0o600)
        kept.write_text(json.dumps({"email": EMAIL, "password": secrets.token_urlsafe(15)}))
    return User.register(platform, **json.loads(kept.read_text()))


@contextmanager
def repository() -> Generator[GitServer]:
    folder = DEMO / "git"
    folder.mkdir(exist_ok=True)
    with GitServer(folder) as git:
        example = files(ROOT / "examples" / "flask")
        if (folder / f"{NAME}.git").exists():
            git.commit(NAME, {**example, "VERSION": version()}, "Say another version")
        else:
            git.create(NAME, {**example, "VERSION": version()})
        yield git


def version() -> str:
    return f"v{time.time():.2f}\n"


def the_project(user: User, url: str) -> str:
    """The demo's project; the repository is served on another port each time."""
    found = [one for one in user.call("GET", "/projects")["items"] if one["name"] == NAME]
    if found:
        user.call("PATCH", f"/projects/{found[0]['id']}", {"repo_url": url})
    return str(found[0]["id"] if found else user.create_project(NAME, url)["id"])


def deploy(user: User, project: str) -> Any:  # noqa: ANN401
    """Deploy with the log on the screen; returns the finished deployment."""
    asked = user.request_deployment(project)
    reader = threading.Thread(target=follow, args=(user, asked["id"], say), daemon=True)
    reader.start()
    found = user.wait(asked["id"])
    reader.join(5)
    if found["status"] != "success":
        raise SystemExit(f"The deployment {found['status']}: {found['error_message']}")
    say("  " + " · ".join(f"{name} {seconds:.2f} s" for name, seconds in timings(found)))
    return found


def timings(deployment: Any) -> Iterator[tuple[str, float]]:  # noqa: ANN401
    for step in deployment["steps"]:
        if step["ended_at"] and step["outcome"] == "done":
            times = (datetime.fromisoformat(step[key]) for key in ("started_at", "ended_at"))
            start, end = times
            yield step["name"], (end - start).total_seconds()


def redeploy(user: User, project: str, git: GitServer, url: str) -> None:
    changed = version()
    git.commit(NAME, {"VERSION": changed}, "Say another version")
    say("Redeploying a change under 200 new connections a second …")
    before, after = request("GET", url).body, b"Hello from Flask " + changed.encode()
    with load.during(load.Load(url=url, bodies=(before, after), rate=200)) as measured:
        evidence = drained(user, user.deploy(project)["id"])
    result = measured.result
    say(f"{result.failed} of {result.sent} requests failed; p95 {result.p95 * 1000:.0f} ms")
    say(f"What the edge itself counted meanwhile: {evidence}")
    if result.failed:
        raise SystemExit(f"Requests were lost: {result}")


def drained(user: User, deployment: str, *, limit: float = 60) -> str:
    """Wait until the old release has answered its last request; what the switch cost."""
    end = time.monotonic() + limit
    while time.monotonic() < end:
        found = user.call("GET", f"/deployments/{deployment}")
        if found["evidence"]:
            return str(found["evidence"]["summary"])
        time.sleep(0.1)
    return "nothing, in time."


def say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    sys.exit(main())
