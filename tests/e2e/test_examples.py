"""Every example is deployed as it is; expect.json says what its address answers."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.repositories import publish
from tests.gitserver import GitServer
from tests.platform import User, request

SLOW = {"nextjs"}
EXAMPLES = [
    pytest.param(found, id=found.parent.name, marks=pytest.mark.slow if name in SLOW else ())
    for found in sorted((Path(__file__).parents[2] / "examples").glob("*/expect.json"))
    if (name := found.parent.name)
]


@pytest.mark.parametrize("expect", EXAMPLES)
def test_an_example_is_live_after_one_deployment(expect: Path, user: User, git: GitServer) -> None:
    wanted: dict[str, Any] = json.loads(expect.read_text())
    name = f"example-{expect.parent.name}"
    project = user.create_project(name, publish(git, name, expect.parent))

    url = f"http://{user.deploy(project['id'], limit=300)['url']}"

    start = request("GET", f"{url}/")
    assert start.status == 200
    assert wanted["says"] in start.body.decode()
    if "check_path" in wanted:
        assert request("GET", url + wanted["check_path"]).status == 200
