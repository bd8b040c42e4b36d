"""What the dashboard is built from holds on every machine."""

import importlib.util
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tools import lock

ROOT = Path(__file__).parents[2]


@pytest.fixture
def packages() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(lock.LOCK.read_text(encoding="utf-8"))["packages"]
    return found


@pytest.fixture
def build() -> ModuleType:
    spec = importlib.util.spec_from_file_location("build", ROOT / "dashboard/build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_lock_names_no_registry(packages: dict[str, Any]) -> None:
    assert [name for name, one in packages.items() if "resolved" in one] == []


def test_the_lock_knows_the_packages_of_every_system(packages: dict[str, Any]) -> None:
    assert [name for name, _, _ in lock.absent(packages)] == []


def test_a_package_that_is_absent_gets_a_stub_that_fits_its_system_only() -> None:
    wanted = {"@x/code-darwin-arm64": "^1.2.3"}

    stubs = dict(lock.stubs({"node_modules/x": {"optionalDependencies": wanted, "dev": True}}))

    assert stubs == {
        "node_modules/@x/code-darwin-arm64": {
            "version": "1.2.3",
            "optional": True,
            "os": ["darwin"],
            "cpu": ["arm64"],
            "dev": True,
        }
    }


@pytest.mark.attack("C01")
def test_every_package_that_is_downloaded_is_known_by_its_digest(
    packages: dict[str, Any],
) -> None:
    lacking = {
        name for name, one in packages.items() if "integrity" not in one and "inBundle" not in one
    }

    assert lacking <= {"", *(name for name in lacking if packages[name].get("optional"))}


def test_what_is_built_is_known_by_its_source(build: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "src/page.tsx").write_text("1")
    first = build.digest(tmp_path)
    (tmp_path / "src/page.test.ts").write_text("a test")
    (tmp_path / "README.md").write_text("words")
    same = build.digest(tmp_path)
    (tmp_path / "src/page.tsx").write_text("2")

    assert first == same != build.digest(tmp_path)


@pytest.mark.parametrize(
    ("said", "new"), [("v20.20.2", True), ("v20.8.1", False), ("v18.19.0", False), ("", False)]
)
def test_an_old_node_is_not_used(
    build: ModuleType, tmp_path: Path, said: str, *, new: bool
) -> None:
    node = tmp_path / "node"
    node.write_text(f"#!/bin/sh\necho {said}\n")
    node.chmod(0o755)

    assert build.is_new(str(node)) is new
