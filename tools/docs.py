"""`make docs`: writes the pages that are made from the code.

`docs/cli.md` comes from the commands, `docs/api.md` from the OpenAPI document, `docs/settings.md`
from the settings, `docs/security-table.md` from the marks of the tests. tests/unit/test_docs.py
fails while one of them is not what this would write.
"""

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, get_args

from pydantic.fields import FieldInfo

from autostack.core import crypto
from autostack.core.settings import Settings
from autostack.entrypoints.cli import reference
from autostack.entrypoints.http import Keys, assemble
from tools import attacks

ROOT = Path(__file__).parents[1]
HERE = "/var/lib/autostack"

SETTINGS = """\
# Settings

Made from `src/autostack/core/settings.py` by `make docs`.

Each is an environment variable of `autostack up`, or a line of `$AUTOSTACK_HOME/autostack.toml`
under its name in lower case and without the prefix, such as `edge_port = 80`. The environment wins.
They are read once, when a program starts: after a change run `autostack down --apps` and
`autostack up`. A setting that does not parse stops the start with a sentence.

| setting | default | what |
|---|---|---|
"""

API = """\
# The API

Made from the OpenAPI document by `make docs`. A running platform serves that document at
`/openapi.json`, and a page made from it at `/docs`.

* JSON in, JSON out. Sign in with `POST /auth/login` and send `Authorization: Bearer ACCESS_TOKEN`.
* Errors are `application/problem+json`. They always carry `detail`, in words, and `code`, for
  programs, and mostly `hint`: what to do. The tables below name the errors a call is known for.
* Lists are `{items, next_cursor}`; send the cursor back as `?cursor=` for the next page.
* Streams are server-sent events: ask with `Accept: text/event-stream`, and go on after a break
  with `Last-Event-ID`.

"""


def pages() -> Mapping[str, Callable[[], str]]:
    """Every generated page, by its path."""
    return {
        "docs/cli.md": reference.text,
        "docs/api.md": api,
        "docs/settings.md": settings,
        "docs/security-table.md": attacks.page,
        "dashboard/openapi.json": client,
    }


def client() -> str:
    """What the dashboard's client is made from (`npm run api` there)."""
    return json.dumps(document(), indent=1, ensure_ascii=False) + "\n"


def settings() -> str:
    rows = (_setting(name, field) for name, field in Settings.model_fields.items())
    return SETTINGS + "".join(rows)


def api() -> str:
    described = document()
    sections: dict[str, list[str]] = {}
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            tag = operation.get("tags", ["other"])[0]
            sections.setdefault(tag, []).append(_call(method, path, operation))
    calls = "".join(_section(tag, found) for tag, found in sorted(sections.items()))
    schemas = described["components"]["schemas"]
    return API + calls + _section("schemas", [_schema(*one) for one in sorted(schemas.items())])


def document() -> Mapping[str, Any]:
    """What the API says of itself; nothing is opened or asked."""
    keys = Keys(secret=crypto.generate_secret(), seal=crypto.generate()[1])
    return assemble(Settings(home=Path(HERE)), keys, url="postgresql:///").openapi()


def _setting(name: str, field: FieldInfo) -> str:
    told = field.description or ""
    choices = [str(one) for one in get_args(field.annotation) if isinstance(one, str)]
    listed = f" One of {', '.join(f'`{one}`' for one in choices)}." if choices else ""
    return f"| `AUTOSTACK_{name.upper()}` | {_default(name, field)} | {told}{listed} |\n"


def _default(name: str, field: FieldInfo) -> str:
    if name == "home":
        return f"`{HERE}` for root, else `~/.autostack`"
    if field.default in (None, ()):
        return "–"
    value = field.default
    return f"`{json.dumps(value) if isinstance(value, bool | int | float) else value}`"


def _section(tag: str, calls: list[str]) -> str:
    return f"## {tag.capitalize()}\n\n{''.join(calls)}"


def _call(method: str, path: str, operation: Mapping[str, Any]) -> str:
    told = " ".join(str(operation.get("description", "")).split())
    return (
        f"### `{method.upper()} {path}`\n\n" + (f"{told}\n\n" if told else "") + _table(operation)
    )


def _table(operation: Mapping[str, Any]) -> str:
    rows = [*_asked(operation), *_answers(operation["responses"])]
    return f"| | |\n|---|---|\n{''.join(rows)}\n"


def _asked(operation: Mapping[str, Any]) -> Iterator[str]:
    for one in operation.get("parameters", []):
        if one["in"] in ("query", "header"):
            needed = "" if one.get("required") else ", optional"
            yield f"| {one['in']} | `{one['name']}`{needed} |\n"
    if content := operation.get("requestBody", {}).get("content"):
        yield f"| body | {_shapes(content)} |\n"


def _answers(responses: Mapping[str, Any]) -> Iterator[str]:
    for status, answer in responses.items():
        if status == "default":
            continue
        shape = _shapes(answer.get("content", {})) if status.startswith("2") else ""
        told = str(answer.get("description", "")).replace("Successful Response", "")
        yield f"| {status} | {' '.join(part for part in (shape, told) if part)} |\n"


def _shapes(content: Mapping[str, Any]) -> str:
    names = [_shape(kind, one.get("schema", {})) for kind, one in content.items()]
    return " or ".join(names)


def _shape(kind: str, schema: Mapping[str, Any]) -> str:
    name = str(schema.get("$ref", "")).rpartition("/")[2]
    return f"`{name}`" if name else f"`{kind}`"


def _schema(name: str, schema: Mapping[str, Any]) -> str:
    needed = schema.get("required", [])
    rows = [
        f"| `{field}` | {_type(one)} | {_about(one, required=field in needed)} |\n"
        for field, one in schema.get("properties", {}).items()
    ]
    table = f"| | | |\n|---|---|---|\n{''.join(rows)}\n" if rows else f"{_type(schema)}\n\n"
    return f"### `{name}`\n\n{table}"


def _about(field: Mapping[str, Any], *, required: bool) -> str:
    told = [str(field.get("description", ""))]
    if "default" in field and field["default"] not in (None, "", [], {}):
        told.append(f"Default: `{json.dumps(field['default'])}`.")
    if not required:
        told.append("May be left out.")
    return " ".join(part for part in told if part)


def _type(schema: Mapping[str, Any]) -> str:
    if "$ref" in schema:
        return f"`{schema['$ref'].rpartition('/')[2]}`"
    if "enum" in schema:
        return ", ".join(f"`{one}`" for one in schema["enum"])
    if several := schema.get("anyOf"):
        return " or ".join(_type(one) for one in several)
    if "items" in schema:
        return f"list of {_type(schema['items'])}"
    kind = "null" if schema.get("const", 0) is None else str(schema.get("type", "anything"))
    return f"{kind} ({schema['format']})" if "format" in schema else kind


def main() -> None:
    for path, text in pages().items():
        (ROOT / path).write_text(text(), encoding="utf-8")
        sys.stdout.write(f"Wrote {path}.\n")


if __name__ == "__main__":
    main()
