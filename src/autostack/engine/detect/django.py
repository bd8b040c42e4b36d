"""Django: its app, its static files, and what commonly goes wrong with its settings."""

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from autostack.engine.detect.applications import Application, applications
from autostack.engine.detect.evidence import at, where
from autostack.engine.detect.modules import Module, statements, text_of
from autostack.engine.detect.tree import Tree
from autostack.engine.plan import BuildStep, Decision

_DEPTH = 2
_OURS = "autostack_settings"
_LAYER = """import pathlib, sys
settings, file = sys.argv[1:]
pathlib.Path(file).write_text(f"from {settings} import *\\n\\nALLOWED_HOSTS = ['*']\\n")
"""


def application(tree: Tree, code: Sequence[Module], required: frozenset[str]) -> Application | None:
    """The WSGI app of the project beside manage.py; its ASGI app where Channels or Daphne is
    required.
    """
    script = manage(tree)
    if script is None:
        return None
    every = applications(tree, code)
    found = [_beside(script, app) for app in every if app.framework == "Django"]
    wanted = "asgi" if required & {"channels", "daphne"} else "wsgi"
    return next((app for app in found if app.interface == wanted), found[0] if found else None)


def _beside(script: str, app: Application) -> Application:
    """Seen from the directory of manage.py, as Django itself sees it."""
    directory = script.rpartition("/")[0]
    seen = _dotted(script, app.file)
    name = app.target.partition(":")[2]
    return replace(app, directory=directory, target=f"{seen}:{name}") if seen else app


def _dotted(script: str, file: str) -> str:
    """The module name of a file, seen from the directory of manage.py; empty when outside."""
    top = script.removesuffix("manage.py")
    return (
        file.removeprefix(top).removesuffix(".py").replace("/", ".") if file.startswith(top) else ""
    )


def manage(tree: Tree) -> str | None:
    return next((file for file in tree.named("manage.py") if file.count("/") <= _DEPTH), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hosts:
    """A layer over the settings that lets every host in.

    Django answers 400 for a host its settings do not name, and no repository can name the
    addresses we give. The edge hands an instance requests for its own addresses only, so the
    list guards nothing here.
    """

    step: BuildStep
    env: Mapping[str, str]
    decision: Decision


def hosts(tree: Tree, code: Sequence[Module]) -> Hosts | None:
    """None where the settings let every host in already, or we cannot tell which ones are used."""
    script, found = manage(tree), _setting(code, "ALLOWED_HOSTS", sometimes=True)
    if script is None or found is None or _every_host(found):
        return None
    module, node = found
    settings = _dotted(script, module.file)
    if not settings or f'"{settings}"' not in (tree.text(script) or "").replace("'", '"'):
        return None
    place = f"{script.removesuffix('manage.py')}{_OURS}.py"
    command = ("python", "-c", _LAYER, settings, place)
    return Hosts(
        step=BuildStep(title="Let the edge decide on hosts", command=command, network=False),
        env={"DJANGO_SETTINGS_MODULE": _OURS},
        decision=Decision(
            subject="hosts",
            value="every host the edge routes here",
            evidence=at(tree, module.file, node.lineno),
            why=f"{_OURS} adds to {settings} what it cannot know: its addresses; set "
            "DJANGO_SETTINGS_MODULE yourself to do without",
        ),
    )


def _every_host(found: tuple[Module, ast.Assign]) -> bool:
    """Anywhere in the file: an environment may have a list of its own."""
    values = [
        node.value
        for node in ast.walk(found[0].body)
        if isinstance(node, ast.Assign) and _assigns(node, "ALLOWED_HOSTS")
    ]
    return all(
        any(isinstance(part, ast.Constant) and part.value == "*" for part in ast.walk(value))
        for value in values
    )


def build(tree: Tree, code: Sequence[Module]) -> tuple[BuildStep, ...]:
    """collectstatic, where the settings say where to collect."""
    script = manage(tree)
    if script is None or _setting(code, "STATIC_ROOT") is None:
        return ()
    command = ("python", script, "collectstatic", "--noinput")
    return (BuildStep(title="Collect static files", command=command, network=False),)


def warnings(tree: Tree, code: Sequence[Module]) -> Iterator[str]:
    if hosts(tree, code) is None:
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


def _setting(
    code: Sequence[Module], name: str, *, sometimes: bool = False
) -> tuple[Module, ast.Assign] | None:
    """`sometimes`: also where it is set only in a branch."""
    for module in code:
        if "settings" not in module.file:
            continue
        for node in statements(module.body.body) if sometimes else module.body.body:
            if isinstance(node, ast.Assign) and _assigns(node, name):
                return module, node
    return None


def _assigns(node: ast.Assign, name: str) -> bool:
    return any(isinstance(target, ast.Name) and target.id == name for target in node.targets)
