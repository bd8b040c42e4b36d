"""Variables, and what can happen to a release: rollback, stop, scale, removal."""

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from autostack.core import host as hosts
from tests.e2e.apps import tells
from tests.gitserver import GitServer
from tests.platform import Platform, User, request, until

SECRET = "s3cret-value-that-is-in-no-log"


def production(user: User, project: str) -> str:
    found = user.call("GET", f"/projects/{project}/environments")["items"]
    return str(next(one["id"] for one in found if one["name"] == "production"))


def set_variable(user: User, project: str, name: str, value: str) -> None:
    path = f"/projects/{project}/environments/production/variables/{name}"
    user.call("PUT", path, {"value": value})


def act(user: User, environment: str, verb: str, body: object = None) -> Any:  # noqa: ANN401
    method = "PUT" if verb == "scale" else "POST"
    made = user.call(method, f"/environments/{environment}/{verb}", body)
    found = user.wait((made.get("deployment") or made)["id"])
    assert found["status"] == "success", found["error_message"]
    return found


def says(deployment: Any) -> tuple[int, str]:  # noqa: ANN401 - JSON
    reply = request("GET", f"http://{deployment['url']}/")
    return reply.status, reply.body.decode().strip()


def test_a_variable_reaches_the_app_and_no_log(user: User, git: GitServer) -> None:
    files = tells("v1", "API_SECRET")
    noisy = files["app.py"] + "\n"
    git.create("variable", {**files, "app.py": noisy.replace('"started"', "SAID")})
    project = user.create_project("variable", git.url("variable"))["id"]
    set_variable(user, project, "API_SECRET", SECRET)

    found = user.deploy(project)

    assert says(found) == (200, f"v1 {SECRET}")
    assert SECRET not in user.log(found["id"])
    listed = user.call("GET", f"/projects/{project}/environments/production/variables")
    assert [one["name"] for one in listed["items"]] == ["API_SECRET"]
    assert SECRET not in str(listed)


def test_an_unset_variable_is_named_with_its_line(user: User, git: GitServer) -> None:
    git.create("unset", tells("v1", "STRIPE_KEY"))
    project = user.create_project("unset", git.url("unset"))["id"]

    found = user.wait(user.request_deployment(project)["id"])

    assert found["status"] == "failed"
    assert found["diagnosis"]["code"] == "unset_variable"
    assert "STRIPE_KEY" in found["diagnosis"]["summary"]
    assert "STRIPE_KEY" in found["diagnosis"]["todo"]


def test_a_rollback_brings_back_the_build_and_its_configuration(user: User, git: GitServer) -> None:
    git.create("rollback", tells("v1", "A"))
    project = user.create_project("rollback", git.url("rollback"))["id"]
    for version, value in (("v1", "1"), ("v2", "2")):
        git.commit("rollback", tells(version, "A"))
        set_variable(user, project, "A", value)
        found = user.deploy(project)
        assert says(found) == (200, f"{version} {value}")

    back = act(user, production(user, project), "rollback", {})
    assert says(back) == (200, "v1 1")

    forward = user.deploy(project)
    assert says(forward) == (200, "v2 2")


def test_an_app_is_stopped_started_scaled_and_restarted(user: User, git: GitServer) -> None:
    git.create("verbs", tells("v1"))
    project = user.create_project("verbs", git.url("verbs"))["id"]
    first = user.deploy(project)
    environment = production(user, project)

    def running() -> set[str]:
        found = user.call("GET", f"/environments/{environment}/instances")["items"]
        return {one["id"] for one in found if one["state"] == "running"}

    act(user, environment, "stop")
    assert says(first)[0] == 503
    until(lambda: running() == set())

    act(user, environment, "start")
    assert says(first) == (200, "v1")

    act(user, environment, "scale", {"processes": {"web": 2}})
    until(lambda: len(running()) == 2)
    before = running()
    assert says(first) == (200, "v1")

    act(user, environment, "restart")
    until(lambda: len(running()) == 2 and running().isdisjoint(before), limit=60)
    assert says(first) == (200, "v1")


@pytest.fixture
def doomed(user: User, git: GitServer) -> tuple[str, Any]:
    """A project with two releases, two instances and an upload, built and serving."""
    git.create("doomed", tells("v1", "A"))
    project = user.create_project("doomed", git.url("doomed"))["id"]
    set_variable(user, project, "A", SECRET)
    user.deploy(project)
    git.commit("doomed", tells("v2", "A"))
    return project, user.deploy(project)


def of_project(home: Path, names: set[str]) -> list[str]:
    """Everything below the platform's directory that is named after one of these."""
    found: list[str] = []
    for folder, folders, files in os.walk(home):
        # The database, shared tools, and the memory of routes that are gone for good.
        folders[:] = [name for name in folders if name not in {"postgres", "toolchains", "removed"}]
        found += [f"{folder}/{one}" for one in (*folders, *files) if any(n in one for n in names)]
    return found


def family(instances: Sequence[Mapping[str, str]]) -> list[psutil.Process]:
    """Every process of these instances, by the cgroups the kernel has them in."""
    found: list[psutil.Process] = []
    for one in psutil.process_iter():
        with suppress(OSError, psutil.Error):
            groups = Path(f"/proc/{one.pid}/cgroup").read_text()
            if any(instance["id"] in groups for instance in instances):
                found.append(one)
    return found


def links(local: Platform) -> list[Path]:
    """The instances' ends of the platform's bridge."""
    host = hosts.load(local.home)
    assert host is not None
    assert host.bridge is not None
    return list(Path(f"/sys/class/net/{host.bridge}/brif").iterdir())


@pytest.mark.attack("Z19")
@pytest.mark.needs("root")
def test_a_removed_project_leaves_nothing_behind(
    local: Platform, user: User, doomed: tuple[str, Any]
) -> None:
    project, serving = doomed
    environment = production(user, project)
    instances = user.call("GET", f"/environments/{environment}/instances")["items"]
    deployments = user.call("GET", f"/deployments?project_id={project}")["items"]
    before = of_project(local.root, {project, environment, *(one["id"] for one in instances)})
    assert len(before) > 5
    artifacts = set(local.home.artifacts.iterdir())
    processes, wires = family(instances), links(local)
    assert processes

    user.call("DELETE", f"/projects/{project}")

    names = {project, environment}
    names |= {one["id"] for one in (*instances, *deployments)}
    try:
        until(lambda: of_project(local.root, names) == [], limit=30)
    except AssertionError:
        raise AssertionError(of_project(local.root, names)) from None
    assert says(serving)[0] == 404
    until(lambda: not [one for one in processes if one.is_running()])
    assert len(links(local)) < len(wires)
    assert len(set(local.home.artifacts.iterdir())) < len(artifacts)
    assert f"/{project}" not in str(user.call("GET", "/projects"))
