"""The user's journey by HTTP only, as any program would make it."""

import time
from pathlib import Path

from tests.e2e.repositories import publish
from tests.gitserver import GitServer
from tests.platform import Platform, request


def test_a_stranger_gets_from_a_git_url_to_a_working_url(
    local: Platform, git: GitServer, examples: Path
) -> None:
    account = {"email": "journey@example.com", "password": "testpassword123"}
    assert request("POST", f"{local.api}/auth/register", body=account).status == 200
    signed_in = request("POST", f"{local.api}/auth/login", body=account)
    headers = {"Authorization": f"Bearer {signed_in.json()['access_token']}"}
    repository = publish(git, "journey", examples / "flask")

    made = request(
        "POST",
        f"{local.api}/projects",
        body={"name": "journey", "description": "a test", "repo_url": repository},
        headers=headers,
    )
    assert made.status == 200
    asked = request(
        "POST",
        f"{local.api}/deployments",
        body={"project_id": made.json()["id"], "branch": "main"},
        headers=headers,
    )
    assert asked.status == 200
    assert asked.json()["status"] == "pending"

    found = asked
    for _ in range(30):
        found = request("GET", f"{local.api}/deployments/{asked.json()['id']}", headers=headers)
        if found.json()["status"] in {"success", "failed"}:
            break
        time.sleep(2)
    assert found.json()["status"] == "success", found.json()["error_message"]

    answer = request("GET", f"http://{found.json()['url']}/health")
    assert answer.status == 200
