"""The less usual ways a Python project says what it needs, and is served."""

from pathlib import Path

import pytest

from autostack.engine.plan import Plan
from tests.unit.engine.detect.trees import plan_of

FLASK = "from flask import Flask\napp = Flask(__name__)\n"


def installs(plan: Plan) -> list[str]:
    return [" ".join(step.command) for step in plan.build if step.title.startswith("Install")]


def test_a_pipfile_without_its_lock_is_installed(tmp_path: Path) -> None:
    pipfile = (
        '[packages]\nflask = "*"\ngunicorn = ">=20"\npsycopg = {extras = ["binary"], version = '
        '"==3.2"}\nshop = {git = "https://example.com/shop.git", ref = "main"}\n'
    )

    plan = plan_of(tmp_path, {"Pipfile": pipfile, "app.py": FLASK})

    wanted = "flask gunicorn>=20 psycopg[binary]==3.2 shop @ git+https://example.com/shop.git@main"
    assert installs(plan) == [f"uv pip install {wanted}"]
    assert plan.web is not None
    assert plan.web.command[0] == "gunicorn"


def test_a_pipfile_lock_is_installed_as_it_pins(tmp_path: Path) -> None:
    lock = (
        '{"default": {"flask": {"version": "==3.1.0", "hashes": []}, "colorama": {"version": '
        '"==0.4.6", "markers": "sys_platform == \'win32\'"}}, "develop": {"pytest": {}}}'
    )

    plan = plan_of(tmp_path, {"Pipfile": "", "Pipfile.lock": lock, "app.py": FLASK})

    wanted = "--no-deps flask==3.1.0 colorama==0.4.6 ; sys_platform == 'win32'"
    assert installs(plan) == [f"uv pip install {wanted}", "uv pip install gunicorn"]


def test_a_long_lock_file_is_read_to_its_end(tmp_path: Path) -> None:
    hashes = ",".join(f'"sha256:{number:064x}"' for number in range(10_000))
    lock = f'{{"default": {{"flask": {{"hashes": [{hashes}], "version": "==3.1.0"}}}}}}'

    plan = plan_of(tmp_path, {"Pipfile": "", "Pipfile.lock": lock, "app.py": FLASK})

    assert "flask==3.1.0" in plan.build[0].command


def test_all_members_of_a_workspace_are_installed(tmp_path: Path) -> None:
    """The top of one often is no project itself."""
    project = '[tool.uv.workspace]\nmembers = ["backend"]\n'

    plan = plan_of(tmp_path, {"pyproject.toml": project, "uv.lock": "", "backend/app.py": FLASK})

    assert "--all-packages" in plan.build[0].command


def test_setup_py_alone_is_enough(tmp_path: Path) -> None:
    setup = "from setuptools import setup\nsetup(name='shop', install_requires=['flask'])\n"

    plan = plan_of(tmp_path, {"setup.py": setup, "shop/__init__.py": FLASK})

    assert plan.framework == "Flask"
    assert installs(plan) == ["uv pip install . gunicorn"]


@pytest.mark.parametrize(
    ("file", "command"),
    [
        ("app/main.py", "uv pip install --requirement pyproject.toml"),
        ("my_shop/__init__.py", "uv pip install ."),
        ("src/my_shop/__init__.py", "uv pip install ."),
    ],
)
def test_a_project_is_built_as_a_package_only_where_it_is_one(
    tmp_path: Path, file: str, command: str
) -> None:
    project = (
        '[project]\nname = "my-shop"\nversion = "1"\ndependencies = ["flask", "gunicorn"]\n'
        '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
    )

    plan = plan_of(tmp_path, {"pyproject.toml": project, file: FLASK})

    assert installs(plan) == [command]


@pytest.mark.parametrize(
    ("code", "framework", "words"),
    [
        ("from sanic import Sanic\napp = Sanic('a')\n", "Sanic", "uvicorn app:app"),
        (
            "from aiohttp import web\napp = web.Application()\n",
            "aiohttp",
            "gunicorn --worker-class aiohttp.GunicornWebWorker app:app",
        ),
        ("from dash import Dash\napp = Dash()\n", "Dash", "app:app.server"),
        ("import dash\napp = dash.Dash()\nserver = app.server\n", "Dash", "app:app.server"),
        ("import chainlit as cl\n", "Chainlit", "chainlit run app.py"),
        ("import panel as pn\n", "Panel", "panel serve app.py"),
    ],
)
def test_frameworks_with_ways_of_their_own_are_served_on_the_port_that_is_given(
    tmp_path: Path, code: str, framework: str, words: str
) -> None:
    files = {"app.py": code, "requirements.txt": "sanic\naiohttp\ndash\n"}
    if framework in ("Chainlit", "Panel"):
        files["requirements.txt"] = framework.lower()

    plan = plan_of(tmp_path, files)

    assert plan.framework == framework
    assert plan.web is not None
    assert words in " ".join(plan.web.command)
