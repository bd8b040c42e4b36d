"""Variables of a build: whose word counts."""

from collections.abc import Mapping
from pathlib import Path
from uuid import UUID

import pytest

from autostack.drivers.builders import inside
from autostack.engine.plan import Family, Plan
from autostack.engine.ports import BuildSpec
from autostack.engine.release import Checkout, Limits


def spec(env: Mapping[str, str]) -> BuildSpec:
    return BuildSpec(
        id=UUID(int=1),
        project_id=UUID(int=2),
        checkout=Checkout(tree=Path("/nowhere"), sha="a" * 40),
        plan=Plan(family=Family.PYTHON),
        env=env,
        uid=1000,
        limits=Limits(),
    )


@pytest.fixture(autouse=True)
def nothing_given(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("UV_SYSTEM_CERTS", "NODE_USE_SYSTEM_CA"):
        monkeypatch.delenv(name, raising=False)


def test_builds_trust_the_authorities_of_the_machine() -> None:
    found = inside.environment(spec({}), ())

    assert (found["UV_SYSTEM_CERTS"], found["NODE_USE_SYSTEM_CA"]) == ("true", "1")


def test_the_platforms_and_the_users_own_word_counts_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UV_SYSTEM_CERTS", "false")

    assert inside.environment(spec({}), ())["UV_SYSTEM_CERTS"] == "false"
    assert inside.environment(spec({"NODE_USE_SYSTEM_CA": "0"}), ())["NODE_USE_SYSTEM_CA"] == "0"


@pytest.mark.attack("B05")
def test_home_is_ours_to_decide() -> None:
    assert inside.environment(spec({"HOME": "/root"}), ())["HOME"] == "/cache/home"
