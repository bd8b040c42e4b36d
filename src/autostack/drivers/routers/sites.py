"""The one server of all static sites: where it listens, and how Caddy is told what to do.

The edge names a site by a header, below a root that holds all of them, so that no site ever needs
a reload. A second header, known to the edge and to Caddy only, keeps other local users out.
"""

import asyncio
import json
import os
import secrets
import socket
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

from autostack.core.home import Home
from autostack.drivers.routers.documents import KEY, SITE, Sites
from autostack.engine.errors import SwitchUnconfirmed

Document = dict[str, Any]

PAUSE = 0.05
_PATH = "{http.request.uri.path}"


def known(home: Home) -> bool:
    """Whether there has been a static site on this platform."""
    return _file(home).exists()


def remembered(home: Home) -> Sites:
    """The server's address and key, chosen at the first static site and kept."""
    try:
        return _read(home)
    except FileNotFoundError:
        _choose(home)
        return _read(home)


async def until_open(sites: Sites, *, limit: timedelta) -> None:
    """Return when the server takes connections: right after its start it does not yet."""
    host, _, port = sites.address.rpartition(":")
    try:
        async with asyncio.timeout(limit.total_seconds()):
            while True:
                if await _opens(host, int(port)):
                    return
                await asyncio.sleep(PAUSE)
    except TimeoutError:
        raise SwitchUnconfirmed(limit.total_seconds()) from None


async def _opens(host: str, port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(host, port)
    except OSError:
        return False
    writer.close()
    return True


def _file(home: Home) -> Path:
    return home.secrets / "sites.json"


def _read(home: Home) -> Sites:
    kept: Mapping[str, Any] = json.loads(_file(home).read_text())
    return Sites(address=f"127.0.0.1:{kept['port']}", root=home.artifacts, key=kept["key"])


def _choose(home: Home) -> None:
    """Whole or not at all; whoever comes second keeps what the first one wrote."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    draft = _file(home).with_suffix(f".{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump({"port": port, "key": secrets.token_hex(16)}, file)
    try:
        os.link(draft, _file(home))
    except FileExistsError:
        pass
    finally:
        draft.unlink()


def caddy(sites: Sites) -> Document:
    """Caddy's whole configuration. A file, a directory's index, the name with `.html`; else the
    site's own 404 page; else, without one, its start page: it is a single-page application
    (the rule of Cloudflare Pages).
    """
    server = {
        "listen": [sites.address],
        "automatic_https": {"disable": True},
        "protocols": ["h1"],
        "routes": [
            {
                "match": [{"header": {KEY: [sites.key]}}],
                "handle": [{"handler": "subroute", "routes": _site(sites.root)}],
                "terminal": True,
            },
            {"handle": [{"handler": "static_response", "status_code": 404}]},
        ],
    }
    return {
        "admin": {"disabled": True, "config": {"persist": False}},
        "logging": {"logs": {"default": {"level": "ERROR"}}},
        "apps": {"http": {"servers": {"sites": server}}},
    }


def _site(root: Path) -> list[Document]:
    below = f"{root}/{{http.request.header.{SITE}}}"
    return [
        {"handle": [{"handler": "vars", "root": below}, _encode()]},
        _first([_PATH, f"{_PATH}/", f"{_PATH}.html"]),
        {**_first(["/404.html"]), "handle": _serve("/404.html", status=404)},
        {
            "match": [{"not": [{"path_regexp": {"pattern": r"\.[^/]*$"}}]}],
            "handle": _serve("/index.html"),
            "terminal": True,
        },
        {"handle": [{"handler": "static_response", "status_code": 404}]},
    ]


def _first(candidates: list[str]) -> Document:
    return {
        "match": [{"file": {"try_files": candidates}}],
        "handle": _serve("{http.matchers.file.relative}"),
        "terminal": True,
    }


def _serve(path: str, *, status: int | None = None) -> list[Document]:
    served: Document = {"handler": "file_server", "hide": [".*"]}
    if status is not None:
        served["status_code"] = status
    return [{"handler": "rewrite", "uri": path}, served]


def _encode() -> Document:
    return {
        "handler": "encode",
        "encodings": {"zstd": {}, "gzip": {}},
        "prefer": ["zstd", "gzip"],
        "minimum_length": 512,
    }
