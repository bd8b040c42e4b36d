"""What front-end frameworks leave behind: files, or a server."""

import json
from pathlib import Path
from typing import Any

import pytest

from autostack.engine.errors import FamilyUnavailable
from autostack.engine.plan import Plan
from tests.unit.engine.detect.trees import plan_of


def planned(
    tmp_path: Path, *packages: str, files: dict[str, str] | None = None, **scripts: str
) -> Plan:
    named = dict(package.rsplit("=", 1) for package in packages)
    package: dict[str, Any] = {"scripts": scripts, "dependencies": named}
    return plan_of(tmp_path, {"package.json": json.dumps(package), **(files or {})})


@pytest.mark.parametrize(
    ("package", "build", "config", "publish"),
    [
        ("astro=^5", "astro build", {}, "dist"),
        ("astro=^5", "astro build", {"astro.config.mjs": "outDir: './site',"}, "site"),
        ("nuxt=^3", "nuxt generate", {}, ".output/public"),
        ("nuxt=^2", "nuxt generate", {}, "dist"),
        ("vitepress=^1", "vitepress build docs", {}, "docs/.vitepress/dist"),
        ("vuepress=^1", "vuepress build", {}, ".vuepress/dist"),
        (
            "vite=^6",
            "vite build",
            {"vite.config.js": "  root: 'client',\n  build: { outDir: '../out' }"},
            "out",
        ),
        ("vite=^6", "tsc && vite build --outDir public", {}, "public"),
        ("@react-router/dev=^7", "x", {"react-router.config.ts": "ssr: false"}, "build/client"),
        ("@sveltejs/adapter-static=^3 @sveltejs/kit=^2", "vite build", {}, "build"),
        ("gatsby=^5", "gatsby build", {}, "public"),
        ("hexo=^7", "hexo generate", {}, "public"),
        ("webpack=^5 html-webpack-plugin=^5", "webpack --mode production", {}, "dist"),
        (
            "webpack=^5 html-webpack-plugin=^5",
            "webpack",
            {"webpack.config.js": "    path: path.resolve(__dirname, 'www'),"},
            "www",
        ),
        ("@docusaurus/core=^3", "docusaurus build", {}, "build"),
        (
            "@angular/core=^19",
            "ng build",
            {"angular.json": '{"projects": {"shop": {"builder": "@angular/build:application"}}}'},
            "dist/shop/browser",
        ),
    ],
)
def test_files_are_published_from_where_the_build_leaves_them(
    tmp_path: Path, package: str, build: str, config: dict[str, str], publish: str
) -> None:
    plan = planned(tmp_path, *package.split(), files=config, build=build)

    assert plan.publish == publish
    assert plan.web is None


@pytest.mark.parametrize(
    ("package", "config", "command"),
    [
        ("nuxt=^3", {}, ".output/server/index.mjs"),
        ("@sveltejs/kit=^2 @sveltejs/adapter-node=^5", {}, "build/index.js"),
        ("@sveltejs/kit=^2 @sveltejs/adapter-auto=^4", {}, "build/index.js"),
        (
            "astro=^5 @astrojs/node=^9",
            {"astro.config.mjs": "adapter: node({ mode: 'standalone' }),"},
            "dist/server/entry.mjs",
        ),
        (
            "@angular/core=^19 @angular/ssr=^19",
            {
                "angular.json": '{"projects": {"shop": {"builder": '
                '"@angular/build:application", "ssr": {"entry": "a"}}}}'
            },
            "dist/shop/server/server.mjs",
        ),
    ],
)
def test_a_server_is_started_where_the_build_leaves_one(
    tmp_path: Path, package: str, config: dict[str, str], command: str
) -> None:
    plan = planned(tmp_path, *package.split(), files=config, build="vite build")

    assert plan.publish is None
    assert plan.web is not None
    assert plan.web.command == ("node", command)


def test_servers_that_would_listen_on_loopback_alone_are_told_otherwise(tmp_path: Path) -> None:
    files = {"astro.config.mjs": "adapter: node(),"}

    plan = planned(tmp_path, "astro=^5", "@astrojs/node=^9", files=files, build="astro build")

    assert plan.env["HOST"] == "0.0.0.0"


def test_sveltekit_is_built_for_node_where_it_leaves_the_choice(tmp_path: Path) -> None:
    plan = planned(tmp_path, "@sveltejs/kit=^2", "@sveltejs/adapter-auto=^4", build="vite build")

    assert [step.env for step in plan.build if step.title == "Build"] == [{"GCP_BUILDPACKS": "1"}]


@pytest.mark.parametrize(
    ("package", "config", "told"),
    [
        (
            "@sveltejs/kit=^2 @sveltejs/adapter-vercel=^5",
            {"svelte.config.js": "import a from '@sveltejs/adapter-vercel';"},
            "built for Vercel .svelte.config.js:1.",
        ),
        (
            "astro=^5 @astrojs/netlify=^6",
            {"astro.config.mjs": "import a from '@astrojs/netlify';\noutput: 'server',"},
            "built for Netlify",
        ),
        ("@sveltejs/kit=^2", {}, "without @sveltejs/adapter-node"),
    ],
)
def test_what_is_built_for_another_host_is_refused_with_the_line(
    tmp_path: Path, package: str, config: dict[str, str], told: str
) -> None:
    with pytest.raises(FamilyUnavailable, match=told):
        planned(tmp_path, *package.split(), files=config, build="vite build")


def test_a_start_script_that_runs_a_development_script_is_one_too(tmp_path: Path) -> None:
    plan = planned(
        tmp_path, "gatsby=^5", build="gatsby build", develop="gatsby develop", start="yarn develop"
    )

    assert plan.publish == "public"


def test_a_script_called_serve_is_no_development_server(tmp_path: Path) -> None:
    plan = planned(tmp_path, "express=^5", serve="node app.js", start="npm run serve")

    assert plan.web is not None
    assert "serve" in " ".join(plan.web.command)


@pytest.mark.parametrize(
    ("package", "files"),
    [
        ("react-scripts=^3.4.1", {}),
        (
            "gatsby-cli=1",
            {"package-lock.json": '{"packages": {"node_modules/webpack": {"version": "4.46.0"}}}'},
        ),
        ("x=1", {"yarn.lock": '# yarn lockfile v1\n\nwebpack@^4.0.0:\n  version "4.46.0"\n'}),
    ],
)
def test_an_old_webpack_gets_the_hash_it_asks_for(
    tmp_path: Path, package: str, files: dict[str, str]
) -> None:
    plan = planned(tmp_path, package, files=files, build="webpack", start="node a.js")

    build = next(step for step in plan.build if step.title == "Build")
    assert build.env["NODE_OPTIONS"] == "--openssl-legacy-provider"


def test_a_new_webpack_gets_none(tmp_path: Path) -> None:
    plan = planned(tmp_path, "react-scripts=5.0.1", build="react-scripts build")

    assert not any("NODE_OPTIONS" in step.env for step in plan.build)


def test_a_lock_file_of_old_npm_is_read_as_old_npm_did(tmp_path: Path) -> None:
    old = planned(tmp_path / "a", files={"package-lock.json": '{"lockfileVersion": 1}'}, start="x")
    new = planned(tmp_path / "b", files={"package-lock.json": '{"lockfileVersion": 3}'}, start="x")

    assert "--legacy-peer-deps" in old.build[0].command
    assert "--legacy-peer-deps" not in new.build[0].command


def test_a_package_that_names_the_node_of_its_day_is_installed(tmp_path: Path) -> None:
    plan = planned(tmp_path, files={"yarn.lock": "# yarn lockfile v1\n"}, start="node a.js")

    assert "--ignore-engines" in plan.build[0].command


def test_newer_yarn_puts_packages_where_the_app_looks_for_them(tmp_path: Path) -> None:
    plan = planned(tmp_path, files={"yarn.lock": "__metadata:\n  version: 8\n"}, start="node a.js")

    assert plan.env["YARN_NODE_LINKER"] == "node-modules"


def test_a_file_of_variables_that_nobody_commits_is_not_asked_for(tmp_path: Path) -> None:
    start = "node --env-file=.env app.js"

    without = planned(tmp_path / "a", start=start)
    beside = planned(tmp_path / "b", files={".env": "A=1"}, start=start)

    assert without.web is not None
    assert without.web.command == ("node", "app.js")
    assert beside.web is not None
    assert beside.web.command == ("node", "--env-file=.env", "app.js")


def test_what_is_built_is_not_built_again_at_each_start(tmp_path: Path) -> None:
    plan = planned(tmp_path, build="tsc", start="npm run build && node dist/app.js")

    assert plan.web is not None
    assert plan.web.command == ("node", "dist/app.js")


def test_a_start_file_that_only_calls_tools_for_development_is_no_server(tmp_path: Path) -> None:
    package = {
        "scripts": {"build": "node tools/build.js", "start": "npm run build && node tools/watch"},
        "dependencies": {"lodash": "1"},
        "devDependencies": {"concurrently": "9"},
    }
    files = {
        "package.json": json.dumps(package),
        "tools/watch.js": "const run = require('concurrently');\nrun(['browser-sync start']);\n",
        "dist/index.html": "<p>built</p>",
    }

    plan = plan_of(tmp_path, files)

    assert plan.publish == "dist"
