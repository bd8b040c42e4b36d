"""What one instance may use, as autostack.yaml and the settings state it."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from autostack.engine.detect.evidence import at, whole
from autostack.engine.detect.tree import Tree
from autostack.engine.errors import PlanFileInvalid
from autostack.engine.plan import Caps, Decision, Evidence

MEMORY_MB, CPU, PIDS = (32, 1 << 20), (0.05, 256.0), (8, 32768)
"""From and to; also what the API allows."""
_MEMORY = re.compile(r"^(\d+(?:\.\d+)?)\s*([MG])i?B?$", re.IGNORECASE)
_GIGA = 1024


def read(options: Mapping[str, Any], *, file: str) -> Caps:
    """Of the options of one process type."""
    return Caps(
        memory_mb=_memory(options.get("memory"), file=file),
        cpu=between("cpu", options.get("cpu"), CPU, file=file),
        pids=_whole("pids", options.get("pids"), PIDS, file=file),
    )


def _memory(value: object, *, file: str) -> int | None:
    """Megabytes as a number; as a text with their unit, `512MB` or `1.5 GB`."""
    if isinstance(value, str):
        match = _MEMORY.match(value.strip())
        if match is None:
            raise PlanFileInvalid(file, 0, "write memory as in `512MB` or `1.5GB`")
        value = int(float(match[1]) * (_GIGA if match[2].upper() == "G" else 1))
    return _whole("memory", value, MEMORY_MB, file=file)


def _whole(name: str, value: object, limits: tuple[int, int], *, file: str) -> int | None:
    if value is not None and not isinstance(value, int):
        raise PlanFileInvalid(file, 0, f"`{name}` must be a whole number")
    found = between(name, value, limits, file=file)
    return None if found is None else int(found)


def between(name: str, value: object, limits: tuple[float, float], *, file: str) -> float | None:
    if value is None:
        return None
    low, high = limits
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not low <= float(str(value)) <= high:
        raise PlanFileInvalid(file, 0, f"`{name}` must be {low} to {high}")
    return float(str(value))


def decisions(
    process: str, caps: Caps, proof: Callable[[str], Evidence | None]
) -> Iterator[Decision]:
    """`proof` gives the line of a key."""
    stated = {
        "memory": None if caps.memory_mb is None else f"{caps.memory_mb} MB",
        "cpu": None if caps.cpu is None else f"{caps.cpu:g}",
        "pids": None if caps.pids is None else str(caps.pids),
    }
    for key, value in stated.items():
        if value is not None:
            evidence = proof(key)
            why = "" if evidence else "set in the project's settings"
            yield Decision(subject=f"{key} of {process}", value=value, evidence=evidence, why=why)


def place(tree: Tree, file: str, process: str) -> Callable[[str], Evidence | None]:
    """The line of a key below the line of its process type."""

    def find(key: str) -> Evidence:
        below = False
        for number, line in enumerate(tree.lines(file), start=1):
            below = below or re.match(rf"^\s+{re.escape(process)}\s*:", line) is not None
            if below and re.search(rf"(?:^\s*|[{{,]\s*){key}\s*:", line):
                return at(tree, file, number)
        return whole(file)

    return find
