"""From a push at the forge to the new version at the app's address."""

import hmac
import json
import time
import urllib.request
from typing import Any
from uuid import uuid4

from tests.e2e.apps import tells
from tests.gitserver import GitServer
from tests.platform import User


def deliver(made: Any, payload: object) -> tuple[int, Any, float]:  # noqa: ANN401 - JSON
    """As GitHub does it: the status, the answer, and how many seconds it took."""
    body = json.dumps(payload).encode()
    signature = hmac.digest(made["secret"].encode(), body, "sha256").hex()
    headers = {
        "Content-Type": "application/json",
        "X-GitHub-Event": "push",
        "X-GitHub-Delivery": str(uuid4()),
        "X-Hub-Signature-256": f"sha256={signature}",
    }
    asked = urllib.request.Request(made["url"], body, headers)  # noqa: S310 - our own address
    begun = time.perf_counter()
    with urllib.request.urlopen(asked, timeout=30) as answer:  # noqa: S310
        return answer.status, json.load(answer), time.perf_counter() - begun


def test_a_push_brings_the_new_version_out(user: User, git: GitServer) -> None:
    git.create("pushed", tells("v1"))
    project = user.create_project("pushed", git.url("pushed"))["id"]
    user.deploy(project)
    made = user.call("POST", f"/projects/{project}/hooks", {"provider": "github"})
    git.commit("pushed", tells("v2"), "second version")
    repository = {
        "full_name": "ada/pushed",
        "clone_url": git.url("pushed"),
        "default_branch": "main",
    }
    payload = {"ref": "refs/heads/main", "after": "5f" * 20, "repository": repository}

    status, answer, _ = deliver(made, payload)
    deployed = user.wait(answer["deployment_id"])
    _, again, _ = deliver(made, payload)

    assert (status, answer["outcome"]) == (202, "deployed")
    assert (deployed["status"], deployed["commit_message"]) == ("success", "second version")
    assert (again["outcome"], again["deployment_id"]) == ("duplicate", answer["deployment_id"])
    times = [deliver(made, {**payload, "ref": "refs/heads/x", "n": n})[2] for n in range(20)]
    assert sorted(times)[10] < 5 * 0.05
