"""The API reference as one plain page, made from the OpenAPI document: no scripts, no requests to
other hosts, so it works behind a strict content policy and without the internet.
"""

import json
from collections.abc import Iterator
from html import escape
from typing import Any

Json = dict[str, Any]

POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:62rem;margin:2rem auto;padding:0 1rem}
h2{margin-top:2.5rem;border-bottom:1px solid #d8dbe2}
details{margin:.4rem 0;padding:.5rem .8rem;border:1px solid #d8dbe2;border-radius:6px}
summary{cursor:pointer}b{display:inline-block;min-width:4.5rem}
code,pre{font:14px/1.5 ui-monospace,monospace}
pre{background:#f4f5f7;padding:.8rem;overflow:auto}
@media(prefers-color-scheme:dark){body{background:#111318;color:#e6e8ee}
pre{background:#1b1e25}details,h2{border-color:#333844}a{color:#8ab4ff}}
"""


def page(document: Json) -> str:
    title = escape(document["info"]["title"])
    return (
        "<!doctype html><html lang=en><meta charset=utf-8>"
        "<meta name=viewport content='width=device-width,initial-scale=1'>"
        f"<title>{title} API</title><style>{_STYLE}</style><h1>{title} API</h1>"
        f"<p>{escape(document['info'].get('description', ''))} "
        "The same as a document for programs: <a href=/openapi.json>/openapi.json</a>.</p>"
        + "".join(_sections(document))
        + "<h2>Schemas</h2>"
        + "".join(_schema(*entry) for entry in document["components"]["schemas"].items())
        + "</html>"
    )


def _sections(document: Json) -> Iterator[str]:
    last = None
    for tag, path, method, operation in sorted(_operations(document), key=lambda one: one[:2]):
        if tag != last:
            yield f"<h2>{escape(tag)}</h2>"
            last = tag
        yield _operation(path, method, operation)


def _operations(document: Json) -> Iterator[tuple[str, str, str, Json]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield operation.get("tags", ["other"])[0], path, method, operation


def _operation(path: str, method: str, operation: Json) -> str:
    return (
        f"<details><summary><b>{method.upper()}</b> <code>{escape(path)}</code> "
        f"{escape(operation.get('summary', ''))}</summary>"
        f"<p>{escape(operation.get('description', ''))}</p>"
        + "".join(_parameter(one) for one in operation.get("parameters", []))
        + _content("Body", operation.get("requestBody", {}))
        + "".join(
            f"<p><code>{escape(status)}</code> {escape(answer.get('description', ''))}</p>"
            + _content("", answer)
            for status, answer in operation["responses"].items()
        )
        + "</details>"
    )


def _parameter(one: Json) -> str:
    needed = "" if one.get("required") else ", optional"
    return f"<p><code>{escape(one['name'])}</code> in {escape(one['in'])}{needed}</p>"


def _content(label: str, holder: Json) -> str:
    found = [_name(content.get("schema", {})) for content in holder.get("content", {}).values()]
    return f"<p>{label} <code>{escape(', '.join(found))}</code></p>" if found else ""


def _name(schema: Json) -> str:
    return str(schema.get("$ref", schema.get("type", "any"))).rpartition("/")[2]


def _schema(name: str, schema: Json) -> str:
    text = escape(json.dumps(schema, indent=2, ensure_ascii=False))
    return (
        f"<details id='{escape(name)}'><summary>{escape(name)}</summary><pre>{text}</pre></details>"
    )
