"""Which package manager a Node project uses, told by its lock file."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from autostack.engine.detect.evidence import line_of, whole
from autostack.engine.detect.tree import Tree
from autostack.engine.plan import Evidence, Toolchain


@dataclass(frozen=True, slots=True, kw_only=True)
class Manager:
    """Commands of one package manager. `inputs` decide what an install gives."""

    name: str
    evidence: Evidence
    why: str
    inputs: tuple[str, ...]
    production: tuple[str, ...]
    everything: tuple[str, ...]
    prune: tuple[str, ...] = ()
    toolchains: tuple[Toolchain, ...] = ()
    warnings: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict[str, str])

    def install(self, *, development: bool) -> tuple[str, ...]:
        return self.everything if development else self.production

    def run(self, script: str) -> tuple[str, ...]:
        return (self.name, "run", script)


def manager(tree: Tree, package: Mapping[str, Any]) -> Manager:
    if tree.has("pnpm-lock.yaml"):
        return _pnpm(tree, package)
    if tree.has("yarn.lock"):
        return _yarn(tree, package)
    return _npm(tree)


def _inputs(tree: Tree, *names: str) -> tuple[str, ...]:
    return tuple(name for name in ("package.json", *names, ".npmrc") if tree.has(name))


def _npm(tree: Tree) -> Manager:
    lock = tree.first("npm-shrinkwrap.json", "package-lock.json")
    verb = "ci" if lock else "install"
    quiet = ("--no-audit", "--no-fund", *(_as_then(tree, lock) if lock else ()))
    return Manager(
        name="npm",
        evidence=whole(lock or "package.json"),
        why=f"{lock} fixes every version" if lock else "no lock file says otherwise",
        inputs=_inputs(tree, *([lock] if lock else [])),
        production=("npm", verb, "--omit=dev", *quiet),
        everything=("npm", verb, "--include=dev", *quiet),
        # It runs without a network, and of what an old or no lock file leaves open npm would ask
        # the registry, package by package, for a minute each.
        prune=("npm", "prune", "--omit=dev", "--ignore-scripts", "--offline", *quiet),
        warnings=() if lock else _no_lock(tree),
    )


def _as_then(tree: Tree, lock: str) -> tuple[str, ...]:
    """What wrote the first format of lock file let peer dependencies be; newer npm refuses."""
    old = re.search(r'"lockfileVersion":\s*1\b', (tree.text(lock) or "")[:2000])
    return ("--legacy-peer-deps",) if old else ()


def _no_lock(tree: Tree) -> tuple[str, ...]:
    other = tree.first("bun.lock", "bun.lockb")
    if other:
        return (f"{other}: Bun is not available here; npm chooses versions by package.json alone.",)
    if not line_of(tree, "package.json", r'"(dev)?[dD]ependencies"'):
        return ()
    warning = (
        "package.json has no lock file beside it: the same commit can get other packages "
        "tomorrow. Commit package-lock.json."
    )
    return (warning,)


def _pnpm(tree: Tree, package: Mapping[str, Any]) -> Manager:
    workspace = tree.has("pnpm-workspace.yaml")
    install = ("pnpm", "install", "--frozen-lockfile")
    return Manager(
        name="pnpm",
        evidence=whole("pnpm-lock.yaml"),
        why="pnpm-lock.yaml fixes every version",
        inputs=() if workspace else _inputs(tree, "pnpm-lock.yaml"),
        production=(*install, "--prod"),
        everything=(*install, "--prod=false"),
        prune=("pnpm", "prune", "--prod", "--config.ignore-scripts=true"),
        toolchains=(Toolchain(name="pnpm", version=_asked(package, "pnpm") or _pnpm_for(tree)),),
    )


def _pnpm_for(tree: Tree) -> str:
    """The release that wrote the lock file's format."""
    match = re.search(
        r"^lockfileVersion:\s*['\"]?(\d+)", tree.text("pnpm-lock.yaml") or "", re.MULTILINE
    )
    return {"5": "7", "6": "8"}.get(match[1] if match else "", "10")


def _yarn(tree: Tree, package: Mapping[str, Any]) -> Manager:
    classic = line_of(tree, "yarn.lock", r"^# yarn lockfile v1") is not None
    # Of old packages many name the versions of Node that were there, and run on newer ones.
    frozen = ("--frozen-lockfile", "--ignore-engines") if classic else ("--immutable",)
    install = ("yarn", "install", *frozen)
    return Manager(
        name="yarn",
        evidence=whole("yarn.lock"),
        why="yarn.lock fixes every version",
        inputs=_inputs(tree, "yarn.lock") if classic else (),
        production=(*install, "--production=true") if classic else install,
        everything=(*install, "--production=false") if classic else install,
        prune=(*install, "--production=true", "--ignore-scripts", "--offline") if classic else (),
        toolchains=(
            Toolchain(name="yarn", version="1" if classic else _asked(package, "yarn") or "4"),
        ),
        # Whatever starts the app looks for packages where all package managers put them.
        env={} if classic else {"YARN_NODE_LINKER": "node-modules"},
    )


def _asked(package: Mapping[str, Any], name: str) -> str:
    """`"packageManager": "pnpm@9.1.0+sha512…"` → `9.1.0`."""
    value = package.get("packageManager")
    match = re.match(rf"^{name}@(\d+(?:\.\d+){{0,2}})", value) if isinstance(value, str) else None
    return match[1] if match else ""
