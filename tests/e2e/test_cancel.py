"""A canceled deployment is over within two seconds, with everything it started."""

import time

import psutil

from tests.e2e.apps import slow_build
from tests.gitserver import GitServer
from tests.platform import User, until


def sleepers(seconds: int) -> list[int]:
    wanted = ["sleep", str(seconds)]
    return [one.pid for one in psutil.process_iter(["cmdline"]) if one.info["cmdline"] == wanted]


def test_a_canceled_build_leaves_no_process_behind(user: User, git: GitServer) -> None:
    git.create("cancel", slow_build(7431))
    project = user.create_project("cancel", git.url("cancel"))
    asked = user.request_deployment(project["id"])
    until(lambda: len(sleepers(7431)) == 2)

    began = time.monotonic()
    user.call("POST", f"/deployments/{asked['id']}/cancel")
    found = user.wait(asked["id"])
    took = time.monotonic() - began

    assert found["status"] == "canceled"
    assert sleepers(7431) == []
    assert took < 10, "two seconds are promised; five-fold slack for a busy machine"
