"""A disk that runs full: under a build, slowly, and to the last byte, while an app serves."""

import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from autostack.core.space import MB, Space, floor, space
from tests import load
from tests.gitserver import GitServer
from tests.platform import Platform, Refused, User, free_ports, request, until

pytestmark = [pytest.mark.needs("root", "loop"), pytest.mark.slow]

SIZE = 1300 * MB
HEAL = 60

APP = {
    "app.py": """
import http.server
import os


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = b"here\\n"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words):
        pass  # printing into a full disk fails in the app; this one prints nothing


http.server.ThreadingHTTPServer(("", int(os.environ["PORT"])), Handler).serve_forever()
""",
    "requirements.txt": "",
    "Procfile": "web: python app.py\n",
}
GREEDY = {"autostack.yaml": "build: cat /dev/zero > fill\n"}


@pytest.fixture(scope="module")
def small() -> Iterator[Path]:
    """A file system of its own, without blocks that only root may use."""
    with tempfile.TemporaryDirectory(prefix="autostack-", dir="/tmp") as place:
        image, mount = Path(place, "image"), Path(place, "disk")
        with image.open("wb") as file:
            file.truncate(SIZE)
        mount.mkdir()
        Path(place).chmod(0o755)
        run("mkfs.ext4", "-q", "-F", "-m", "0", str(image))
        run("mount", "-o", "loop", str(image), str(mount))
        try:
            yield mount
        finally:
            run("umount", "-l", str(mount))


def run(*argv: str) -> None:
    subprocess.run(argv, check=True, capture_output=True)


@pytest.fixture(scope="module")
def local(small: Path) -> Iterator[Platform]:
    port, edge_port = free_ports(2)
    made = Platform(root=small / "home", port=port, edge_port=edge_port)
    try:
        made.up()
        yield made
    finally:
        made.down()


@pytest.fixture(scope="module")
def git(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitServer]:
    with GitServer(tmp_path_factory.mktemp("git")) as server:
        yield server


@pytest.fixture(scope="module")
def user(local: Platform) -> User:
    return User.register(local)


@pytest.fixture(scope="module")
def project(user: User, git: GitServer) -> str:
    git.create("app", APP)
    made: str = user.create_project("app", git.url("app"))["id"]
    return made


@pytest.fixture(scope="module")
def serving(user: User, project: str) -> str:
    """Deployed twice, so that there is one to go back to."""
    user.deploy(project)
    return f"http://{user.deploy(project)['url']}/"


def steady(url: str) -> load.Load:
    return load.Load(url=url, bodies=(b"here\n",), rate=50, keep_alive=2)


@contextmanager
def filled(disk: Path, *, leave: int) -> Generator[None]:
    """Somebody else's file takes all but so many bytes, also what is freed meanwhile."""
    over = threading.Event()
    path = disk / "stranger"
    worker = threading.Thread(target=_fill, args=(path, leave, over))
    worker.start()
    try:
        until(lambda: space(disk).free <= leave + MB, limit=HEAL)
        yield
    finally:
        over.set()
        worker.join()
        path.unlink()


def _fill(path: Path, leave: int, over: threading.Event) -> None:
    with path.open("wb") as file:
        while not over.wait(0.02):
            more = space(path.parent).free - leave
            if more > 0:
                try:
                    end = file.seek(0, os.SEEK_END)
                    os.posix_fallocate(file.fileno(), end, more)
                except OSError:
                    _last(file.fileno())


def _last(file: int) -> None:
    """To the last block."""
    try:
        while os.write(file, bytes(4096)):
            pass
    except OSError:
        pass


@pytest.mark.attack("I18")
def test_a_build_that_fills_the_disk_fails_in_words_and_harms_nobody(
    local: Platform, user: User, git: GitServer, project: str, serving: str, small: Path
) -> None:
    git.commit("app", {**APP, **GREEDY})
    before = space(small).free

    with load.during(steady(serving)) as measured:
        asked = user.request_deployment(project)
        found = user.wait(asked["id"])

    assert found["status"] == "failed", found
    assert found["diagnosis"]["code"] == "disk", found
    assert measured.result.failed == 0, measured.result
    until(lambda: local.is_ready, limit=HEAL)
    until(lambda: space(small).free > before - 50 * MB, limit=HEAL)
    git.commit("app", APP, "Spare the disk", remove=("autostack.yaml",))
    user.deploy(project)
    assert request("GET", serving).body == b"here\n"


def test_below_the_floor_nothing_new_is_built_and_what_is_there_can_be_moved(
    user: User, project: str, serving: str, small: Path
) -> None:
    least = floor(space(small).total)
    environment = user.call("GET", f"/projects/{project}/environments")["items"][0]["id"]

    with filled(small, leave=least // 2), load.during(steady(serving)) as measured:
        refused = user.wait(user.request_deployment(project)["id"])
        restarted = user.wait(user.call("POST", f"/environments/{environment}/restart")["id"])
        back = user.wait(user.call("POST", f"/environments/{environment}/rollback", {})["id"])
        shown = user.call("GET", "/disk")

    assert refused["status"] == "failed"
    assert "nothing new is built below" in refused["error_message"]
    assert "AUTOSTACK_DISK_FLOOR_MB" in refused["diagnosis"]["todo"]
    assert (restarted["status"], back["status"]) == ("success", "success")
    assert shown["low"]
    assert measured.result.failed == 0, measured.result


def test_a_full_disk_is_survived_without_a_restart(
    local: Platform, user: User, project: str, serving: str, small: Path
) -> None:
    until(local.home.reserve.exists, limit=HEAL)

    with load.during(steady(serving)) as measured:
        with filled(small, leave=0):
            until(lambda: not local.home.reserve.exists(), limit=HEAL)
            end = time.monotonic() + 10
            while time.monotonic() < end:
                busy(user, project)
        until(lambda: local.is_ready, limit=HEAL)

    assert measured.result.failed == 0, measured.result
    user.deploy(project)
    until(local.home.reserve.exists, limit=HEAL)
    assert local.home.reserve.stat().st_blocks * 512 >= reserve_of(space(small))


def busy(user: User, project: str) -> None:
    """What may fail while nothing can be written."""
    try:
        user.request_deployment(project)
    except (Refused, OSError):
        time.sleep(0.2)


def reserve_of(seen: Space) -> int:
    return seen.total // 50
