"""What a Dockerfile says that decides how it is built. Pure; the engine has the last word."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

_CONTINUED = re.compile(r"\\[ \t]*\n")
_ARG = re.compile(r"^ARG\s+(.+)$", re.IGNORECASE)
_FROM = re.compile(r"^FROM\s+((?:--\S+\s+)*)(\S+)(?:\s+AS\s+(\S+))?\s*$", re.IGNORECASE)
_NAME = re.compile(r"^[A-Za-z_][A-Za-z0-9_]*")
_VARIABLE = re.compile(r"\$(?:\{([A-Za-z_]\w*)(?::-([^}]*))?\}|([A-Za-z_]\w*))")
_SYNTAX = re.compile(r"^#\s*syntax\s*=\s*(\S+)", re.IGNORECASE)
_MODERN = re.compile(
    r"^(?:(?:RUN|COPY|ADD)\s+(?:--\S+\s+)*(?:--(?:mount|link|chmod|network|security)\b|<<))",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """`arguments` are the names it declares; `bases` the images it begins from; `modern` when
    only BuildKit can build it.
    """

    arguments: frozenset[str]
    bases: tuple[str, ...]
    modern: bool


def read(text: str, given: Mapping[str, str]) -> Told:
    """`given` are values for its arguments."""
    lines = list(_instructions(text))
    syntax = _SYNTAX.match(text.lstrip("\ufeff"))
    bases = list(dict.fromkeys(_bases(lines, given)))
    return Told(
        arguments=frozenset(name for line in lines for name, _ in _declared(line)),
        bases=tuple(([syntax[1]] if syntax else []) + bases),
        modern=syntax is not None or any(_MODERN.match(line) for line in lines),
    )


def _instructions(text: str) -> Iterator[str]:
    kept = (line for line in text.splitlines() if not line.lstrip().startswith("#"))
    for line in _CONTINUED.sub(" ", "\n".join(kept)).splitlines():
        if line.strip():
            yield line.strip()


def _declared(line: str) -> Iterator[tuple[str, str | None]]:
    found = _ARG.match(line)
    for word in found[1].split() if found else ():
        name, equals, value = word.partition("=")
        if _NAME.fullmatch(name):
            yield name, value.strip("\"'") if equals else None


def _bases(lines: list[str], given: Mapping[str, str]) -> Iterator[str]:
    """Arguments before the first FROM may stand in it."""
    values: dict[str, str] = {}
    stages = {"scratch"}
    for line in lines:
        found = _FROM.match(line)
        if found:
            image = _filled(found[2], values)
            if image and image.lower() not in stages:
                yield image
            if found[3]:
                stages.add(found[3].lower())
        elif len(stages) == 1:
            for name, value in _declared(line):
                values[name] = given.get(name, value or "")


def _filled(image: str, values: Mapping[str, str]) -> str:
    def value(found: re.Match[str]) -> str:
        return values.get(found[1] or found[3]) or found[2] or ""

    return _VARIABLE.sub(value, image)
