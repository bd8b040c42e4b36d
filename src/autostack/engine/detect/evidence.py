"""Finding the line that proves something."""

import re
from dataclasses import dataclass

from autostack.engine.detect.tree import Tree
from autostack.engine.plan import Evidence

MAX_QUOTE = 160


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One statement, and where it stands."""

    value: str
    evidence: Evidence | None


def line_of(tree: Tree, file: str, pattern: str) -> Evidence | None:
    """The first line that matches, or None."""
    wanted = re.compile(pattern)
    for number, text in enumerate(tree.lines(file), start=1):
        if wanted.search(text[:2000]):
            return Evidence(file=file, line=number, text=quote(text))
    return None


def at(tree: Tree, file: str, line: int) -> Evidence:
    lines = tree.lines(file)
    text = lines[line - 1] if 0 < line <= len(lines) else ""
    return Evidence(file=file, line=line, text=quote(text))


def whole(file: str) -> Evidence:
    return Evidence(file=file)


def quote(text: str) -> str:
    return text.strip()[:MAX_QUOTE]


def where(evidence: Evidence) -> str:
    """`app.py:12`, for sentences."""
    return f"{evidence.file}:{evidence.line}" if evidence.line else evidence.file
