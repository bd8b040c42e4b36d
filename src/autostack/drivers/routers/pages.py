"""The platform's own pages: no such host, app stopped, app down. Pure: a request in, a reply out.

Kept to a few modules of the standard library: the process that serves them should be small.
"""

import base64
import html
import json

TEXTS = {
    "unknown": (404, "Nothing here", "No application answers at this address."),
    "stopped": (503, "{name} is not running", "It was stopped, or not deployed yet."),
    "restarting": (503, "One moment", "The edge is being restarted; try again."),
    "down": (502, "{name} does not answer", "It may be starting again; try in a moment."),
}
STYLE = (
    ":root{color-scheme:light dark}"
    "body{font:16px/1.5 system-ui,sans-serif;display:grid;place-content:center;min-height:90vh;"
    "margin:0;padding:1rem;text-align:center;overflow-wrap:anywhere;"
    "background:light-dark(#fff,#0b0d10);color:light-dark(#1a1d21,#e6e8eb)}"
    "h1{font-size:1.4rem;margin:0 0 .5rem}p{margin:0;opacity:.75}"
)


def address_of(kind: str, name: str) -> str:
    """The path of a page. The name is wrapped so that no character of it means anything."""
    wrapped = base64.urlsafe_b64encode(name.encode("utf-8", "replace")).decode().rstrip("=")
    return f"/{kind}/{wrapped}"


def answer(request: bytes) -> bytes:
    """The whole reply to a request's head."""
    lines = request.split(b"\r\n")
    _, path, *_ = [*lines[0].decode("latin-1").split(" "), "", ""]
    wanted = b"".join(line for line in lines if line.lower().startswith(b"accept:")).lower()
    status, title, text = _texts(path)
    if b"application/json" in wanted and b"text/html" not in wanted:
        kind, body = "application/json", _json(status, title, text)
    else:
        kind, body = "text/html; charset=utf-8", _html(title, text)
    head = (
        f"HTTP/1.1 {status} -\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
        "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
        "Referrer-Policy: no-referrer\r\n"
        "Content-Security-Policy: default-src 'none'; style-src 'unsafe-inline'; "
        "frame-ancestors 'none'\r\nConnection: close\r\n\r\n"
    ).encode()
    return head if request.startswith(b"HEAD ") else head + body


def _texts(path: str) -> tuple[int, str, str]:
    kind, _, wrapped = path.strip("/").partition("/")
    status, title, text = TEXTS.get(kind, TEXTS["unknown"])
    return status, title.format(name=_name(wrapped)), text


def _name(wrapped: str) -> str:
    try:
        name = base64.b64decode(wrapped + "=" * (-len(wrapped) % 4), b"-_", validate=True)
    except ValueError:
        return "The application"
    return name.decode("utf-8", "replace")[:200] or "The application"


def _html(title: str, text: str) -> bytes:
    title = html.escape(title)
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{title}</title><style>{STYLE}</style><main><h1>{title}</h1><p>{text}</p></main>\n"
    ).encode("utf-8", "replace")


def _json(status: int, title: str, text: str) -> bytes:
    return json.dumps({"status": status, "title": title, "detail": text}).encode() + b"\n"
