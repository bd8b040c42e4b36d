"""What a poetry.lock pins, read without Poetry."""

import tomllib
from pathlib import Path

import pytest

from autostack.engine.detect.poetry import locked
from autostack.engine.errors import PlanFileInvalid
from tests.unit.engine.detect.trees import plan_of

GROUPED = """
[[package]]
name = "flask"
version = "3.1.3"
optional = false
groups = ["main"]

[[package]]
name = "colorama"
version = "0.4.6"
groups = ["main", "dev"]
markers = {main = "sys_platform == 'win32'", dev = "x == 'y'"}

[[package]]
name = "pytest"
version = "8.0.0"
groups = ["dev"]

[[package]]
name = "psycopg"
version = "3.0"
optional = true
groups = ["main"]

[[package]]
name = "forked"
version = "1.0"
groups = ["main"]
[package.source]
type = "git"
url = "https://git.test/a/forked.git"
resolved_reference = "abc"
"""
OLD = """
[[package]]
name = "Uvicorn"
version = "0.30"
[package.dependencies]
click = ">=7"
colorama = {version = ">=0.4", optional = true, markers = "extra == 'standard'"}
httptools = {version = ">=0.5", optional = true, markers = "extra == 'standard'"}
[package.extras]
standard = ["colorama (>=0.4)", "httptools (>=0.5)"]

[[package]]
name = "click"
version = "8.0"
[package.dependencies]
colorama = {version = "*", markers = "platform_system == 'Windows'"}
click = "*"

[[package]]
name = "colorama"
version = "0.4.6"

[[package]]
name = "httptools"
version = "0.6"

[[package]]
name = "black"
version = "1.0"
"""


def asked(dependencies: str) -> dict[str, object]:
    return tomllib.loads(f"[tool.poetry.dependencies]\npython = '^3.11'\n{dependencies}")


def test_a_new_lock_file_names_groups_and_conditions() -> None:
    assert locked(GROUPED, {}).requirements == (
        "flask==3.1.3",
        "colorama==0.4.6 ; sys_platform == 'win32'",
        "forked @ git+https://git.test/a/forked.git@abc",
    )


def test_an_old_lock_file_is_walked_from_what_the_project_asks_for() -> None:
    plain = locked(OLD, asked("uvicorn = '*'")).requirements
    extra = locked(OLD, asked("uvicorn = {version = '*', extras = ['standard']}")).requirements

    assert plain == (
        "Uvicorn==0.30",
        "click==8.0",
        "colorama==0.4.6 ; (platform_system == 'Windows')",
    )
    assert extra == ("Uvicorn==0.30", "click==8.0", "colorama==0.4.6", "httptools==0.6")


def test_a_condition_of_a_parent_holds_for_its_children() -> None:
    found = locked(OLD, asked("click = {version = '*', markers = \"os_name == 'nt'\"}"))

    assert found.requirements == (
        "click==8.0 ; (os_name == 'nt')",
        "colorama==0.4.6 ; ((os_name == 'nt') and (platform_system == 'Windows'))",
    )


@pytest.mark.parametrize("name", ["--index-url", "a b", "../x", ""])
def test_a_name_that_is_no_name_never_reaches_a_command(name: str) -> None:
    text = f'[[package]]\nname = "{name}"\nversion = "1"\ngroups = ["main"]\n'

    assert locked(text, {}).requirements == ()


def test_a_lock_file_that_does_not_parse_is_named() -> None:
    with pytest.raises(PlanFileInvalid, match=r"poetry\.lock"):
        locked("[[package]\n", {})


def test_a_poetry_project_is_installed_by_what_its_lock_pins(tmp_path: Path) -> None:
    files = {
        "pyproject.toml": "[tool.poetry]\nname='x'\n[tool.poetry.dependencies]\nflask='*'\n",
        "poetry.lock": GROUPED,
        "app.py": "import flask\napp = flask.Flask('')\n",
    }

    plan = plan_of(tmp_path, files)

    assert plan.build[0].command[:5] == ("uv", "pip", "install", "--no-deps", "flask==3.1.3")
    assert plan.build[0].inputs == ("pyproject.toml", "poetry.lock")
    # What a server needs itself is not in the lock file.
    assert plan.build[1].command == ("uv", "pip", "install", "gunicorn")
