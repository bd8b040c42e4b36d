"""Node: servers with a start script, Next.js, and front ends that build to static files."""

import re
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from autostack.engine.detect import node_code
from autostack.engine.detect.draft import Draft, Sight
from autostack.engine.detect.evidence import at, line_of, whole
from autostack.engine.detect.node_packages import Manager, manager
from autostack.engine.detect.node_start import (
    DEVELOPMENT,
    needs_development,
    scripts,
    starting,
)
from autostack.engine.detect.stated import mapping, parse_json
from autostack.engine.detect.tree import Tree
from autostack.engine.plan import BuildStep, Decision, Evidence, Family, Process, Toolchain

LOOKED_FOR = "package.json with a start script, a server file or a front-end build"
_FRAMEWORKS = (
    ("next", "Next.js"),
    ("nuxt", "Nuxt"),
    ("@remix-run/serve", "Remix"),
    ("@sveltejs/kit", "SvelteKit"),
    ("astro", "Astro"),
    ("gatsby", "Gatsby"),
    ("@docusaurus/core", "Docusaurus"),
    ("@angular/core", "Angular"),
    ("@nestjs/core", "NestJS"),
    ("react-scripts", "Create React App"),
    ("@vue/cli-service", "Vue CLI"),
    ("@11ty/eleventy", "Eleventy"),
    ("express", "Express"),
    ("fastify", "Fastify"),
    ("koa", "Koa"),
    ("hono", "Hono"),
    ("@hapi/hapi", "hapi"),
    ("vite", "Vite"),
    ("parcel", "Parcel"),
)
_PUBLISH = {
    "Astro": "dist",
    "Gatsby": "public",
    "Docusaurus": "build",
    "Create React App": "build",
    "Vue CLI": "dist",
    "Eleventy": "_site",
    "Vite": "dist",
    "Parcel": "dist",
}
_SERVERS = (
    "server.js",
    "index.js",
    "app.js",
    "main.js",
    "server.mjs",
    "index.mjs",
    "src/server.js",
    "src/index.js",
)
_WITH_VALUE = frozenset({"-l", "--listen", "-p", "--port", "-c", "--config", "-a"})
"""Options of `serve` and `http-server` whose value is a word of its own."""
_SIMPLE = re.compile(r"^[\w@./:=-]+(\s+[\w@./:=-]+)*$")
_NODEMON = re.compile(r"^nodemon\s+(?!-)(?!\S+\.tsx?\b)")
"""Where node can run the same file."""
_HOOKS = frozenset({"preinstall", "install", "postinstall", "prepare", "prepublish"})
_ENV = {"NODE_ENV": "production"}


def detect(sight: Sight) -> Draft | None:
    tree = sight.tree
    if not tree.has("package.json"):
        return None
    package = parse_json(tree.text("package.json"), file="package.json")
    tool = manager(tree, package)
    framework = _framework(package)
    publish = _static(tree, package, framework)
    web = None if publish else _web(tree, package, tool, framework)
    return _draft(sight, package=package, tool=tool, framework=framework, publish=publish, web=web)


def why_not(tree: Tree) -> str:
    """What a package.json lacks, where there is one and yet nothing to run."""
    if not tree.has("package.json"):
        return ""
    start = scripts(parse_json(tree.text("package.json"), file="package.json")).get("start")
    if start is None:
        return ". package.json is there, but has no start script"
    return f". package.json is there, but its start script, `{start[:80]}`, is for development"


def _dependencies(package: Mapping[str, Any], *kinds: str) -> frozenset[str]:
    kinds = kinds or ("dependencies", "devDependencies")
    return frozenset(name for kind in kinds for name in mapping(package.get(kind)))


def _framework(package: Mapping[str, Any]) -> str:
    names = _dependencies(package)
    return next((label for name, label in _FRAMEWORKS if name in names), "")


def _static(tree: Tree, package: Mapping[str, Any], framework: str) -> str | None:
    """The directory a front-end build leaves, when nothing in it is meant to run."""
    script = scripts(package)
    if "build" not in script:
        return None
    if framework == "Next.js":
        return _exported(tree)
    if starting(package):
        return None
    return _named_by_server(script.get("start", "")) or _left(tree, package, framework)


def _named_by_server(start: str) -> str | None:
    """`serve -s dist` says where the build leaves its files better than any habit."""
    called = re.search(r"(?:^|[;&|]\s*|npx\s+)(?:serve|http-server|sirv)\s+([^;&|]+)", start)
    words = iter(called[1].split() if called else ())
    for word in words:
        if word in _WITH_VALUE:
            next(words, None)
        elif re.fullmatch(r"[\w.][\w./-]*", word):
            return word.removeprefix("./").strip("/") or None
    return None


def _left(tree: Tree, package: Mapping[str, Any], framework: str) -> str | None:
    server = _says(tree, "astro.config", r"""output\s*:\s*['"](server|hybrid)""")
    if framework == "Angular":
        return _angular(tree)
    if framework == "SvelteKit":
        return "build" if "@sveltejs/adapter-static" in _dependencies(package) else None
    if framework == "Vite":
        return _configured(tree, "vite.config", r"""outDir\s*:\s*['"]([\w./-]+)['"]""") or "dist"
    return None if framework == "Astro" and server else _PUBLISH.get(framework)


def _exported(tree: Tree) -> str | None:
    if not _says(tree, "next.config", r"""output\s*:\s*['"]export['"]"""):
        return None
    return _configured(tree, "next.config", r"""distDir\s*:\s*['"]([\w./-]+)['"]""") or "out"


def _angular(tree: Tree) -> str | None:
    text = tree.text("angular.json") or ""
    path = re.search(r'"outputPath"\s*:\s*"([\w./-]+)"', text)
    browser = '"@angular/build:application"' in text or "devkit/build-angular:application" in text
    if path:
        return f"{path[1]}/browser" if browser else path[1]
    project = re.search(r'"projects"\s*:\s*\{\s*"([\w.-]+)"', text)
    return f"dist/{project[1]}/browser" if project else None


def _config(tree: Tree, stem: str) -> str | None:
    return tree.first(*(f"{stem}.{end}" for end in ("js", "ts", "mjs", "mts", "cjs")))


def _says(tree: Tree, stem: str, pattern: str) -> Evidence | None:
    file = _config(tree, stem)
    return line_of(tree, file, pattern) if file else None


def _configured(tree: Tree, stem: str, pattern: str) -> str | None:
    found = _says(tree, stem, pattern)
    match = re.search(pattern, found.text) if found else None
    return match[1].removeprefix("./").strip("/") if match else None


def _web(tree: Tree, package: Mapping[str, Any], tool: Manager, framework: str) -> Process | None:
    script = starting(package)
    if script:
        evidence = line_of(tree, "package.json", rf'"{script}"\s*:') or whole("package.json")
        return Process(name="web", command=_command(package, tool, script), evidence=evidence)
    known = {
        "Next.js": ("next", "start"),
        "Nuxt": ("node", ".output/server/index.mjs"),
        "Astro": ("node", "dist/server/entry.mjs"),
        "SvelteKit": ("node", "build/index.js"),
        "NestJS": ("node", "dist/main.js"),
    }.get(framework)
    if known:
        named = line_of(tree, "package.json", rf'"{re.escape(_package_of(framework))}"')
        return Process(name="web", command=known, evidence=named or whole("package.json"))
    return _main(tree, package)


def _package_of(framework: str) -> str:
    return next(name for name, label in _FRAMEWORKS if label == framework)


def _command(package: Mapping[str, Any], tool: Manager, script: str) -> tuple[str, ...]:
    """The script itself rather than `npm start`: quicker, and signals reach the app."""
    if {f"pre{script}", f"post{script}"} & scripts(package).keys():
        return tool.run(script)
    line = _NODEMON.sub("node ", scripts(package)[script])
    if not _SIMPLE.match(line) or "=" in line.split()[0]:
        return ("sh", "-c", line)
    return tuple(shlex.split(line))


def _main(tree: Tree, package: Mapping[str, Any]) -> Process | None:
    main = package.get("main")
    stated = main if isinstance(main, str) and tree.has(main.removeprefix("./")) else None
    file = stated.removeprefix("./") if stated else tree.first(*_SERVERS)
    if file is None or not node_code.listens(tree, file):
        return None
    evidence = line_of(tree, file, node_code.LISTENS) or whole(file)
    return Process(name="web", command=("node", file), evidence=evidence)


def _draft(
    sight: Sight,
    *,
    package: Mapping[str, Any],
    tool: Manager,
    framework: str,
    publish: str | None,
    web: Process | None,
) -> Draft:
    tree = sight.tree
    builds = bool(_build_script(package)) or sight.stated.build is not None
    found = node_code.health(tree) if web else None
    return Draft(
        family=Family.NODE,
        framework=framework,
        toolchains=_toolchains(sight, package, tool),
        build=_steps(package, tool, builds=builds, static=publish is not None),
        web=web,
        publish=publish,
        health=found[1] if found else None,
        health_path=found[0] if found else "",
        env=_ENV,
        decisions=tuple(_decisions(sight, package, tool, framework, publish)),
        reads=node_code.reads(tree),
        warnings=(*tool.warnings, *_warnings(package), *node_code.hazards(tree)),
    )


def _steps(
    package: Mapping[str, Any], tool: Manager, *, builds: bool, static: bool
) -> tuple[BuildStep, ...]:
    script = starting(package)
    keeps = static or (script is not None and needs_development(package, script))
    # What runs with the install (`husky`, `prisma generate`) is as much development as a build.
    everything = builds or keeps or bool(_HOOKS & scripts(package).keys())
    inputs = () if _runs_own_code(package) else tool.inputs
    install = BuildStep(
        title="Install packages",
        command=tool.install(development=everything),
        inputs=inputs,
        env={"NODE_ENV": "development" if everything else "production"},
    )
    steps = [install]
    if _build_script(package):
        steps.append(BuildStep(title="Build", command=tool.run(_build_script(package))))
    if everything and not keeps and _dependencies(package, "devDependencies") and tool.prune:
        steps.append(
            BuildStep(title="Remove development packages", command=tool.prune, network=False)
        )
    return tuple(steps)


def _build_script(package: Mapping[str, Any]) -> str:
    """Its name, or nothing. Heroku's own is what many have for an app with a front end inside."""
    return next((name for name in ("build", "heroku-postbuild") if name in scripts(package)), "")


def _runs_own_code(package: Mapping[str, Any]) -> bool:
    """Whether installing depends on more of the tree than the lock file."""
    local = ("file:", "link:", "workspace:", "portal:", "patch:", ".", "/")
    versions = [
        str(version)
        for kind in ("dependencies", "devDependencies", "optionalDependencies")
        for version in mapping(package.get(kind)).values()
    ]
    return (
        bool(_HOOKS & scripts(package).keys())
        or "workspaces" in package
        or any(version.startswith(local) for version in versions)
    )


def _toolchains(sight: Sight, package: Mapping[str, Any], tool: Manager) -> tuple[Toolchain, ...]:
    value, _ = _version(sight, package)
    return (Toolchain(name="node", version=value), *tool.toolchains)


def _version(sight: Sight, package: Mapping[str, Any]) -> tuple[str, Evidence | None]:
    if sight.stated.node:
        return sight.stated.node.value, sight.stated.node.evidence
    tree = sight.tree
    for file in (".nvmrc", ".node-version"):
        value = next((line.strip() for line in tree.lines(file) if line.strip()), "")
        if value and re.fullmatch(r"[\w./*-]{1,40}", value):
            return value, at(tree, file, 1)
    wanted = mapping(package.get("engines")).get("node")
    if isinstance(wanted, str) and wanted.strip():
        return wanted.strip()[:100], line_of(tree, "package.json", r'"node"\s*:')
    return "", None


def _decisions(
    sight: Sight,
    package: Mapping[str, Any],
    tool: Manager,
    framework: str,
    publish: str | None,
) -> Iterator[Decision]:
    tree = sight.tree
    value, evidence = _version(sight, package)
    if value:
        yield Decision(subject="node", value=value, evidence=evidence)
    yield Decision(subject="packages", value=tool.name, evidence=tool.evidence, why=tool.why)
    if framework:
        line = line_of(tree, "package.json", rf'"{re.escape(_package_of(framework))}"\s*:')
        yield Decision(subject="framework", value=framework, evidence=line)
    build = _build_script(package)
    if build:
        yield Decision(
            subject="build",
            value=scripts(package)[build],
            evidence=line_of(tree, "package.json", rf'"{build}"\s*:'),
        )
    if publish:
        yield Decision(
            subject="publish",
            value=publish,
            why=f"{framework} leaves its files there; nothing runs",
        )


def _warnings(package: Mapping[str, Any]) -> Iterator[str]:
    start = scripts(package).get("start", "")
    if start and DEVELOPMENT.search(start):
        yield "package.json: the start script is a development server; it is not used here."
    if _NODEMON.match(start):
        yield "package.json: nodemon is for development; the app is started with node instead."
