"""The engine's values as JSON and back: what steps leave behind, what releases are stored as."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar, cast

from pydantic import TypeAdapter

Value = TypeVar("Value")
Facts = dict[str, Any]


_adapters: dict[type[Any], TypeAdapter[Any]] = {}


def _adapter(kind: type[Any]) -> TypeAdapter[Any]:
    """Made once a type: it compiles a schema."""
    if kind not in _adapters:
        _adapters[kind] = TypeAdapter(kind)
    return _adapters[kind]


def dump(value: object) -> Facts:
    """A frozen dataclass as plain JSON."""
    kind: type[Any] = type(value)
    facts: Facts = _storable(_adapter(kind).dump_python(value, mode="json"))
    return facts


def text(value: str) -> str:
    """As PostgreSQL keeps it: programs print NUL, and file names hold what is not UTF-8."""
    return value.replace("\0", "\N{REPLACEMENT CHARACTER}").encode(errors="replace").decode()


def _storable(value: Any) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, str):
        return text(value)
    if isinstance(value, dict):
        pairs = cast("Facts", value).items()
        return {text(name): _storable(one) for name, one in pairs}
    if isinstance(value, list):
        return [_storable(one) for one in cast("Sequence[Any]", value)]
    return value


def load(kind: type[Value], facts: Mapping[str, Any]) -> Value:
    """The value that `dump` was given; fields added since then take their defaults."""
    value: Value = _adapter(kind).validate_python(dict(facts))
    return value
