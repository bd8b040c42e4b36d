"""Old releases leave the disk, and what may be gone back to stays on it."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.gitserver import GitServer
from tests.platform import Platform, User, platform, request

pytestmark = pytest.mark.slow

PAGE = {"index.html": "version 0\n"}


@pytest.fixture(scope="module")
def local() -> Iterator[Platform]:
    with platform(AUTOSTACK_RELEASES_KEPT="2") as up:
        yield up


@pytest.fixture(scope="module")
def git(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitServer]:
    with GitServer(tmp_path_factory.mktemp("git")) as server:
        yield server


def test_old_builds_leave_the_disk_and_the_one_before_can_be_brought_back(
    local: Platform, git: GitServer, tmp_path: Path
) -> None:
    user = User.register(local)
    git.create("site", PAGE)
    project = user.create_project("site", git.url("site"))["id"]
    made: list[Any] = []
    for version in range(4):
        git.commit("site", {"index.html": f"version {version}\n"})
        made.append(user.deploy(project))
        user.wait(made[-1]["id"], settled=True)

    wait_for(local.home.artifacts, {made[2]["id"], made[3]["id"]})

    refused = user.command("rollback", "--project", "site", "--to", "1", cwd=tmp_path)
    assert refused.returncode == 1
    assert "Release 1 was removed" in refused.stderr
    assert "Kept are: 4, 3" in refused.stderr
    back = user.command("rollback", "--project", "site", cwd=tmp_path)
    assert back.returncode == 0, back.stderr
    assert request("GET", f"http://{made[-1]['url']}/").body == b"version 2\n"
    shown = user.command("disk", cwd=tmp_path)
    assert "are free; nothing new is built below" in shown.stdout


def wait_for(folder: Path, wanted: set[str]) -> None:
    end = time.monotonic() + 60
    while (found := {path.name for path in folder.iterdir()}) != wanted:
        assert time.monotonic() < end, found
        time.sleep(0.5)
