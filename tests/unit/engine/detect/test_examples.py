"""Each folder in examples/ says in expect.json what must be found in it."""

import json
from pathlib import Path
from typing import Any

import pytest

from autostack.engine.plan import Plan
from tests.unit.engine.detect.trees import plan_of

EXAMPLES = Path(__file__).parents[4] / "examples"
FOLDERS = sorted(file.parent for file in EXAMPLES.glob("*/expect.json"))


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_an_example_is_planned_as_it_expects(folder: Path) -> None:
    expected = json.loads((folder / "expect.json").read_text())

    plan = plan_of(folder)

    assert plan.family == expected["family"]
    assert plan.framework == expected["framework"]
    assert plan.publish == expected.get("publish")
    assert _words(plan) >= set(" ".join(expected.get("start", ())).split())
    assert _check(plan, expected)
    assert list(plan.release_command) == expected.get("release", [])
    if "processes" in expected:
        assert [process.name for process in plan.processes] == expected["processes"]


def test_there_are_examples() -> None:
    assert {"flask", "fastapi", "express", "static"} <= {folder.name for folder in FOLDERS}


def _words(plan: Plan) -> set[str]:
    return set(" ".join(plan.web.command).split()) if plan.web else set()


def _check(plan: Plan, expected: dict[str, Any]) -> bool:
    if plan.web is None or "check_path" not in expected:
        return True
    return plan.web.check is not None and plan.web.check.path == expected["check_path"]
