"""Environment variables Python code reads, each with its line."""

import ast
from collections.abc import Iterator, Sequence

from autostack.engine.detect.evidence import at
from autostack.engine.detect.modules import Module, text_of
from autostack.engine.detect.tree import Tree
from autostack.engine.plan import MissingVariable

_GETTERS = frozenset({"os.getenv", "os.environ.get", "os.environ.pop", "os.environ.setdefault"})
_CASTS = frozenset(
    {"str", "bool", "int", "float", "list", "url", "db", "json", "path", "get_value"}
)
_SETTINGS = "pydantic_settings.BaseSettings"
_MAX = 200


def reads(tree: Tree, code: Sequence[Module]) -> tuple[MissingVariable, ...]:
    """Once a name; required if any line reads it without a default."""
    found: dict[str, MissingVariable] = {}
    shared = _shared(code)
    for module in code:
        for name, required, line in _in_module(module, shared):
            known = found.get(name)
            if known is None or (required and not known.required):
                found[name] = MissingVariable(
                    name=name, required=required, evidence=at(tree, module.file, line)
                )
    return tuple(list(found.values())[:_MAX])


def _shared(code: Sequence[Module]) -> frozenset[str]:
    """`config.env.env`, where config/env.py makes the reader that other files import."""
    return frozenset(
        f"{module.file.removesuffix('.py').replace('/', '.')}.env"
        for module in code
        if _makes_environ(module)
    )


def _in_module(module: Module, shared: frozenset[str]) -> Iterator[tuple[str, bool, int]]:
    guarded = _guarded(module.body)
    for node in ast.walk(module.body):
        if isinstance(node, ast.Subscript):
            yield from _subscript(module, node, guarded)
        elif isinstance(node, ast.Call):
            yield from _call(module, node, guarded, shared)
        elif isinstance(node, ast.ClassDef):
            yield from _settings_class(module, node)


def _guarded(body: ast.Module) -> set[ast.AST]:
    """Reads with a way out: inside `try`, tested, compared, or followed by `or`."""
    found: set[ast.AST] = set()
    for node in ast.walk(body):
        if isinstance(node, ast.Try):
            found.update(inner for item in node.body for inner in ast.walk(item))
        elif isinstance(node, ast.BoolOp):
            found.update(node.values)
        elif isinstance(node, ast.If | ast.IfExp | ast.While):
            found.add(node.test)
        elif isinstance(node, ast.Compare):
            found.update((node.left, *node.comparators))
        elif isinstance(node, ast.UnaryOp):
            found.add(node.operand)
    return found


def _subscript(
    module: Module, node: ast.Subscript, guarded: set[ast.AST]
) -> Iterator[tuple[str, bool, int]]:
    name = text_of(node.slice)
    if name and isinstance(node.ctx, ast.Load) and module.meaning(node.value) == "os.environ":
        yield name, node not in guarded, node.lineno


def _call(
    module: Module, node: ast.Call, guarded: set[ast.AST], shared: frozenset[str]
) -> Iterator[tuple[str, bool, int]]:
    name = text_of(node.args[0]) if node.args else None
    if not name or not name.isidentifier():
        return
    meaning = module.meaning(node.func)
    defaulted = len(node.args) > 1 or any(word.arg == "default" for word in node.keywords)
    if meaning in _GETTERS:
        optional = defaulted or node in guarded or meaning.endswith(("setdefault", "pop"))
        yield name, not optional, node.lineno
    elif meaning == "decouple.config" or _is_environ(module, node.func, shared):
        yield name, not defaulted, node.lineno


def _is_environ(module: Module, function: ast.expr, shared: frozenset[str]) -> bool:
    """`env("X")` and `env.str("X")` of django-environ and environs."""
    imported = module.names.get("env", "").lstrip(".")
    known = imported and any(f".{name}".endswith(f".{imported}") for name in shared)
    if not known and not _makes_environ(module):
        return False
    if isinstance(function, ast.Attribute) and function.attr in _CASTS:
        function = function.value
    return isinstance(function, ast.Name) and function.id == "env"


def _makes_environ(module: Module) -> bool:
    tops = {meaning.partition(".")[0] for meaning in module.names.values()}
    return "environ" in tops or "environs.Env" in module.names.values()


def _settings_class(module: Module, node: ast.ClassDef) -> Iterator[tuple[str, bool, int]]:
    """Fields of a pydantic-settings class: `database_url: str` reads DATABASE_URL."""
    if not any(module.meaning(base) == _SETTINGS for base in node.bases):
        return
    prefix = _prefix(node)
    for item in node.body:
        if (
            isinstance(item, ast.AnnAssign)
            and isinstance(item.target, ast.Name)
            and item.target.id != "model_config"
            and not _class_variable(item)
        ):
            name = f"{prefix}{item.target.id}".upper()
            yield name, not _has_default(module, item.value), item.lineno


def _class_variable(item: ast.AnnAssign) -> bool:
    return "ClassVar" in ast.unparse(item.annotation)


def _has_default(module: Module, value: ast.expr | None) -> bool:
    if isinstance(value, ast.Call) and module.meaning(value.func) == "pydantic.Field":
        first = value.args[0] if value.args else None
        named = any(word.arg in ("default", "default_factory") for word in value.keywords)
        return named or (first is not None and not _ellipsis(first))
    return value is not None and not _ellipsis(value)


def _ellipsis(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is ...


def _prefix(node: ast.ClassDef) -> str:
    for item in node.body:
        if isinstance(item, ast.Assign) and isinstance(item.value, ast.Call):
            for word in item.value.keywords:
                if word.arg == "env_prefix":
                    return text_of(word.value) or ""
    return ""
