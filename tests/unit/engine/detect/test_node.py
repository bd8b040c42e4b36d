"""How Node projects are recognised, built and started."""

import json
from pathlib import Path
from typing import Any

import pytest

from autostack.engine.plan import Family
from tests.unit.engine.detect.trees import plan_of


def package(**fields: Any) -> str:  # noqa: ANN401 - a package.json holds anything
    return json.dumps(fields, indent=1)


@pytest.mark.parametrize(
    ("start", "command"),
    [
        ("node server.js", ("node", "server.js")),
        ("nodemon server.js", ("node", "server.js")),
        ("A=1 node server.js", ("sh", "-c", "A=1 node server.js")),
        ("node a.js && node b.js", ("sh", "-c", "node a.js && node b.js")),
    ],
)
def test_the_start_script_runs_without_npm_around_it(
    tmp_path: Path, start: str, command: tuple[str, ...]
) -> None:
    plan = plan_of(tmp_path, {"package.json": package(scripts={"start": start})})

    assert plan.web is not None
    assert plan.web.command == command


def test_a_start_script_with_a_pre_script_needs_its_manager(tmp_path: Path) -> None:
    scripts = {"start": "node x.js", "prestart": "node y.js"}

    plan = plan_of(tmp_path, {"package.json": package(scripts=scripts)})

    assert plan.web is not None
    assert plan.web.command == ("npm", "run", "start")


@pytest.mark.parametrize(
    ("lock", "install", "tools"),
    [
        ({"package-lock.json": "{}"}, "npm ci --omit=dev", ["node"]),
        ({}, "npm install --omit=dev", ["node"]),
        (
            {"pnpm-lock.yaml": "lockfileVersion: '9.0'\n"},
            "pnpm install --frozen-lockfile",
            ["node", "pnpm"],
        ),
        ({"yarn.lock": "# yarn lockfile v1\n"}, "yarn install --frozen-lockfile", ["node", "yarn"]),
    ],
)
def test_the_lock_file_chooses_the_manager(
    tmp_path: Path, lock: dict[str, str], install: str, tools: list[str]
) -> None:
    plan = plan_of(tmp_path, {"package.json": package(scripts={"start": "node x"}), **lock})

    assert " ".join(plan.build[0].command).startswith(install)
    assert [tool.name for tool in plan.toolchains] == tools


def test_a_front_end_build_is_published_and_nothing_runs(tmp_path: Path) -> None:
    files = {
        "package.json": package(
            scripts={"build": "vite build", "start": "vite"}, devDependencies={"vite": "^8"}
        ),
        "vite.config.ts": "export default { build: { outDir: './public_html' } }\n",
    }

    plan = plan_of(tmp_path, files)

    assert (plan.framework, plan.publish, plan.processes) == ("Vite", "public_html", ())
    assert [step.title for step in plan.build] == ["Install packages", "Build"]


def test_next_builds_then_starts_and_drops_development_packages(tmp_path: Path) -> None:
    files = {
        "package.json": package(
            scripts={"build": "next build", "dev": "next dev"},
            dependencies={"next": "16"},
            devDependencies={"typescript": "5"},
        ),
        "package-lock.json": "{}",
    }

    plan = plan_of(tmp_path, files)

    assert plan.web is not None
    assert plan.web.command == ("next", "start")
    assert [step.title for step in plan.build] == [
        "Install packages",
        "Build",
        "Remove development packages",
    ]


@pytest.mark.parametrize(
    ("start", "left"),
    [
        ("serve -s _static -l tcp://0.0.0.0:$PORT", "_static"),
        ("node hello.js; serve -l 3000 ./public_html/", "public_html"),
        ("npx http-server -p 8080 site", "site"),
        ("serve -s", "build"),
        ("react-scripts start", "build"),
    ],
)
def test_the_server_of_a_start_script_says_what_is_published(
    tmp_path: Path, start: str, left: str
) -> None:
    scripts = {"build": "react-scripts build", "start": start}
    files = {"package.json": package(scripts=scripts, dependencies={"react-scripts": "5"})}

    assert plan_of(tmp_path, files).publish == left


@pytest.mark.parametrize(("more", "left"), [("", "out"), (", distDir: '_static'", "_static")])
def test_an_exported_next_site_is_static(tmp_path: Path, more: str, left: str) -> None:
    files = {
        "package.json": package(
            scripts={"build": "next build", "start": "next start"}, dependencies={"next": "16"}
        ),
        "next.config.mjs": f"export default {{\n output: 'export'{more} }}\n",
    }

    assert plan_of(tmp_path, files).publish == left


@pytest.mark.parametrize(
    "fields",
    [
        {"scripts": {"start": "node x", "postinstall": "node y"}},
        {"scripts": {"start": "node x"}, "workspaces": ["a"]},
        {"scripts": {"start": "node x"}, "dependencies": {"a": "file:../a"}},
    ],
)
def test_an_install_that_reads_the_tree_is_not_kept(tmp_path: Path, fields: dict[str, Any]) -> None:
    plan = plan_of(tmp_path, {"package.json": package(**fields), "package-lock.json": "{}"})

    assert plan.build[0].inputs == ()


@pytest.mark.parametrize(
    ("name", "text", "version"),
    [(".nvmrc", "v20\n", "v20"), (".node-version", "22.1.0\n", "22.1.0")],
)
def test_the_node_version_is_the_one_asked_for(
    tmp_path: Path, name: str, text: str, version: str
) -> None:
    fields = package(scripts={"start": "node x"}, engines={"node": ">=18"})

    asked = plan_of(tmp_path / "a", {"package.json": fields, name: text})
    engines = plan_of(tmp_path / "b", {"package.json": fields})

    assert asked.toolchains[0].version == version
    assert engines.toolchains[0].version == ">=18"


@pytest.mark.parametrize("asked", ["v18", "16.13.2", "^18.17", "18.x"])
def test_a_node_of_a_line_that_has_ended_is_used_with_a_warning(tmp_path: Path, asked: str) -> None:
    fields = package(scripts={"start": "node x"}, engines={"node": asked})

    plan = plan_of(tmp_path, {"package.json": fields})

    assert plan.toolchains[0].version == asked
    assert any("no security fixes" in text for text in plan.warnings)


@pytest.mark.parametrize("asked", ["20", ">=18", "16 || 20", ""])
def test_a_node_that_may_be_a_newer_one_brings_no_warning(tmp_path: Path, asked: str) -> None:
    fields = package(scripts={"start": "node x"}, engines={"node": asked})

    assert "security" not in "".join(plan_of(tmp_path, {"package.json": fields}).warnings)


def test_a_server_file_without_a_script_is_started(tmp_path: Path) -> None:
    code = "require('http').createServer((q, s) => s.end()).listen(3000, '127.0.0.1')\n"

    plan = plan_of(tmp_path, {"package.json": package(main="./srv.js"), "srv.js": code})

    assert plan.web is not None
    assert plan.web.command == ("node", "srv.js")
    assert [text.split()[0] for text in plan.warnings] == ["srv.js:1:", "srv.js:1:"]


def test_a_python_app_with_a_front_end_beside_it_is_python(tmp_path: Path) -> None:
    files = {
        "package.json": package(scripts={"build": "vite build"}, devDependencies={"vite": "8"}),
        "requirements.txt": "flask==3\n",
        "app.py": "from flask import Flask\napp = Flask(__name__)\n",
    }

    assert plan_of(tmp_path, files).family is Family.PYTHON


def test_a_node_app_with_a_python_tool_beside_it_is_node(tmp_path: Path) -> None:
    files = {"package.json": package(scripts={"start": "node x"}), "requirements.txt": "black\n"}

    assert plan_of(tmp_path, files).family is Family.NODE
