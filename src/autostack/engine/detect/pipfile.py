"""What a Pipfile asks for and its lock file pins, so that no Pipenv is needed to install it."""

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any, cast

from autostack.engine.detect.stated import mapping
from autostack.engine.errors import PlanFileInvalid

_NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
_VERSION = re.compile(r"^[\w\s.,<>=!~*+-]+$")


def asked(text: str) -> tuple[str, ...]:
    """Requirements as pip writes them. What is not from the index is left to pip as well."""
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        raise PlanFileInvalid("Pipfile", 0, str(error)[:120] or "nested too deeply") from None
    return tuple(_requirements(mapping(document.get("packages"))))


def locked(text: str) -> tuple[str, ...]:
    """Of a Pipfile.lock, for production: all of them, to install without their dependencies."""
    try:
        document = mapping(json.loads(text))
    except (RecursionError, ValueError) as error:
        raise PlanFileInvalid("Pipfile.lock", 0, str(error)[:120]) from None
    return tuple(_requirements(mapping(document.get("default"))))


def _requirements(packages: Mapping[str, Any]) -> Iterator[str]:
    for name, wanted in packages.items():
        if _NAME.match(name):
            options = mapping(wanted)
            yield f"{name}{_extras(options)}{_source(options, wanted)}{_marker(options)}"


def _extras(options: Mapping[str, Any]) -> str:
    listed = options.get("extras")
    names = cast("list[object]", listed) if isinstance(listed, list) else []
    fit = [name for name in names if isinstance(name, str) and _NAME.match(name)]
    return f"[{','.join(fit)}]" if fit else ""


def _source(options: Mapping[str, Any], wanted: object) -> str:
    git, path = options.get("git"), options.get("path") or options.get("file")
    if isinstance(git, str):
        ref = options.get("ref")
        return f" @ git+{git}" + (f"@{ref}" if isinstance(ref, str) else "")
    if isinstance(path, str):
        return f" @ {path}"
    version = wanted if isinstance(wanted, str) else options.get("version")
    fits = isinstance(version, str) and version.strip() != "*" and _VERSION.match(version)
    return str(version).strip() if fits else ""


def _marker(options: Mapping[str, Any]) -> str:
    marker = options.get("markers")
    return f" ; {marker}" if isinstance(marker, str) else ""
