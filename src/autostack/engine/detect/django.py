"""Django: its app, its static files, and what commonly goes wrong with its settings."""

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from autostack.engine.detect.applications import Application, applications
from autostack.engine.detect.draft import Sight
from autostack.engine.detect.evidence import at, where
from autostack.engine.detect.modules import Module, statements, text_of
from autostack.engine.detect.tree import Tree
from autostack.engine.plan import BuildStep, Decision

_DEPTH = 2
_OURS = "autostack_settings"
_LAYER = """import pathlib, sys
settings, file, *lines = sys.argv[1:]
text = "\\n".join([f"from {settings} import *", "", *lines, ""])
pathlib.Path(file).write_text(text)
"""
_HOSTS = ("ALLOWED_HOSTS = ['*']",)
_FILES = (
    "MIDDLEWARE = [*MIDDLEWARE[:1], 'whitenoise.middleware.WhiteNoiseMiddleware', *MIDDLEWARE[1:]]",
    "WHITENOISE_USE_FINDERS = True",
)


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
class Layer:
    """A settings module of ours over that of the project; `added` are packages it needs.

    Django answers 400 for a host its settings do not name, and no repository can name the
    addresses we give. The edge hands an instance requests for its own addresses only, so the
    list guards nothing here. And only its development server serves static files by itself.
    """

    step: BuildStep
    env: Mapping[str, str]
    decisions: tuple[Decision, ...]
    added: tuple[str, ...] = ()


def layer(tree: Tree, code: Sequence[Module], required: frozenset[str]) -> Layer | None:
    """None where the settings do without, or we cannot tell which ones are used."""
    script = manage(tree)
    found = _setting(code, "ALLOWED_HOSTS", sometimes=True)
    hosts = found if found and not _every_host(found) else None
    files = _unserved(tree, code, required)
    used = hosts or files
    if script is None or used is None:
        return None
    settings = _dotted(script, used[0].file)
    if not settings or f'"{settings}"' not in (tree.text(script) or "").replace("'", '"'):
        return None
    place = f"{script.removesuffix('manage.py')}{_OURS}.py"
    lines = (*(_HOSTS if hosts else ()), *(_FILES if files else ()))
    return Layer(
        step=BuildStep(
            title="Add what the settings cannot know",
            command=("python", "-c", _LAYER, settings, place, *lines),
            network=False,
        ),
        env={"DJANGO_SETTINGS_MODULE": _OURS},
        decisions=tuple(_decided(tree, settings, hosts, files)),
        added=("whitenoise",) if files else (),
    )


_Found = tuple[Module, ast.Assign]


def _decided(
    tree: Tree, settings: str, hosts: _Found | None, files: _Found | None
) -> Iterator[Decision]:
    without = "set DJANGO_SETTINGS_MODULE yourself to do without"
    if hosts:
        yield Decision(
            subject="hosts",
            value="every host the edge routes here",
            evidence=at(tree, hosts[0].file, hosts[1].lineno),
            why=f"{_OURS} adds to {settings} what it cannot know: its addresses; {without}",
        )
    if files:
        yield Decision(
            subject="static files",
            value="served by WhiteNoise",
            evidence=at(tree, files[0].file, files[1].lineno),
            why=f"nothing else serves them here; {_OURS} adds it to {settings}; {without}",
        )


def _unserved(tree: Tree, code: Sequence[Module], required: frozenset[str]) -> _Found | None:
    """The list of apps that names static files, where nothing serves them."""
    found = _setting(code, "INSTALLED_APPS")
    if found is None or _setting(code, "MIDDLEWARE") is None:
        return None
    if required & {"django-storages", "dj-static", "servestatic"}:
        return None
    # Some require WhiteNoise and never put it to use.
    if any("whitenoise" in (tree.text(module.file) or "").lower() for module in code):
        return None
    named = (text_of(node) for node in ast.walk(found[1].value) if isinstance(node, ast.Constant))
    return found if "django.contrib.staticfiles" in named else None


def _every_host(found: _Found) -> bool:
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


def warnings(sight: Sight, code: Sequence[Module], ours: Layer | None) -> Iterator[str]:
    tree = sight.tree
    if ours is None:
        yield from _hosts(tree, code)
    if ours is None or not ours.added:
        yield from _static(tree, code)
    if sight.stated.release is None and tree.ending("migrations/__init__.py"):
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
