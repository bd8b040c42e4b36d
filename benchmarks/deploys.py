"""Deployments as a user feels them: request sent → first 200 of the new version."""

import time
from pathlib import Path

from benchmarks.floors import ByHand
from benchmarks.series import Section, Series
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


def section(user: User, git: GitServer, folder: Path, by_hand: ByHand, *, runs: int) -> Section:
    """By hand, a new project, and a change of its source, in turn: a slow moment of the machine
    meets all three. The first round fills the caches of both and does not count.
    """
    floor: list[float] = []
    cold: list[float] = []
    warm: list[float] = []
    for run in range(runs + 1):
        name = f"bench-{run}"
        git.create(name, version(folder, 1))
        floor.append(by_hand.deploy(git.url(name)))
        project = user.create_project(name, git.url(name))["id"]
        cold.append(_timed(user, project, "v1"))
        git.commit(name, version(folder, 2), "a change")
        warm.append(_timed(user, project, "v2"))
        user.call("DELETE", f"/projects/{project}")
    by = Series(name="Flask by hand (floor)", unit="s", values=tuple(floor[1:]))
    first = Series(name="Flask, first deployment", unit="s", values=tuple(cold[1:]), goal=2)
    change = Series(name="Flask, source change", unit="s", values=tuple(warm[1:]), goal=1)
    return Section(title="Deployments", rows=[(by, None), (first, by), (change, by)])
