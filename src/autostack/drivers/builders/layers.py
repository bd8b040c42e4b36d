"""Installed dependencies, kept per project under a key of everything they were made from."""

import hashlib
import json
import os
import platform
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from autostack.drivers.builders import trees
from autostack.drivers.builders.toolchains import Tool
from autostack.engine.plan import BuildStep

FORMAT = 1
KEPT = 5
"""Layers a project keeps; the ones not used for longest go first."""
PLACES = (".venv", "node_modules")
"""What an install leaves in the tree, and a layer holds."""
_STEERING = ("PIP_", "UV_", "NPM_", "POETRY_", "YARN_", "PNPM_", "NODE_", "PIPENV_")
_MAX_INPUT = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Layers:
    """The layers of one project, in a directory of ours."""

    directory: Path

    def find(self, key: str) -> Path | None:
        path = self.directory / key
        if not path.is_dir():
            return None
        os.utime(path)
        return path

    def prune(self) -> None:
        found = [path for path in self.directory.iterdir() if not path.name.startswith(".")]
        for path in sorted(found, key=lambda each: each.stat().st_mtime, reverse=True)[KEPT:]:
            trees.remove(path)


def split(steps: Sequence[BuildStep]) -> tuple[tuple[BuildStep, ...], tuple[BuildStep, ...]]:
    """Those that depend on nothing but their inputs, up to the first that needs the tree."""
    first = tuple(takewhile(lambda step: step.inputs, steps))
    return first, tuple(steps[len(first) :])


def inputs(steps: Sequence[BuildStep]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for step in steps for name in step.inputs))


def key(
    steps: Sequence[BuildStep], tree: Path, tools: Sequence[Tool], env: Mapping[str, str]
) -> str:
    """Equal keys mean equal layers: commands, inputs, interpreters, platform, and variables
    that steer a package manager (as a digest).
    """
    document = {
        "format": FORMAT,
        "platform": [platform.system(), platform.machine(), *platform.libc_ver()],
        "tools": [[tool.name, tool.version, str(tool.program)] for tool in tools],
        "steps": [[step.command, dict(step.env)] for step in steps],
        "inputs": [[name, _digest(tree / name)] for name in inputs(steps)],
        "env": sorted(item for item in env.items() if item[0].upper().startswith(_STEERING)),
    }
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()[:40]


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            return hashlib.sha256(stream.read(_MAX_INPUT)).hexdigest()
    except (FileNotFoundError, IsADirectoryError):
        return ""


def places(app: Path) -> Iterator[Path]:
    for name in PLACES:
        if (app / name).is_dir() and not (app / name).is_symlink():
            yield app / name
