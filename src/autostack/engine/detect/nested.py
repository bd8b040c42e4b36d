"""Applications below the top of a repository, where there is none at the top."""

import json
import re
from collections.abc import Iterator

from autostack.engine.detect import node_code
from autostack.engine.detect.node_start import starting
from autostack.engine.detect.stated import mapping
from autostack.engine.detect.tree import Tree

MAX_DEPTH = 2
MAX_NAMED = 5
_MANIFESTS = (
    "Procfile",
    "package.json",
    "requirements.txt",
    "pyproject.toml",
    "Pipfile",
    "manage.py",
    "go.mod",
    "Gemfile",
    "composer.json",
    "pom.xml",
    "build.gradle",
    "Cargo.toml",
    "index.html",
)
_SERVERS = ("server.js", "app.js", "index.js", "app.py", "main.py")
_ASIDE = frozenset({"docs", "doc", "test", "tests", "e2e", "scripts", "tools", ".github", "infra"})
_PARTS = frozenset({"views", "templates", "public", "static", "assets", "dist", "src"})
"""Of an application, rather than one of its own."""
_SERVES = re.compile(r"\b(?:Flask|FastAPI|Starlette|Sanic|Quart|Bottle|Dash)\(")


def nested(tree: Tree) -> dict[str, str]:
    """Directories that look like an application, each with the file that says so."""
    found: dict[str, str] = {}
    for manifest in (*_MANIFESTS[:-1], *_SERVERS, _MANIFESTS[-1]):
        for file in tree.named(manifest):
            directory = file.rpartition("/")[0]
            if _is_place(directory, found) and _is_application(tree, file):
                found[directory] = file
    return dict(list(_in_order(found))[:MAX_NAMED])


def _is_place(directory: str, found: dict[str, str]) -> bool:
    parts = directory.split("/")
    return (
        bool(directory)
        and len(parts) <= MAX_DEPTH
        and not _ASIDE.intersection(parts)
        and parts[-1] not in _PARTS
        and not any(directory == known or directory.startswith(f"{known}/") for known in found)
    )


def _is_application(tree: Tree, file: str) -> bool:
    """Of Node packages many are libraries of the others, and most code serves nothing."""
    if file.endswith(".js"):
        return node_code.listens(tree, file)
    if file.endswith(".py") and not file.endswith("manage.py"):
        return _SERVES.search(tree.text(file) or "") is not None
    if not file.endswith("package.json"):
        return True
    try:
        package = mapping(json.loads(tree.text(file) or ""))
    except (ValueError, RecursionError):
        return False
    return bool({"start", "dev"} & mapping(package.get("scripts")).keys() or starting(package))


def _in_order(found: dict[str, str]) -> Iterator[tuple[str, str]]:
    return iter(sorted(found.items(), key=lambda item: (item[0].count("/"), item[0])))
