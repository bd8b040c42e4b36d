"""Start scripts that do more than start, or something else."""

import re
from collections.abc import Mapping
from typing import Any

from autostack.engine.detect import node_code
from autostack.engine.detect.node_start import scripts
from autostack.engine.detect.stated import mapping
from autostack.engine.detect.tree import Tree

_BUILDS_FIRST = re.compile(r"^(?:npm run|yarn(?: run)?|pnpm(?: run)?)\s+build\s*&&\s*(?=\S)")
_RUNS = re.compile(r"(?:^|&&\s*)node\s+(?:\./)?([\w./-]+?)(\.[cm]?js)?\s*$")
_WANTS = re.compile(
    r"""(?:\brequire\(\s*|\bfrom\s+|^import\s+)['"](@[\w.-]+/[\w.-]+|[a-z][\w.-]*)""", re.MULTILINE
)


def served(tree: Tree, package: Mapping[str, Any]) -> Mapping[str, Any]:
    """The package as a server of its own would have it: what is built is not built again at each
    start, and a start script that only calls tools for development is none.
    """
    known = scripts(package)
    start = known.get("start", "")
    if not start:
        return package
    lean = _BUILDS_FIRST.sub("", start) if "build" in known else start
    kept = {**known, "start": lean}
    if _only_tools(tree, package, lean):
        del kept["start"]
    return {**package, "scripts": kept}


def _only_tools(tree: Tree, package: Mapping[str, Any], start: str) -> bool:
    """It runs a file that asks for development packages alone, and takes no connections."""
    runs = _RUNS.search(start)
    file = tree.first(f"{runs[1]}{runs[2] or '.js'}") if runs else None
    if file is None or node_code.listens(tree, file):
        return False
    wanted = frozenset(_WANTS.findall(tree.text(file) or ""))
    lasting = mapping(package.get("dependencies")).keys()
    return bool(wanted & mapping(package.get("devDependencies")).keys()) and not wanted & lasting
