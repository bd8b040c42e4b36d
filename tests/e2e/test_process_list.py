"""The process list proves what the documentation says about privileges."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.e2e.processes import Seen, below
from tests.e2e.repositories import publish
from tests.gitserver import GitServer
from tests.platform import Platform, User

pytestmark = pytest.mark.needs("root")


def platform_processes(local: Platform) -> Sequence[Seen]:
    pid = int((local.home.run / "supervisord.pid").read_text())
    return below(pid)


def test_api_edge_and_logs_run_without_root_and_without_capabilities(local: Platform) -> None:
    seen = platform_processes(local)
    status = json.loads(local.run("status", "--json").stdout)
    named = {part["name"]: part["pid"] for part in status["parts"]}

    for name in ("api", "edge", "logs"):
        process = next(one for one in seen if one.pid == named[name])
        assert process.uid != 0, process
        assert process.capabilities == 0, process
        assert process.no_new_privileges, process


@pytest.mark.attack("I07")
def test_apps_have_uids_of_their_own(
    local: Platform, user: User, git: GitServer, examples: Path
) -> None:
    for name in ("uid-one", "uid-two"):
        project = user.create_project(name, publish(git, name, examples / "flask"))
        user.deploy(project["id"])

    apps = [one for one in platform_processes(local) if one.uid >= 1_900_000_000]

    assert len({one.uid for one in apps}) >= 2
    assert all(one.capabilities == 0 for one in apps)
    assert all(one.no_new_privileges for one in apps)
    assert all(one.seccomp == 2 for one in apps if "bwrap" not in one.command)
