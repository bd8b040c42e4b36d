"""What applications of other makers taught, as small trees of our own."""

import json
from pathlib import Path

import pytest

from tests.unit.engine.detect.trees import plan_of


def test_a_start_script_that_needs_development_packages_gives_way_to_one_for_production(
    tmp_path: Path,
) -> None:
    package = {
        "scripts": {"build": "nest build", "start": "nest start", "start:prod": "node dist/main"},
        "dependencies": {"@nestjs/core": "^11"},
        "devDependencies": {"@nestjs/cli": "^11"},
    }

    plan = plan_of(tmp_path, {"package.json": json.dumps(package), "package-lock.json": "{}"})

    assert plan.web is not None
    assert plan.web.command == ("node", "dist/main")


def test_removing_development_packages_runs_no_scripts(tmp_path: Path) -> None:
    """A `prepare` script calls what has just been removed."""
    package = {
        "scripts": {"prepare": "husky", "build": "tsc", "start": "node dist/app.js"},
        "devDependencies": {"husky": "^9", "typescript": "^5"},
    }

    plan = plan_of(tmp_path, {"package.json": json.dumps(package), "package-lock.json": "{}"})

    prunes = [step.command for step in plan.build if "prune" in step.command]
    assert prunes
    assert all("--ignore-scripts" in command for command in prunes)


def test_removing_development_packages_asks_no_registry(tmp_path: Path) -> None:
    """The step has no network; npm would try each package that a lock file leaves open again and
    again.
    """
    package = {
        "scripts": {"build": "tsc", "start": "node dist/app.js"},
        "devDependencies": {"typescript": "^5"},
    }

    plan = plan_of(tmp_path, {"package.json": json.dumps(package)})

    (prune,) = (step for step in plan.build if "prune" in step.command)
    assert not prune.network
    assert "--offline" in prune.command


def test_an_old_server_gets_the_setuptools_it_relied_on(tmp_path: Path) -> None:
    app = "from flask import Flask\napp = Flask(__name__)\n"

    old = plan_of(tmp_path / "a", {"app.py": app, "requirements.txt": "flask\ngunicorn==19.9.0\n"})
    new = plan_of(tmp_path / "b", {"app.py": app, "requirements.txt": "flask\ngunicorn==23.0.0\n"})

    assert any("setuptools<81" in step.command for step in old.build)
    assert not any("setuptools<81" in step.command for step in new.build)


@pytest.mark.parametrize(
    ("required", "beside"),
    [
        ("Flask==1.1.2\nWerkzeug==1.0.1\n", ("jinja2<3.1", "itsdangerous<2.1")),
        ("flask~=2.1\n", ("werkzeug<3",)),
        ("flask==1.0\njinja2==2.11.3\nitsdangerous\nwerkzeug<1\n", ("markupsafe<2.1",)),
        ("flask==3.0.0\n", ()),
        ("flask>=1\n", ()),
    ],
)
def test_an_old_flask_gets_what_it_can_bear(
    tmp_path: Path, required: str, beside: tuple[str, ...]
) -> None:
    app = "from flask import Flask\napp = Flask(__name__)\n"

    plan = plan_of(tmp_path, {"app.py": app, "requirements.txt": f"{required}gunicorn==23.0.0\n"})

    assert plan.build[0].command == (
        *("uv", "pip", "install", "--requirement", "requirements.txt"),
        *beside,
    )


def test_a_script_that_serves_is_told_once(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, {"main.py": "import http.server\n", "requirements.txt": "six\n"})

    assert [one.why for one in plan.decisions if one.subject == "start"] == ["it starts a server"]


def test_an_application_made_by_a_function_of_another_module_is_found(tmp_path: Path) -> None:
    files = {
        "shop/main.py": "from shop.setup import get_application\napp = get_application()\n",
        "shop/setup.py": (
            "from fastapi import FastAPI\n\n\n"
            "def get_application() -> FastAPI:\n    made = FastAPI()\n    return made\n"
        ),
        "shop/__init__.py": "",
        "requirements.txt": "fastapi\nuvicorn\n",
    }

    plan = plan_of(tmp_path, files)

    assert plan.framework == "FastAPI"
    assert plan.web is not None
    assert any("shop.main:app" in word for word in plan.web.command)
