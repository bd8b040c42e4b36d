"""Why a repository could not be fetched: different causes, different words."""

import os
from typing import Any

import pytest

from tests.e2e.apps import tells
from tests.e2e.conftest import SOURCE_LIMIT_MB
from tests.gitserver import GitServer
from tests.platform import User, free_ports, request


def failed(user: User, name: str, url: str, **fields: str) -> Any:  # noqa: ANN401 - JSON
    project = user.create_project(name, url)
    found = user.wait(user.request_deployment(project["id"], **fields)["id"])
    assert found["status"] == "failed"
    assert found["diagnosis"]["summary"] in found["error_message"]
    user.call("DELETE", f"/projects/{project['id']}")
    return found


def planned(user: User, url: str, **fields: str) -> tuple[int, Any]:
    """The answer to a plan of the same repository."""
    reply = request(
        "POST",
        f"{user.platform.api}/projects/plan",
        body={"repo_url": url, **fields},
        headers={"Authorization": f"Bearer {user.token}"},
        timeout=90,
    )
    return reply.status, reply.json()


def test_an_unknown_branch_names_the_known_ones(user: User, git: GitServer) -> None:
    git.create("branches", tells("v1"))
    git.commit("branches", tells("v2"), branch="develop")

    found = failed(user, "branches", git.url("branches"), branch="devlop")
    status, plan = planned(user, git.url("branches"), branch="devlop")

    assert "no branch, tag or commit 'devlop'" in found["error_message"]
    assert "develop" in found["diagnosis"]["todo"]
    assert (status, plan["code"]) == (422, "branch_not_found")
    assert plan["detail"] == found["error_message"]


def test_a_repository_that_is_not_there_may_be_private(user: User, git: GitServer) -> None:
    found = failed(user, "nowhere", git.url("nowhere"))
    status, plan = planned(user, git.url("nowhere"))

    assert "does not exist or does not let us in" in found["error_message"]
    assert "deploy key" in found["diagnosis"]["todo"]
    assert (status, plan["code"]) == (422, "repository_denied")


def test_an_empty_repository_is_called_empty(user: User, git: GitServer) -> None:
    git.create("empty")

    found = failed(user, "empty", git.url("empty"))
    status, plan = planned(user, git.url("empty"))

    assert "has no commits yet" in found["error_message"]
    assert "Push" in found["diagnosis"]["todo"]
    assert (status, plan["code"]) == (422, "repository_empty")


def test_a_host_that_does_not_answer_is_named(user: User) -> None:
    url = f"http://127.0.0.1:{free_ports(1)[0]}/ada/shop.git"

    found = failed(user, "unreachable", url)
    status, plan = planned(user, url)

    assert "Could not reach 127.0.0.1: nothing answers there" in found["error_message"]
    assert (status, plan["code"]) == (422, "repository_unreachable")


@pytest.mark.attack("G34")
def test_a_repository_that_is_too_large_says_the_limit(user: User, git: GitServer) -> None:
    git.create("large", {**tells("v1"), "blob": os.urandom((SOURCE_LIMIT_MB + 8) << 20)})

    found = failed(user, "large", git.url("large"))

    assert f"larger than {SOURCE_LIMIT_MB} MB" in found["error_message"]
    assert "AUTOSTACK_SOURCE_LIMIT_MB" in found["diagnosis"]["todo"]


@pytest.mark.parametrize(
    ("name", "url"),
    [("metadata", "http://169.254.169.254/latest/x.git"), ("inside", "http://10.0.0.1/x.git")],
)
def test_an_address_inside_the_network_is_not_asked(user: User, name: str, url: str) -> None:
    found = failed(user, name, url)

    assert "not allowed" in found["error_message"]
