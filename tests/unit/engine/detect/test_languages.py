"""What is not built here is refused by its name, and nothing else is blamed."""

import json
from pathlib import Path

import pytest

from autostack.engine.errors import FamilyUnavailable, NothingDetected, RootUnclear
from autostack.engine.plan import Family, Overrides
from tests.unit.engine.detect.trees import plan_of

FRONT = json.dumps({"scripts": {"build": "vite build"}, "devDependencies": {"vite": "^6"}})


@pytest.mark.parametrize(
    ("files", "what"),
    [
        ({"go.mod": "module shop", "main.go": "", "Procfile": "web: bin/shop"}, "A Go project"),
        ({"Gemfile": "", "Procfile": "web: bundle exec puma"}, "A Ruby project"),
        (
            {"Gemfile": "", "config.ru": "", "package.json": FRONT, "index.html": ""},
            "A Ruby project",
        ),
        (
            {"composer.json": "{}", "artisan": "", "public/index.php": "", "package.json": FRONT},
            "A PHP project",
        ),
        ({"pom.xml": "", "Procfile": "web: java -jar target/shop.jar"}, "A Java project"),
        ({"Shop.csproj": "", "Program.cs": ""}, "A .NET project"),
        ({"Cargo.toml": "", "src/main.rs": "", "static/index.html": ""}, "A Rust project"),
        ({"deno.json": "{}", "main.ts": ""}, "A Deno project"),
        ({"package.json": json.dumps({"scripts": {"start": "bun run a.ts"}})}, "A Bun project"),
        ({"_config.yml": "", "index.html": "---\nlayout: x\n---\n"}, "A Jekyll site"),
        ({"hugo.toml": "", "content/post.md": ""}, "A Hugo site"),
    ],
)
def test_a_language_that_is_not_built_here_is_named(
    tmp_path: Path, files: dict[str, str], what: str
) -> None:
    with pytest.raises(FamilyUnavailable, match=what) as refused:
        plan_of(tmp_path, files)

    assert "Docker runtime" in refused.value.hint


def test_its_dockerfile_is_pointed_at(tmp_path: Path) -> None:
    with pytest.raises(FamilyUnavailable) as refused:
        plan_of(tmp_path, {"go.mod": "", "main.go": "", "Dockerfile": "FROM scratch"})

    assert "It has a Dockerfile" in refused.value.hint


@pytest.mark.parametrize(
    "files",
    [
        {"requirements.txt": "flask", "app.py": "from flask import Flask\napp = Flask(__name__)\n"},
        {"package.json": json.dumps({"scripts": {"start": "node a.js"}})},
        {"requirements.txt": "flask", "Procfile": "web: python serve.py"},
        {"index.html": "<p>finished</p>"},
    ],
)
def test_a_manifest_that_only_lies_beside_our_own_is_no_reason(
    tmp_path: Path, files: dict[str, str]
) -> None:
    plan = plan_of(tmp_path, {**files, "go.mod": "", "_config.yml": "", "Gemfile": ""})

    assert plan.family in (Family.PYTHON, Family.NODE, Family.STATIC)


def test_whoever_settles_the_start_command_is_believed(tmp_path: Path) -> None:
    files = {"go.mod": "", "main.go": "", "shop": "a program"}

    plan = plan_of(tmp_path, files, overrides=Overrides(start_command="./shop"))

    assert plan.web is not None
    assert plan.web.command[-1] == "./shop"


def test_applications_in_directories_are_named(tmp_path: Path) -> None:
    files = {
        "README.md": "",
        "shop/package.json": json.dumps({"scripts": {"start": "node a.js"}}),
        "shop/plugins/package.json": json.dumps({"scripts": {"start": "node b.js"}}),
        "packages/paint/package.json": "{}",
        "stock/requirements.txt": "flask",
        "docs/requirements.txt": "sphinx",
        "chat/app.js": "app.listen(3000);",
        "chat/views/index.html": "",
        "lists/index.js": "module.exports = {};",
    }

    with pytest.raises(RootUnclear) as refused:
        plan_of(tmp_path, files)

    told = str(refused.value)
    assert "shop (shop/package.json)" in told
    assert "stock (stock/requirements.txt)" in told
    assert "chat (chat/app.js)" in told
    assert not any(word in told for word in ("paint", "docs", "plugins", "views", "lists"))
    assert "--root chat" in refused.value.hint


def test_a_start_script_for_a_desktop_is_called_that(tmp_path: Path) -> None:
    package = {"scripts": {"start": "electron ."}, "devDependencies": {"electron": "^30"}}

    with pytest.raises(NothingDetected, match="opens a window"):
        plan_of(tmp_path, {"package.json": json.dumps(package)})


def test_the_family_is_told_once(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, {"Procfile": "web: ./serve", "serve": ""})

    families = [one for one in plan.decisions if one.subject == "family"]
    assert len(families) == 1
    assert families[0].evidence is not None
    assert families[0].evidence.file == "Procfile"
