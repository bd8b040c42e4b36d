"""How Python projects are recognised, installed and started."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from autostack.engine.errors import FamilyUnavailable, NothingDetected
from autostack.engine.plan import Family, Overrides, Plan
from tests.unit.engine.detect.trees import plan_of

Files = Mapping[str, str]
FLASK = "from flask import Flask\n\napp = Flask(__name__)\n"
FACTORY = "from flask import Flask\ndef create_app():\n    return Flask('x')\n"
FASTAPI = "import fastapi\n\napi = fastapi.FastAPI()\n"


def start(plan: Plan) -> str:
    assert plan.web is not None
    return " ".join(plan.web.command)


def test_a_wsgi_app_gets_gunicorn_beside_its_packages(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, {"requirements.txt": "flask==3.1\n", "app.py": FLASK})

    assert plan.family is Family.PYTHON
    assert start(plan) == "gunicorn --threads 8 app:app"
    assert plan.build[0].command == (
        *("uv", "pip", "install", "--requirement", "requirements.txt"),
        "gunicorn",
    )
    assert plan.warnings == ()


def test_a_required_server_is_not_installed_twice(tmp_path: Path) -> None:
    files = {"requirements.txt": "fastapi==1\nuvicorn[standard]==1\n", "main.py": FASTAPI}

    plan = plan_of(tmp_path, files)

    assert "exec uvicorn main:api --host 0.0.0.0" in start(plan)
    assert plan.build[0].command[-1] == "requirements.txt"


def test_every_decision_about_the_app_names_the_line_that_made_it(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, {"requirements.txt": "flask\n", "app.py": FLASK})

    [framework] = [item for item in plan.decisions if item.subject == "framework"]

    assert framework.value == "Flask"
    assert framework.evidence is not None
    assert (framework.evidence.file, framework.evidence.line) == ("app.py", 3)
    assert framework.evidence.text == "app = Flask(__name__)"


@pytest.mark.parametrize(
    ("files", "command"),
    [
        (
            {"shop/__init__.py": FACTORY},
            "gunicorn --threads 8 shop:create_app()",
        ),
        (
            {
                "shop/__init__.py": FACTORY,
                "wsgi.py": "from shop import create_app\napp = create_app()\n",
            },
            "gunicorn --threads 8 wsgi:app",
        ),
        (
            {"src/shop/__init__.py": "", "src/shop/web.py": FLASK},
            "gunicorn --threads 8 --chdir src shop.web:app",
        ),
        (
            {"backend/main.py": "import db\n" + FLASK, "backend/db.py": ""},
            "--chdir backend main:app",
        ),
        ({"web/main.py": FLASK}, "gunicorn --threads 8 web.main:app"),
        (
            {"a.py": "try:\n  from flask import Flask as F\nexcept E: ...\nif 1:\n  x: F = F(1)\n"},
            "a:x",
        ),
        ({"tests/app.py": FLASK, "server.py": FLASK}, "server:app"),
    ],
)
def test_the_app_is_found_where_it_is(tmp_path: Path, files: dict[str, str], command: str) -> None:
    plan = plan_of(tmp_path, {"requirements.txt": "flask==3\n", **files})

    assert command in start(plan)


def test_a_factory_that_needs_arguments_is_not_called(tmp_path: Path) -> None:
    code = FACTORY.replace("()", "(config)") + "app = create_app(1)\n"

    plan = plan_of(tmp_path, {"requirements.txt": "flask\n", "app.py": code})

    assert start(plan).endswith("app:app")


def test_django_collects_its_files_and_is_never_migrated_unasked(tmp_path: Path) -> None:
    files = {
        "requirements.txt": "django==5\ngunicorn==23\n",
        "manage.py": "import os\n",
        "shop/__init__.py": "",
        "shop/wsgi.py": (
            "from django.core.wsgi import get_wsgi_application\n"
            "application = get_wsgi_application()\n"
        ),
        "shop/asgi.py": (
            "from django.core.asgi import get_asgi_application\n"
            "application = get_asgi_application()\n"
        ),
        "shop/settings.py": "ALLOWED_HOSTS = []\nSTATIC_ROOT = 'x'\n",
        "shop/migrations/__init__.py": "",
    }

    plan = plan_of(tmp_path, files)

    assert start(plan).endswith("shop.wsgi:application")
    assert plan.build[-1].command == ("python", "manage.py", "collectstatic", "--noinput")
    assert plan.release_command == ()
    assert [warning.split()[0] for warning in plan.warnings] == [
        "shop/settings.py:1:",
        "shop/settings.py:2:",
        "Migrations",
    ]


def django_with(settings: str, manage: str = "'DJANGO_SETTINGS_MODULE', 'shop.settings'") -> Files:
    return {
        "requirements.txt": "django==5\ngunicorn==23\n",
        "site/manage.py": f"import os\nos.environ.setdefault({manage})\n",
        "site/shop/__init__.py": "",
        "site/shop/wsgi.py": (
            "from django.core.wsgi import get_wsgi_application\n"
            "application = get_wsgi_application()\n"
        ),
        "site/shop/settings.py": settings,
    }


@pytest.mark.parametrize(
    "settings",
    [
        "ALLOWED_HOSTS = []\n",
        "import os\nALLOWED_HOSTS = os.environ.get('HOSTS', '').split(',')\n",
        "X = 1\nif X:\n    ALLOWED_HOSTS = ['*']\nelse:\n    ALLOWED_HOSTS = ['.localhost']\n",
    ],
)
def test_django_answers_for_the_addresses_it_is_given(tmp_path: Path, settings: str) -> None:
    plan = plan_of(tmp_path, django_with(f"{settings}KEPT = 1\n"))

    assert start(plan) == "gunicorn --threads 8 --chdir site shop.wsgi:application"
    *_, step = plan.build
    subprocess.run([sys.executable, *step.command[1:]], cwd=tmp_path, check=True)
    ask = "import autostack_settings as made; print(made.ALLOWED_HOSTS, made.KEPT)"
    told = subprocess.run(
        [sys.executable, "-c", ask], cwd=tmp_path / "site", capture_output=True, check=True
    )

    assert told.stdout == b"['*'] 1\n"
    assert plan.env["DJANGO_SETTINGS_MODULE"] == "autostack_settings"
    [decision] = [one for one in plan.decisions if one.subject == "hosts"]
    assert decision.evidence is not None
    assert decision.evidence.file == "site/shop/settings.py"
    assert not any("ALLOWED_HOSTS" in warning for warning in plan.warnings)


def test_static_files_that_nothing_serves_are_served(tmp_path: Path) -> None:
    settings = (
        "ALLOWED_HOSTS = ['*']\nINSTALLED_APPS = ['django.contrib.staticfiles']\n"
        "MIDDLEWARE = ['first', 'second']\n"
    )

    plan = plan_of(tmp_path, django_with(settings))

    *_, step = plan.build
    subprocess.run([sys.executable, *step.command[1:]], cwd=tmp_path, check=True)
    ask = "import autostack_settings as made; print(len(made.MIDDLEWARE), made.MIDDLEWARE[1])"
    told = subprocess.run(
        [sys.executable, "-c", ask], cwd=tmp_path / "site", capture_output=True, check=True
    )
    assert told.stdout == b"3 whitenoise.middleware.WhiteNoiseMiddleware\n"
    assert "whitenoise" in plan.build[0].command
    [decision] = [one for one in plan.decisions if one.subject == "static files"]
    assert decision.evidence is not None
    assert decision.evidence.line == 2


def test_requiring_whitenoise_without_using_it_serves_nothing(tmp_path: Path) -> None:
    settings = (
        "ALLOWED_HOSTS = ['*']\nINSTALLED_APPS = ['django.contrib.staticfiles']\n"
        "MIDDLEWARE = []\nSTATIC_ROOT = 'x'\n"
    )
    files = {**django_with(settings), "requirements.txt": "django==5\nwhitenoise==6\n"}

    plan = plan_of(tmp_path, files)

    assert plan.env["DJANGO_SETTINGS_MODULE"] == "autostack_settings"
    assert not any("static files" in warning for warning in plan.warnings)


def test_a_release_command_needs_no_reminder_of_migrations(tmp_path: Path) -> None:
    files = {**django_with("ALLOWED_HOSTS = ['*']\n"), "site/shop/migrations/__init__.py": ""}

    silent = plan_of(tmp_path / "a", files)
    release = {"Procfile": "release: python site/manage.py migrate\n"}
    told = plan_of(tmp_path / "b", files | release)

    assert any("Migrations" in warning for warning in silent.warnings)
    assert not any("Migrations" in warning for warning in told.warnings)


def test_static_files_that_the_project_serves_are_left_to_it(tmp_path: Path) -> None:
    settings = (
        "ALLOWED_HOSTS = ['*']\nINSTALLED_APPS = ['django.contrib.staticfiles']\n"
        "MIDDLEWARE = ['whitenoise.middleware.WhiteNoiseMiddleware']\n"
    )
    files = {**django_with(settings), "requirements.txt": "django==5\nwhitenoise==6\n"}

    plan = plan_of(tmp_path, files)

    assert "DJANGO_SETTINGS_MODULE" not in plan.env


def test_static_files_are_collected_only_where_there_is_always_a_place(tmp_path: Path) -> None:
    settings = "DEBUG = True\nif not DEBUG:\n    STATIC_ROOT = 'x'\n"

    plan = plan_of(tmp_path, django_with(settings))

    assert [step.title for step in plan.build] == ["Install packages"]


@pytest.mark.parametrize(
    "files",
    [
        django_with("ALLOWED_HOSTS = ['*']\n"),
        django_with("DEBUG = True\n"),
        django_with("ALLOWED_HOSTS = []\n", "'DJANGO_SETTINGS_MODULE', NAME"),
    ],
)
def test_django_settings_are_left_alone_where_they_need_nothing_or_are_unknown(
    tmp_path: Path, files: Files
) -> None:
    plan = plan_of(tmp_path, files)

    assert "DJANGO_SETTINGS_MODULE" not in plan.env


def test_an_app_in_a_folder_is_installed_from_the_requirements_beside_it(tmp_path: Path) -> None:
    files = {
        "README.md": "",
        "src/requirements.txt": "fastapi==1\n",
        "src/app/__init__.py": "",
        "src/app/main.py": f"from app.db import x\n{FASTAPI}",
        "src/app/db.py": "x = 1\n",
    }

    plan = plan_of(tmp_path, files)

    assert plan.build[0].command[:5] == (
        *("uv", "pip", "install", "--requirement"),
        "src/requirements.txt",
    )
    assert "uvicorn app.main:api" in start(plan)


@pytest.mark.parametrize(
    ("files", "command", "cached"),
    [
        ({"requirements.txt": "flask\n-r more.txt\n", "more.txt": "x==1"}, "uv pip install", True),
        ({"requirements.txt": "flask\n-e .\n"}, "uv pip install", False),
        ({"requirements.txt": "-r gone.txt\n"}, "uv pip install", False),
        (
            {"pyproject.toml": '[project]\nname="x"\ndependencies=["flask"]\n'},
            "pyproject.toml",
            True,
        ),
        ({"pyproject.toml": '[project]\nname="x"\n', "uv.lock": ""}, "uv sync --frozen", True),
        (
            {"pyproject.toml": '[tool.poetry]\nname="x"\n'},
            "poetry install",
            True,
        ),
        (
            {"Pipfile": "", "Pipfile.lock": '{"default": {"flask": {"version": "==3.1.0"}}}'},
            "uv pip install --no-deps flask==3.1.0",
            True,
        ),
    ],
)
def test_packages_are_installed_by_the_manager_that_locked_them(
    tmp_path: Path, files: dict[str, str], command: str, *, cached: bool
) -> None:
    plan = plan_of(tmp_path, {**files, "app.py": FLASK})

    assert command in " ".join(plan.build[0].command)
    assert bool(plan.build[0].inputs) is cached


@pytest.mark.parametrize(
    ("name", "text", "version"),
    [
        (".python-version", "3.12.1\n", "3.12.1"),
        ("runtime.txt", "python-3.11.7\n", "3.11.7"),
        (
            "pyproject.toml",
            '[project]\nname = "x"\nrequires-python = ">=3.10,<3.13"\n',
            ">=3.10,<3.13",
        ),
        ("pyproject.toml", '[tool.poetry.dependencies]\npython = "^3.11"\n', "^3.11"),
        ("Pipfile", '[requires]\npython_version = "3.12"\n', "3.12"),
        ("autostack.yaml", "python: '3.13'\n", "3.13"),
    ],
)
def test_the_python_version_is_the_one_asked_for(
    tmp_path: Path, name: str, text: str, version: str
) -> None:
    plan = plan_of(tmp_path, {"requirements.txt": "flask==3\n", "app.py": FLASK, name: text})

    assert plan.toolchains[0].version == version


def test_a_script_that_serves_by_itself_is_started(tmp_path: Path) -> None:
    code = "from http.server import HTTPServer\nif __name__ == '__main__':\n  HTTPServer(('', 1))\n"

    plan = plan_of(tmp_path, {"main.py": code})

    assert start(plan) == "python main.py"


def test_streamlit_is_started_on_the_given_port(tmp_path: Path) -> None:
    plan = plan_of(
        tmp_path, {"requirements.txt": "streamlit\n", "ui.py": "import streamlit as st\n"}
    )

    assert 'streamlit run ui.py --server.port "${PORT:-8000}"' in start(plan)


def test_an_app_in_src_that_imports_src_is_started_from_above_it(tmp_path: Path) -> None:
    files = {
        "requirements.txt": "fastapi==1\nuvicorn==1\n",
        "src/main.py": f"from src.models.order import Order\n{FASTAPI}",
        "src/models/order.py": "class Order: ...\n",
    }

    assert "uvicorn src.main:api" in start(plan_of(tmp_path, files))


def test_an_app_whose_packages_nothing_lists_gets_its_framework_and_a_warning(
    tmp_path: Path,
) -> None:
    plan = plan_of(tmp_path, {"app.py": FLASK})

    assert plan.build[0].command == ("uv", "pip", "install", "flask", "gunicorn")
    assert [text.split(":")[0] for text in plan.warnings] == ["Nothing lists the packages"]


def test_hazards_under_the_main_guard_matter_when_the_file_itself_is_run(tmp_path: Path) -> None:
    files = {
        "Procfile": "web: python app.py\n",
        "requirements.txt": "flask==3\n",
        "app.py": FLASK + "if __name__ == '__main__':\n  app.run(host='0.0.0.0', debug=True)\n",
    }

    warnings = plan_of(tmp_path, files).warnings

    assert [text for text in warnings if "debug=True shows your code" in text]


def test_hazards_under_the_main_guard_do_not_matter_when_a_server_starts_the_app(
    tmp_path: Path,
) -> None:
    guarded = FLASK + "if __name__ == '__main__':\n  app.run(port=5000, debug=True)\n"
    bare = FLASK + "app.run(host='127.0.0.1', port=5000, debug=True)\n"

    quiet = plan_of(tmp_path / "a", {"requirements.txt": "flask==3\n", "app.py": guarded})
    loud = plan_of(tmp_path / "b", {"requirements.txt": "flask==3\n", "app.py": bare})

    assert quiet.warnings == ()
    assert [warning.partition(" ")[0] for warning in loud.warnings] == ["app.py:4:"] * 3


def test_a_root_directory_is_planned_alone(tmp_path: Path) -> None:
    files = {"package.json": "{}", "api/requirements.txt": "flask==3\n", "api/app.py": FLASK}

    plan = plan_of(tmp_path, files, overrides=Overrides(root="/api/"))

    assert (plan.family, plan.root) == (Family.PYTHON, "api")


@pytest.mark.parametrize(
    ("file", "language"),
    [("go.mod", "Go"), ("Gemfile", "Ruby"), ("composer.json", "PHP"), ("pom.xml", "Java")],
)
def test_a_language_we_do_not_build_is_called_by_its_name(
    tmp_path: Path, file: str, language: str
) -> None:
    with pytest.raises(FamilyUnavailable, match=rf"A {language} project \({file}\)"):
        plan_of(tmp_path, {file: "{}"})


def test_a_package_that_only_starts_for_development_is_told_so(tmp_path: Path) -> None:
    with pytest.raises(NothingDetected, match="start script, `nx serve`, is for development"):
        plan_of(tmp_path, {"package.json": '{"scripts": {"start": "nx serve"}}'})
