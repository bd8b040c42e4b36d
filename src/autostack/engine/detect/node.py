"""Node: servers with a start script, Next.js, and front ends that build to static files."""

import re
import shlex
from collections.abc import Iterator, Mapping
from typing import Any

from autostack.engine.detect import node_code
from autostack.engine.detect.draft import Draft, Sight
from autostack.engine.detect.evidence import at, line_of, where, whole
from autostack.engine.detect.node_front import FRAMEWORKS, Left, dependencies, framework, left
from autostack.engine.detect.node_old import old_bundler
from autostack.engine.detect.node_packages import Manager, manager
from autostack.engine.detect.node_start import (
    DEVELOPMENT,
    elsewhere,
    needs_development,
    scripts,
    starting,
)
from autostack.engine.detect.node_tools import served
from autostack.engine.detect.stated import mapping, parse_json
from autostack.engine.detect.tree import Tree
from autostack.engine.plan import BuildStep, Decision, Evidence, Family, Process, Toolchain

LOOKED_FOR = "package.json with a start script, a server file or a front-end build"
_SERVERS = (
    "server.js",
    "index.js",
    "app.js",
    "main.js",
    "server.mjs",
    "index.mjs",
    "src/server.js",
    "src/index.js",
    "src/app.js",
    "src/main.js",
    "server/index.js",
    "server/server.js",
    "bin/www",
)
_SIMPLE = re.compile(r"^[\w@./:=-]+(\s+[\w@./:=-]+)*$")
_NODEMON = re.compile(r"^nodemon\s+(?!-)(?!\S+\.tsx?\b)")
"""Where node can run the same file."""
_HOOKS = frozenset({"preinstall", "install", "postinstall", "prepare", "prepublish"})
_LINE = re.compile(r"[v=^~]?(\d+)(?:\.[\dx*]+)*")
"""A version of one line only."""
_OLDEST_MAINTAINED = 20
_ENV = {"NODE_ENV": "production"}


def detect(sight: Sight) -> Draft | None:
    tree = sight.tree
    if not tree.has("package.json"):
        return None
    package = served(tree, parse_json(tree.text("package.json"), file="package.json"))
    tool = manager(tree, package)
    label = framework(package)
    made = left(tree, package, label, script=_build_script(package))
    web = None if made.publish or made.obstacle else _web(tree, package, tool, label, made)
    return _draft(sight, package=package, tool=tool, label=label, made=made, web=web)


def starts(tree: Tree) -> bool:
    """Whether a package.json at the top says how it starts, be it for development."""
    return "start" in scripts(parse_json(tree.text("package.json"), file="package.json"))


def why_not(tree: Tree) -> str:
    """What a package.json lacks, where there is one and yet nothing to run."""
    if not tree.has("package.json"):
        return ""
    start = scripts(parse_json(tree.text("package.json"), file="package.json")).get("start")
    if start is None:
        return ". package.json is there, but has no start script"
    shown = f". package.json is there, but its start script, `{start[:80]}`, "
    return f"{shown}{elsewhere(start) or 'is for development'}"


def _web(
    tree: Tree, package: Mapping[str, Any], tool: Manager, label: str, made: Left
) -> Process | None:
    script = starting(package)
    if script:
        evidence = line_of(tree, "package.json", rf'"{script}"\s*:') or whole("package.json")
        return Process(name="web", command=_command(tree, package, tool, script), evidence=evidence)
    if made.command:
        named = _named(tree, package, label)
        return Process(name="web", command=made.command, evidence=named or whole("package.json"))
    return _main(tree, package)


def _named(tree: Tree, package: Mapping[str, Any], label: str) -> Evidence | None:
    """The line of package.json that asks for a framework."""
    known = (name for name, title in FRAMEWORKS if title == label)
    name = next((name for name in known if name in dependencies(package)), None)
    return line_of(tree, "package.json", rf'"{re.escape(name)}"\s*:') if name else None


def _command(tree: Tree, package: Mapping[str, Any], tool: Manager, script: str) -> tuple[str, ...]:
    """The script itself rather than `npm start`: quicker, and signals reach the app."""
    if {f"pre{script}", f"post{script}"} & scripts(package).keys():
        return tool.run(script)
    line = _without_env_file(tree, _NODEMON.sub("node ", scripts(package)[script]))
    if not _SIMPLE.match(line) or "=" in line.split()[0]:
        return ("sh", "-c", line)
    return tuple(shlex.split(line))


def _without_env_file(tree: Tree, line: str) -> str:
    """Node refuses to start without a file that nobody commits: variables are set here instead."""
    named = re.search(r"--env-file[= ]([\w./-]+) +", line)
    return line if named is None or tree.has(named[1]) else line.replace(named[0], "")


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
    label: str,
    made: Left,
    web: Process | None,
) -> Draft:
    tree = sight.tree
    builds = bool(_build_script(package)) or sight.stated.build is not None
    found = node_code.health(tree) if web else None
    return Draft(
        family=Family.NODE,
        framework=label,
        toolchains=_toolchains(sight, package, tool),
        build=_steps(tree, package, tool, builds=builds, made=made),
        web=web,
        publish=made.publish,
        health=found[1] if found else None,
        health_path=found[0] if found else "",
        env={**_ENV, **tool.env, **made.env},
        decisions=tuple(_decisions(sight, package, tool, label, made.publish)),
        reads=node_code.reads(tree),
        warnings=(
            *tool.warnings,
            *_retired(sight, package),
            *_warnings(package),
            *node_code.hazards(tree),
        ),
        obstacle=made.obstacle,
    )


def _steps(
    tree: Tree, package: Mapping[str, Any], tool: Manager, *, builds: bool, made: Left
) -> tuple[BuildStep, ...]:
    script = starting(package)
    keeps = made.publish is not None or (script is not None and needs_development(package, script))
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
        command = tool.run(_build_script(package))
        env = {**old_bundler(tree, package), **made.build}
        steps.append(BuildStep(title="Build", command=command, env=env))
    if everything and not keeps and dependencies(package, "devDependencies") and tool.prune:
        steps.append(
            BuildStep(title="Remove development packages", command=tool.prune, network=False)
        )
    return tuple(steps)


def _build_script(package: Mapping[str, Any]) -> str:
    """Its name, or nothing. Heroku's own is what many have for an app with a front end inside;
    `docs:build` is what VitePress suggests.
    """
    names = ("build", "heroku-postbuild", "docs:build")
    return next((name for name in names if name in scripts(package)), "")


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
    label: str,
    publish: str | None,
) -> Iterator[Decision]:
    tree = sight.tree
    value, evidence = _version(sight, package)
    if value:
        yield Decision(subject="node", value=value, evidence=evidence)
    yield Decision(subject="packages", value=tool.name, evidence=tool.evidence, why=tool.why)
    if label:
        named = _named(tree, package, label)
        yield Decision(subject="framework", value=label, evidence=named)
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
            why=f"{label or 'the build'} leaves its files there; nothing runs",
        )


def _retired(sight: Sight, package: Mapping[str, Any]) -> Iterator[str]:
    value, evidence = _version(sight, package)
    match = _LINE.fullmatch(value)
    if match and int(match[1]) < _OLDEST_MAINTAINED:
        place = f"{where(evidence)}: " if evidence else ""
        yield f"{place}Node {match[1]} gets no security fixes any more. Ask for a newer one."


def _warnings(package: Mapping[str, Any]) -> Iterator[str]:
    start = scripts(package).get("start", "")
    if start and DEVELOPMENT.search(start):
        yield "package.json: the start script is a development server; it is not used here."
    if _NODEMON.match(start):
        yield "package.json: nodemon is for development; the app is started with node instead."
