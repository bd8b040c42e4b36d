"""A route made for health checks, where the code plainly has one."""

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from autostack.engine.detect.evidence import at
from autostack.engine.detect.modules import Module, text_of
from autostack.engine.detect.tree import Tree
from autostack.engine.plan import Evidence

PATHS = ("/health", "/healthz", "/health/", "/healthz/")
_APPS = frozenset({"app", "application", "api", "server"})
_METHODS = frozenset({"get", "route", "api_route"})


@dataclass(frozen=True, slots=True)
class Health:
    path: str
    evidence: Evidence


def health(tree: Tree, code: Sequence[Module]) -> Health | None:
    """Only routes declared on the app itself: a router may have a prefix we cannot see."""
    for module in code:
        for path, line in _routes(module.body):
            if path in PATHS:
                return Health(path, at(tree, module.file, line))
    return None


def _routes(body: ast.Module) -> Iterator[tuple[str, int]]:
    for node in ast.walk(body):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for decorator in node.decorator_list:
                path = _route(decorator)
                if path:
                    yield path, decorator.lineno


def _route(node: ast.expr) -> str | None:
    if (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in _METHODS
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id in _APPS
        and node.args
    ):
        return text_of(node.args[0])
    return None
