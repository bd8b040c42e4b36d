"""Where a Python web application is defined: the module and the name that hold it."""

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from autostack.engine.detect.modules import Module, statements
from autostack.engine.detect.tree import Tree

CONSTRUCTORS = {
    "flask.Flask": ("Flask", "wsgi"),
    "flask.app.Flask": ("Flask", "wsgi"),
    "apiflask.APIFlask": ("Flask", "wsgi"),
    "flask_openapi3.OpenAPI": ("Flask", "wsgi"),
    "connexion.FlaskApp": ("Connexion", "asgi"),
    "connexion.AsyncApp": ("Connexion", "asgi"),
    "falcon.App": ("Falcon", "wsgi"),
    "falcon.API": ("Falcon", "wsgi"),
    "falcon.asgi.App": ("Falcon", "asgi"),
    "bottle.Bottle": ("Bottle", "wsgi"),
    "bottle.default_app": ("Bottle", "wsgi"),
    "django.core.wsgi.get_wsgi_application": ("Django", "wsgi"),
    "django.core.asgi.get_asgi_application": ("Django", "asgi"),
    "channels.routing.ProtocolTypeRouter": ("Django", "asgi"),
    "fastapi.FastAPI": ("FastAPI", "asgi"),
    "fastapi.applications.FastAPI": ("FastAPI", "asgi"),
    "starlette.applications.Starlette": ("Starlette", "asgi"),
    "quart.Quart": ("Quart", "asgi"),
    "litestar.Litestar": ("Litestar", "asgi"),
    "blacksheep.Application": ("BlackSheep", "asgi"),
    "sanic.Sanic": ("Sanic", "asgi"),
    "sanic.app.Sanic": ("Sanic", "asgi"),
    "aiohttp.web.Application": ("aiohttp", "aiohttp"),
    "dash.Dash": ("Dash", "dash"),
}
_TOPS = frozenset(name.partition(".")[0] for name in CONSTRUCTORS)
FACTORIES = ("create_app", "make_app", "build_app", "get_app", "app_factory", "create_application")
_NAMES = ("app", "application", "api", "server")
_FILES = (
    "wsgi.py",
    "asgi.py",
    "app.py",
    "main.py",
    "application.py",
    "server.py",
    "run.py",
    "__init__.py",
)
_PLAIN = re.compile(r"^[A-Za-z0-9_./-]+$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """`target` is `module:name`, seen from `directory` (relative to the root, empty for it).
    `interface` is how a server speaks to it: wsgi, asgi, or a way of the framework's own.
    """

    framework: str
    interface: str
    target: str
    directory: str
    file: str
    line: int
    factory: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    module: Module
    name: str
    framework: str
    interface: str
    line: int
    factory: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Maker:
    """A function that gives an application; `needs` tells that it must be handed something."""

    kind: tuple[str, str]
    line: int
    needs: bool


def applications(tree: Tree, modules: Sequence[Module]) -> tuple[Application, ...]:
    """All of them, the most likely first."""
    elsewhere = {name: maker for module in modules for name, maker in _makers(module)}
    found = sorted(
        (item for module in modules for item in _in_module(module, elsewhere)), key=_rank
    )
    placed = (_place(tree, item) for item in found)
    return tuple(app for app in placed if app)


def _rank(item: _Found) -> tuple[int, ...]:
    name = item.name if item.name in _NAMES else ""
    file = item.module.file.rsplit("/", 1)[-1]
    return (
        item.factory,
        # a Django project offers both; its ASGI file is only meant where Channels is used
        item.framework == "Django" and item.interface == "asgi",
        item.module.file.count("/"),
        _FILES.index(file) if file in _FILES else len(_FILES),
        _NAMES.index(name) if name else len(_NAMES),
    )


def _in_module(module: Module, elsewhere: Mapping[str, _Maker]) -> Iterator[_Found]:
    makers = dict(_makers(module))
    for node in statements(module.body.body):
        for name, value in _assigned(node):
            kind = _kind(module, value, makers, elsewhere)
            if kind:
                framework, interface = kind
                yield _Found(
                    module=module,
                    name=name,
                    framework=framework,
                    interface=interface,
                    line=node.lineno,
                )
    for name, maker in makers.items():
        if name in FACTORIES and not maker.needs:
            framework, interface = maker.kind
            yield _Found(
                module=module,
                name=name,
                framework=framework,
                interface=interface,
                line=maker.line,
                factory=True,
            )


def _assigned(node: ast.stmt) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(node, ast.Assign):
        for target in node.targets:
            if isinstance(target, ast.Name):
                yield target.id, node.value
    elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value:
        yield node.target.id, node.value


def _kind(
    module: Module,
    value: ast.expr,
    makers: Mapping[str, _Maker],
    elsewhere: Mapping[str, _Maker],
) -> tuple[str, str] | None:
    if not isinstance(value, ast.Call):
        return None
    meaning = module.meaning(value.func)
    if meaning in CONSTRUCTORS:
        return CONSTRUCTORS[meaning]
    if meaning in makers:
        return makers[meaning].kind
    origin, _, name = meaning.rpartition(".")
    if name in FACTORIES:
        return ("", "")  # imported from elsewhere; settled by `_settle`
    return elsewhere[name].kind if origin and name in elsewhere else None


def _makers(module: Module) -> Iterator[tuple[str, _Maker]]:
    """Functions that give an application: what they return, or build under a usual name."""
    if not any(meaning.partition(".")[0] in _TOPS for meaning in module.names.values()):
        return
    for node in module.body.body:
        if isinstance(node, ast.FunctionDef) and (kind := _given(module, node)):
            yield node.name, _Maker(kind=kind, line=node.lineno, needs=_needs(node.args))


def _given(module: Module, function: ast.FunctionDef) -> tuple[str, str] | None:
    said = CONSTRUCTORS.get(module.meaning(function.returns)) if function.returns else None
    inside = tuple(ast.walk(function))
    if said or function.name in FACTORIES:
        return said or next((kind for node in inside if (kind := _built(module, node))), None)
    built = {
        name: kind
        for node in inside
        if isinstance(node, ast.stmt)
        for name, value in _assigned(node)
        if (kind := _built(module, value))
    }
    returned = (node.value for node in inside if isinstance(node, ast.Return))
    kinds = (
        built.get(value.id) if isinstance(value, ast.Name) else _built(module, value)
        for value in returned
    )
    return next((kind for kind in kinds if kind), None)


def _built(module: Module, node: ast.AST | None) -> tuple[str, str] | None:
    return CONSTRUCTORS.get(module.meaning(node.func)) if isinstance(node, ast.Call) else None


def _needs(arguments: ast.arguments) -> bool:
    """Whether calling it without arguments fails."""
    positional = len(arguments.posonlyargs) + len(arguments.args) - len(arguments.defaults)
    return positional > 0 or None in arguments.kw_defaults


def settle(apps: Sequence[Application], *, required: frozenset[str]) -> Application | None:
    """The app to start. One made by a factory of another file takes its kind from there, or
    from what is required.
    """
    if not apps:
        return None
    known = next((app for app in apps if app.framework), None)
    best = apps[0]
    if best.framework:
        return best
    framework, interface = (known.framework, known.interface) if known else _by_packages(required)
    return Application(
        framework=framework,
        interface=interface,
        target=best.target,
        directory=best.directory,
        file=best.file,
        line=best.line,
    )


def _by_packages(required: frozenset[str]) -> tuple[str, str]:
    for package, kind in (
        ("fastapi", ("FastAPI", "asgi")),
        ("starlette", ("Starlette", "asgi")),
        ("quart", ("Quart", "asgi")),
    ):
        if package in required:
            return kind
    return ("Flask" if "flask" in required else "WSGI", "wsgi")


def _place(tree: Tree, item: _Found) -> Application | None:
    directory, dotted = import_path(tree, item.module)
    if not _PLAIN.match(f"{directory}/{dotted}"):
        return None  # no name a command line should hold
    return Application(
        framework=item.framework,
        interface=item.interface,
        target=f"{dotted}:{item.name}",
        directory=directory,
        file=item.module.file,
        line=item.line,
        factory=item.factory,
    )


def import_path(tree: Tree, module: Module) -> tuple[str, str]:
    """The directory that must be on the path, and the dotted name seen from it."""
    parts = module.file.removesuffix(".py").split("/")
    top = len(parts) - 1
    while top > 0 and tree.has("/".join([*parts[:top], "__init__.py"])):
        top -= 1
    if top > 0 and not _imports_beside(tree, module, "/".join(parts[:top])):
        top = 1 if parts[0] == "src" and not _imports(module, "src") else 0
    dotted = parts[top:-1] if parts[-1] == "__init__" else parts[top:]
    return "/".join(parts[:top]), ".".join(dotted)


def _imports(module: Module, name: str) -> bool:
    return any(meaning.partition(".")[0] == name for meaning in module.names.values())


def _imports_beside(tree: Tree, module: Module, directory: str) -> bool:
    """Whether it imports its neighbours by bare name, so that their directory is the path. A
    relative import, or one from the root, means the root is.
    """
    origins = {meaning.partition(".")[0] for meaning in module.names.values()}
    return any(
        origin
        and (tree.has(f"{directory}/{origin}.py") or tree.has(f"{directory}/{origin}/__init__.py"))
        for origin in origins
    )
