"""What Python code does that works on a laptop and not behind an edge."""

import ast
from collections.abc import Iterator, Sequence

from autostack.engine.detect.evidence import at, where
from autostack.engine.detect.modules import Module, is_main_guard, text_of
from autostack.engine.detect.tree import Tree

_RUNNERS = frozenset({"run", "run_app", "serve", "listen", "launch"})
_PORTS = frozenset({"port", "server_port"})
_LOOPBACK = frozenset({"127.0.0.1", "localhost"})


def hazards(tree: Tree, code: Sequence[Module], *, served: bool) -> Iterator[str]:
    """`served`: a server of ours starts the app, so what stands under the main guard is not
    run.
    """
    for module in code:
        for node in _calls(module, served=served):
            spot = where(at(tree, module.file, node.lineno))
            for keyword in node.keywords:
                yield from _hazard(spot, keyword)


def _calls(module: Module, *, served: bool) -> Iterator[ast.Call]:
    for statement in module.body.body:
        if served and is_main_guard(statement):
            continue
        for node in ast.walk(statement):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in _RUNNERS
            ):
                yield node


def _hazard(spot: str, keyword: ast.keyword) -> Iterator[str]:
    value = keyword.value
    if keyword.arg in _PORTS and isinstance(value, ast.Constant) and isinstance(value.value, int):
        yield f"{spot}: the port {value.value} is fixed in the code; read it from $PORT."
    if keyword.arg in ("host", "server_name") and text_of(value) in _LOOPBACK:
        yield f"{spot}: it listens on {text_of(value)} only; listen on 0.0.0.0."
    if keyword.arg == "debug" and isinstance(value, ast.Constant) and value.value is True:
        yield f"{spot}: debug=True shows your code to visitors; switch it off in production."
