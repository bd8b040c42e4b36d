"""kill -9 of the worker while deployments wait for a build."""

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gitserver import GitServer
from tests.platform import Platform, User, platform

SITE = {"index.html": "here\n", "autostack.yaml": "build: sleep 4\npublish: .\n"}


@pytest.fixture
def local() -> Iterator[Platform]:
    with platform(AUTOSTACK_BUILD_SLOTS="1") as up:
        yield up


@pytest.fixture
def git(tmp_path: Path) -> Iterator[GitServer]:
    with GitServer(tmp_path) as server:
        yield server


def worker(local: Platform) -> int | None:
    parts = json.loads(local.run("status", "--json").stdout)["parts"]
    return next((part["pid"] for part in parts if part["name"] == "worker"), None)


def queue(user: User, deployment: str) -> dict[str, int] | None:
    found: dict[str, int] | None = user.call("GET", f"/deployments/{deployment}")["queue"]
    return found


def until_it_waits_at(user: User, deployment: str, position: int) -> None:
    end = time.monotonic() + 30
    while (found := queue(user, deployment)) is None or found["position"] != position:
        assert time.monotonic() < end, found
        time.sleep(0.1)


@pytest.mark.alone
def test_who_waits_for_a_build_keeps_the_place_when_the_worker_is_killed(
    local: Platform, git: GitServer
) -> None:
    user = User.register(local)
    projects: list[str] = []
    for number in range(4):
        git.create(f"site{number}", SITE)
        projects.append(user.create_project(f"site{number}", git.url(f"site{number}"))["id"])
    asked: list[str] = []
    for project in projects:
        asked.append(user.request_deployment(project)["id"])
        if len(asked) > 1:
            until_it_waits_at(user, asked[-1], len(asked) - 1)
    canceled = asked.pop(2)
    user.call("POST", f"/deployments/{canceled}/cancel")
    victim = worker(local)
    assert victim is not None

    os.kill(victim, signal.SIGKILL)

    found = [user.wait(one) for one in asked]
    assert [one["status"] for one in found] == ["success"] * 3
    assert [one["started_at"] for one in found] == sorted(one["started_at"] for one in found)
    assert user.call("GET", f"/deployments/{canceled}")["status"] == "canceled"
    ends = [next(s["ended_at"] for s in one["steps"] if s["name"] == "build") for one in found]
    begins = [next(s["started_at"] for s in one["steps"] if s["name"] == "build") for one in found]
    assert all(end <= begin for end, begin in zip(ends, begins[1:], strict=False))
    assert "Waiting: 1 build runs, 0 ahead of this one." in user.log(asked[1])
