"""Python files of a tree, parsed; nothing is ever imported or run."""

import ast
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

from autostack.engine.detect.tree import Tree

MAX_MODULES = 400
MAX_SOURCE = 256 * 1024
_ASIDE = frozenset(
    {
        "tests",
        "test",
        "testing",
        "docs",
        "examples",
        "scripts",
        "migrations",
        "alembic",
        "benchmarks",
    }
)


@dataclass(frozen=True, slots=True)
class Module:
    """A parsed file, and what its import names mean: `{"F": "flask.Flask"}`."""

    file: str
    body: ast.Module
    names: dict[str, str]

    @property
    def directory(self) -> str:
        return self.file.rpartition("/")[0]

    def meaning(self, node: ast.expr) -> str:
        """`flask.Flask` for whatever the file calls it; empty when it is no plain name."""
        trail: list[str] = []
        while isinstance(node, ast.Attribute):
            trail.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return ""
        return ".".join([self.names.get(node.id, node.id), *reversed(trail)])


def modules(tree: Tree) -> tuple[Module, ...]:
    """Shallow files first; what does not parse (Python 2, templates) is left out."""
    files = [file for file in tree.ending(".py") if not _aside(file)][:MAX_MODULES]
    parsed = (parse(tree.text(file), file) for file in files)
    return tuple(module for module in parsed if module)


def _aside(file: str) -> bool:
    *directories, name = file.split("/")
    return bool(_ASIDE.intersection(directories)) or name.startswith(("test_", "conftest"))


def parse(text: str | None, file: str) -> Module | None:
    if text is None or len(text) > MAX_SOURCE:
        return None
    try:
        with warnings.catch_warnings(action="ignore"):
            body = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    return Module(file, body, _names(body))


def _names(body: ast.Module) -> dict[str, str]:
    names: dict[str, str] = {}
    for node in ast.walk(body):
        if isinstance(node, ast.ImportFrom):
            origin = "." * node.level + (node.module or "")
            for alias in node.names:
                names[alias.asname or alias.name] = f"{origin}.{alias.name}"
        elif isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name if alias.asname else alias.name.partition(".")[0]
                names[alias.asname or top] = top
    return names


def statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Those that run on import, also inside `if`, `try` and `with`; not functions."""
    waiting = list(reversed(body))
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, ast.If | ast.Try | ast.With) and not is_main_guard(node):
            inner = [child for child in ast.iter_child_nodes(node) if isinstance(child, ast.stmt)]
            waiting.extend(reversed(inner))


def is_main_guard(node: ast.stmt) -> bool:
    """`if __name__ == "__main__":`"""
    return (
        isinstance(node, ast.If)
        and isinstance(node.test, ast.Compare)
        and isinstance(node.test.left, ast.Name)
        and node.test.left.id == "__name__"
    )


def text_of(node: ast.expr | None) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
