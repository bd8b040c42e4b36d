"""Deployments as a user feels them: request sent → first 200 of the new version."""

import time
from pathlib import Path

from benchmarks.series import Series
from tests.e2e.repositories import files
from tests.gitserver import GitServer
from tests.platform import User, request


def version(folder: Path, number: int) -> dict[str, str]:
    """The Flask example, saying another version."""
    found = files(folder)
    found["VERSION"] = f"v{number}\n"
    return found


def _timed(user: User, project: str, wanted: str) -> float:
    began = time.monotonic()
    asked = user.request_deployment(project)
    found = user.wait(asked["id"])
    assert found["status"] == "success", found["error_message"]
    answer = request("GET", f"http://{found['url']}/")
    assert wanted in answer.body.decode(), (wanted, answer.body)
    return time.monotonic() - began


def flask(user: User, git: GitServer, folder: Path, *, runs: int) -> tuple[Series, Series]:
    """(first deployment of a new project, source-only change of an existing one)."""
    cold: list[float] = []
    warm: list[float] = []
    for run in range(runs):
        name = f"bench-{run}"
        git.create(name, version(folder, 1))
        project = user.create_project(name, git.url(name))["id"]
        cold.append(_timed(user, project, "v1"))
        git.commit(name, version(folder, 2), "a change")
        warm.append(_timed(user, project, "v2"))
    return (
        Series(name="Flask, first deployment", unit="s", values=tuple(cold), goal=2),
        Series(name="Flask, source change", unit="s", values=tuple(warm), goal=1),
    )
