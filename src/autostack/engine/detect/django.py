"""Django: its app, its static files, and what commonly goes wrong with its settings."""

import ast
from collections.abc import Iterator, Sequence

from autostack.engine.detect.applications import Application, applications
from autostack.engine.detect.evidence import at, where
from autostack.engine.detect.modules import Module, text_of
from autostack.engine.detect.tree import Tree
from autostack.engine.plan import BuildStep

_DEPTH = 2


def application(tree: Tree, code: Sequence[Module], required: frozenset[str]) -> Application | None:
    """The WSGI app of the project beside manage.py; its ASGI app where Channels or Daphne is
    required.
    """
    if manage(tree) is None:
        return None
    found = [app for app in applications(tree, code) if app.framework == "Django"]
    wanted = "asgi" if required & {"channels", "daphne"} else "wsgi"
    return next((app for app in found if app.interface == wanted), found[0] if found else None)


def manage(tree: Tree) -> str | None:
    return next((file for file in tree.named("manage.py") if file.count("/") <= _DEPTH), None)


def build(tree: Tree, code: Sequence[Module]) -> tuple[BuildStep, ...]:
    """collectstatic, where the settings say where to collect."""
    script = manage(tree)
    if script is None or _setting(code, "STATIC_ROOT") is None:
        return ()
    command = ("python", script, "collectstatic", "--noinput")
    return (BuildStep(title="Collect static files", command=command, network=False),)


def warnings(tree: Tree, code: Sequence[Module]) -> Iterator[str]:
    yield from _hosts(tree, code)
    yield from _static(tree, code)
    if tree.ending("migrations/__init__.py"):
        yield (
            "Migrations are not applied by themselves. Set a release command "
            "(`python manage.py migrate`) to run them before each switch."
        )


def _hosts(tree: Tree, code: Sequence[Module]) -> Iterator[str]:
    found = _setting(code, "ALLOWED_HOSTS")
    if found is None:
        return
    module, node = found
    value = node.value
    if not isinstance(value, ast.List | ast.Tuple):
        return
    hosts = [text_of(item) for item in value.elts]
    if (
        None not in hosts
        and "*" not in hosts
        and not any(host and host.startswith(".") for host in hosts)
    ):
        yield (
            f"{where(at(tree, module.file, node.lineno))}: ALLOWED_HOSTS is fixed. Django answers "
            "400 for every host that is not in it; read it from a variable and add the domain."
        )


def _static(tree: Tree, code: Sequence[Module]) -> Iterator[str]:
    root = _setting(code, "STATIC_ROOT")
    if root is None:
        return
    if not any("whitenoise" in (tree.text(module.file) or "") for module, _ in [root]):
        module, node = root
        yield (
            f"{where(at(tree, module.file, node.lineno))}: static files are collected, but nothing "
            "serves them outside DEBUG. Add WhiteNoise to MIDDLEWARE."
        )


def _setting(code: Sequence[Module], name: str) -> tuple[Module, ast.Assign] | None:
    for module in code:
        if "settings" not in module.file:
            continue
        for node in module.body.body:
            if isinstance(node, ast.Assign) and any(
                isinstance(target, ast.Name) and target.id == name for target in node.targets
            ):
                return module, node
    return None
