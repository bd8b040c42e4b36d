"""What a poetry.lock pins for production, so that no Poetry is needed to install it."""

import re
import tomllib
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from autostack.engine.detect.stated import mapping
from autostack.engine.errors import PlanFileInvalid

MAX_PACKAGES = 1000
MAX_WAYS = 4
"""Ways to a package whose conditions are remembered; beyond that it is always installed."""
_NAME = re.compile(r"^\s*([A-Za-z0-9][A-Za-z0-9._-]*)")
_SAFE = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._+!-]*$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Locked:
    """Requirements to install without their dependencies. `local` when one is a directory."""

    requirements: tuple[str, ...]
    local: bool


@dataclass(frozen=True, slots=True)
class _Need:
    """A package someone asks for, under a condition, with extras."""

    name: str
    marker: str = ""
    extras: frozenset[str] = field(default_factory=frozenset[str])


def locked(text: str, project: Mapping[str, Any]) -> Locked:
    """Lock files from Poetry 2.1 on say which group needs a package and when; for older ones
    that is worked out from the project's own dependencies.
    """
    packages = [package for package in _packages(text) if not _is_development(package)]
    if any("groups" in package for package in packages):
        wanted = {_key(package): _markers(package) for package in packages if _is_main(package)}
    else:
        wanted = _reachable(packages, project)
    chosen = [package for package in packages if _key(package) in wanted]
    lines = tuple(_requirement(package, wanted[_key(package)]) for package in chosen)
    return Locked(
        requirements=lines,
        local=any(
            mapping(package.get("source")).get("type") in ("directory", "file")
            for package in chosen
        ),
    )


def _packages(text: str) -> Sequence[Mapping[str, Any]]:
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        raise PlanFileInvalid("poetry.lock", 0, str(error)[:120]) from None
    listed = document.get("package")
    entries = cast("Sequence[object]", listed) if isinstance(listed, list) else ()
    packages = [mapping(entry) for entry in entries[:MAX_PACKAGES]]
    return [
        package
        for package in packages
        if _SAFE.match(_text(package, "name")) and _SAFE.match(_text(package, "version"))
    ]


def _text(package: Mapping[str, Any], key: str) -> str:
    value = package.get(key)
    return value if isinstance(value, str) else ""


def _key(package: Mapping[str, Any]) -> str:
    return normal(_text(package, "name"))


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _is_development(package: Mapping[str, Any]) -> bool:
    return package.get("category") == "dev"


def _is_main(package: Mapping[str, Any]) -> bool:
    groups = package.get("groups")
    return package.get("optional") is not True and isinstance(groups, list) and "main" in groups


def _markers(package: Mapping[str, Any]) -> str:
    value = package.get("markers")
    chosen = mapping(value).get("main", "") if not isinstance(value, str) else value
    return chosen if isinstance(chosen, str) else ""


def _reachable(packages: Sequence[Mapping[str, Any]], project: Mapping[str, Any]) -> dict[str, str]:
    """Names and the condition under which each is needed (empty: always)."""
    known = {_key(package): package for package in packages}
    ways: dict[str, set[str]] = {}
    waiting = deque(_asked(project))
    while waiting:
        need = waiting.popleft()
        before = ways.setdefault(need.name, set())
        way = f"{need.marker}|{','.join(sorted(need.extras))}"
        if need.name not in known or way in before or len(before) >= MAX_WAYS:
            continue
        before.add(way)
        waiting.extend(_needs(known[need.name], need))
    return {name: _any(found) for name, found in ways.items() if name in known}


def _any(ways: set[str]) -> str:
    markers = {way.rpartition("|")[0] for way in ways}
    if "" in markers or len(ways) >= MAX_WAYS:
        return ""
    return " or ".join(f"({marker})" for marker in sorted(markers))


def _asked(project: Mapping[str, Any]) -> Iterator[_Need]:
    poetry = mapping(mapping(mapping(project.get("tool")).get("poetry")).get("dependencies"))
    for name, entry in poetry.items():
        if name != "python" and mapping(entry).get("optional") is not True:
            yield _Need(normal(name), _edge_marker(entry), _extras(entry))
    listed = mapping(project.get("project")).get("dependencies")
    for line in cast("Sequence[object]", listed) if isinstance(listed, list) else ():
        match = _NAME.match(line) if isinstance(line, str) else None
        if match and isinstance(line, str):
            extras = re.search(r"\[([^\]]*)\]", line)
            names = extras[1].split(",") if extras else ()
            yield _Need(normal(match[1]), "", frozenset(name.strip() for name in names))


def _needs(package: Mapping[str, Any], need: _Need) -> Iterator[_Need]:
    extra = _of_extras(package, need.extras)
    for name, entry in mapping(package.get("dependencies")).items():
        if mapping(entry).get("optional") is True and normal(name) not in extra:
            continue
        marker = "" if normal(name) in extra else _edge_marker(entry)
        both = [f"({part})" for part in (need.marker, marker) if part]
        yield _Need(
            normal(name),
            " and ".join(both) if len(both) > 1 else need.marker or marker,
            _extras(entry),
        )


def _of_extras(package: Mapping[str, Any], wanted: frozenset[str]) -> frozenset[str]:
    found: set[str] = set()
    for name, lines in mapping(package.get("extras")).items():
        if name in wanted and isinstance(lines, list):
            matches = (_NAME.match(str(line)) for line in cast("Sequence[object]", lines))
            found |= {normal(match[1]) for match in matches if match}
    return frozenset(found)


def _edge_marker(entry: object) -> str:
    value = mapping(entry).get("markers", "")
    return value if isinstance(value, str) and "extra ==" not in value else ""


def _extras(entry: object) -> frozenset[str]:
    value = mapping(entry).get("extras")
    return (
        frozenset(str(name) for name in cast("Sequence[object]", value))
        if isinstance(value, list)
        else frozenset()
    )


def _requirement(package: Mapping[str, Any], marker: str) -> str:
    name, version = _text(package, "name"), _text(package, "version")
    source = mapping(package.get("source"))
    kind, url = _text(source, "type"), _text(source, "url")
    line = f"{name}=={version}"
    if kind == "git":
        reference = _text(source, "resolved_reference") or _text(source, "reference")
        line = f"{name} @ git+{url}@{reference}"
    elif kind == "url":
        line = f"{name} @ {url}"
    elif kind in ("directory", "file"):
        return f"./{url}"
    return f"{line} ; {marker}" if marker else line
