"""When installed packages may be used again."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from autostack.drivers.builders import layers, registries
from autostack.drivers.builders.toolchains import Tool
from autostack.engine.plan import BuildStep

STEP = BuildStep(title="Install", command=("uv", "pip"), inputs=("requirements.txt",))
TOOL = Tool(name="python", version="3.11.7", program=Path("/usr/bin/python3.11"))


def key(
    tree: Path, *, step: BuildStep = STEP, tool: Tool = TOOL, env: Mapping[str, str] | None = None
) -> str:
    return layers.key((step,), tree, (tool,), env or {})


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "requirements.txt").write_text("flask\n")
    return tmp_path


def test_a_change_of_source_alone_keeps_the_key(tree: Path) -> None:
    before = key(tree)
    (tree / "app.py").write_text("x")

    assert key(tree, env={"DATABASE_URL": "x"}) == before


def test_everything_an_install_depends_on_changes_the_key(tree: Path) -> None:
    changed = {
        key(tree),
        key(tree, step=replace(STEP, command=("uv", "sync"))),
        key(tree, step=replace(STEP, env={"NODE_ENV": "production"})),
        key(tree, tool=replace(TOOL, version="3.12.1")),
        key(tree, env={"PIP_INDEX_URL": "https://other.test"}),
    }
    (tree / "requirements.txt").write_text("flask==3\n")
    changed.add(key(tree))
    (tree / "requirements.txt").unlink()
    changed.add(key(tree))

    assert len(changed) == 7


def test_steps_are_kept_up_to_the_first_that_needs_the_tree() -> None:
    build = BuildStep(title="Build", command=("make",))

    assert layers.split((STEP, build, STEP)) == ((STEP,), (build, STEP))


def test_the_oldest_layers_go_first(tmp_path: Path) -> None:
    kept = layers.Layers(tmp_path)
    for number in range(layers.KEPT + 2):
        (tmp_path / f"{number}").mkdir()
        assert kept.find(str(number))
    kept.find("0")

    kept.prune()

    assert {path.name for path in tmp_path.iterdir()} == {"0", "3", "4", "5", "6"}


def test_builds_get_registry_settings_and_nothing_else() -> None:
    ours = {
        "https_proxy": "http://p",
        "PIP_INDEX_URL": "x",
        "AUTOSTACK_SECRET_KEY": "s",
        "PATH": "y",
    }

    assert registries.environment(ours) == {"https_proxy": "http://p", "PIP_INDEX_URL": "x"}
