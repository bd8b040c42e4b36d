"""Pythons: those of this machine, and what uv is asked to fetch where none of them fits."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

from autostack.drivers.builders import ranges
from autostack.drivers.builders.ranges import Version

OLDEST_MINOR = 8
_EXACT = re.compile(r"\s*(?:==)?\s*(?P<version>(?P<line>\d+\.\d+)\.\d+)\s*")
_PREFIX = re.compile(r"^\s*(?:error|cause|caused by)\s*:\s*", re.IGNORECASE)


def found(directory: Path) -> Iterator[tuple[Version, Path]]:
    """Our own interpreter first, then the machine's and fetched ones, the best known line first."""
    ours = Path(sys.base_prefix).resolve() / "bin" / f"python3.{sys.version_info.minor}"
    yield sys.version_info[:3], ours
    others: list[tuple[Version, Path]] = []
    for place in (Path("/usr/bin"), Path("/usr/local/bin")):
        others.extend(_by_name(place))
    for place in ((directory / "python"), Path(sys.base_prefix).resolve().parent):
        others.extend(_side_by_side(place))
    yield from sorted(sorted(others, reverse=True), key=lambda item: _place(item[0]))


def _place(version: Version) -> int:
    """The newest line is not the best: many packages are not ready for it."""
    line = ".".join(map(str, version[:2]))
    return ranges.PYTHONS.index(line) if line in ranges.PYTHONS else len(ranges.PYTHONS)


def _side_by_side(place: Path) -> Iterator[tuple[Version, Path]]:
    """Directories named for a version, as pyenv and uv lay them out."""
    for prefix in place.iterdir() if place.is_dir() else ():
        match = re.fullmatch(r"(?:cpython-)?(3\.(\d+)\.\d+)(?:-.*)?", prefix.name)
        program = prefix / "bin" / f"python3.{match[2]}" if match else prefix
        if match and int(match[2]) >= OLDEST_MINOR and program.is_file():
            yield ranges.parse(match[1]), program.resolve()


def _by_name(place: Path) -> Iterator[tuple[Version, Path]]:
    for program in place.glob("python3.*"):
        if re.fullmatch(r"python3\.\d+", program.name) and _has_library(program):
            yield ranges.parse(program.name.removeprefix("python")), program


def _has_library(program: Path) -> bool:
    prefix = program.parent.parent
    return (prefix / "lib" / program.name / "os.py").exists()


def line(wanted: str) -> str | None:
    """`3.12` of `3.12.0`: its other releases run the same code."""
    exact = _EXACT.fullmatch(wanted)
    return exact["line"] if exact else None


def request(wanted: str) -> str:
    """What uv is asked for: it does not know Poetry's ranges, and takes the newest of a range,
    which few packages are ready for.
    """
    exact = _EXACT.fullmatch(wanted)
    if exact:
        return exact["version"]
    known = (each for each in ranges.PYTHONS if _newest_allowed(wanted, each))
    return next(known, wanted)


def _newest_allowed(wanted: str, each: str) -> bool:
    return ranges.python_allows(wanted, (*ranges.parse(each), 99))


def failure(said: str) -> str:
    """Why uv fetched none: `from github.com: failed to lookup address information`."""
    if "No download found" in said:
        return "there is no such release to fetch"
    lines = [_PREFIX.sub("", text).strip() for text in said.splitlines() if text.strip()]
    host = re.search(r"https?://([\w.-]+)", said)
    place = f" from {host[1]}" if host else ""
    return f"it could not be fetched{place}" + (f": {lines[-1][:150]}" if lines else "")
