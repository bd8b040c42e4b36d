"""Serves the built dashboard: plain files, compressed when they were built, under a strict policy.

A page exported for the placeholder segment `_` (`projects/_.html`) answers every value of that
segment; so do the payloads its router asks for (`projects/_.txt`). Names with a hash in them never
change, so browsers keep them; everything else is asked for again, by ETag.
"""

import asyncio
import base64
import hashlib
import mimetypes
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

PREFIX = "/dashboard"
STAMP = ".source"
"""Written last by the build: what is served is read again when it changes."""
_PLACEHOLDER = "_"
_ENCODINGS = {"br": ".br", "gzip": ".gz"}
_INLINE = re.compile(rb"<script(?![^>]*\ssrc=)[^>]*>(.*?)</script>", re.DOTALL)
_POLICY = (
    "default-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'; script-src 'self'"
)
_MISSING = (
    "<!doctype html><html lang=en><meta charset=utf-8><title>AutoStack</title>"
    "<h1>AutoStack is running</h1><p>The dashboard is not built yet. On the server, run "
    "<code>autostack dashboard build</code> and load this page again.</p><p>The "
    "<code>autostack</code> command and the API work without it: <a href=/docs>reference</a>."
    "</p></html>"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """A file, and its compressed forms by the encoding a browser asks for."""

    files: Mapping[str, Path]
    etag: str
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """Everything of one build. `stamp` tells it from another."""

    stamp: int
    assets: Mapping[str, Asset]
    folders: frozenset[str]

    def find(self, path: str) -> Asset | None:
        """What answers this path below the prefix."""
        parts = [part for part in path.split("/") if part]
        if any(part in (".", "..") for part in parts):
            return None
        return self._walk("", parts) if parts else self.assets.get("index.html")

    def _walk(self, base: str, parts: list[str]) -> Asset | None:
        head, *rest = parts
        if not rest:
            names = (base + name for name in _candidates(head))
            return next((self.assets[name] for name in names if name in self.assets), None)
        for segment in (head, _PLACEHOLDER):
            found = base + segment in self.folders and self._walk(f"{base}{segment}/", rest)
            if found:
                return found
        return None


def _candidates(name: str) -> tuple[str, ...]:
    payload = name.endswith(".txt") and not name.startswith("__next")
    return name, f"{name}.html", f"{_PLACEHOLDER}.{'txt' if payload else 'html'}"


def policy(html: bytes) -> str:
    """Only the scripts that were built into this page run, each by its hash."""
    digests = (hashlib.sha256(one).digest() for one in _INLINE.findall(html))
    hashes = dict.fromkeys(f"'sha256-{base64.b64encode(one).decode()}'" for one in digests)
    return " ".join([_POLICY, *hashes])


def load(folder: Path) -> Site:
    files = [file for file in sorted(folder.rglob("*")) if file.is_file()]
    packed = tuple(_ENCODINGS.values())
    assets = {
        file.relative_to(folder).as_posix(): _asset(file, file.relative_to(folder).as_posix())
        for file in files
        if file.suffix not in packed and file.name != STAMP
    }
    folders = {parent.as_posix() for name in assets for parent in Path(name).parents}
    return Site(
        stamp=(folder / STAMP).stat().st_mtime_ns, assets=assets, folders=frozenset(folders)
    )


def _asset(file: Path, name: str) -> Asset:
    body = file.read_bytes()
    forms = {code: file.with_name(file.name + suffix) for code, suffix in _ENCODINGS.items()}
    headers = {"Content-Type": _kind(name), "Vary": "Accept-Encoding"}
    fixed = name.startswith("_next/static/")
    headers["Cache-Control"] = "public, max-age=31536000, immutable" if fixed else "no-cache"
    if name.endswith(".html"):
        headers["Content-Security-Policy"] = policy(body)
        headers["Cross-Origin-Opener-Policy"] = "same-origin"
    return Asset(
        files={"": file} | {code: form for code, form in forms.items() if form.is_file()},
        etag=hashlib.sha256(body).hexdigest()[:20],
        headers=headers,
    )


def _kind(name: str) -> str:
    if name.endswith(".txt"):
        return "text/x-component; charset=utf-8"
    found = mimetypes.guess_type(name)[0] or "application/octet-stream"
    is_text = found.startswith("text/") or found.endswith(("javascript", "json"))
    return f"{found}; charset=utf-8" if is_text else found


def _wanted(headers: Headers) -> list[str]:
    """Encodings the client takes; one with q=0 it does not."""
    offers = [offer.strip() for offer in headers.get("accept-encoding", "").lower().split(",")]
    taken = {name.strip() for name, _, rest in (offer.partition(";") for offer in offers) if
             not re.fullmatch(r"\s*q=0(\.0*)?\s*", rest)}  # fmt: skip
    return [code for code in _ENCODINGS if code in taken]


class Dashboard:
    """An ASGI application below PREFIX. `folder` may be built, or built anew, at any time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._site: Site | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        response = await self._answer(scope["method"], scope["path"], Headers(scope=scope))
        await response(scope, receive, send)

    async def _answer(self, method: str, path: str, headers: Headers) -> Response:
        if method not in ("GET", "HEAD"):
            return Response(status_code=405, headers={"Allow": "GET, HEAD"})
        site = await asyncio.to_thread(self._current)
        if site is None:
            return Response(_MISSING, media_type="text/html; charset=utf-8")
        inside = path.removeprefix(PREFIX)
        found = site.find(inside) if inside in ("", "/") or inside.startswith("/") else None
        if found is None:
            return await _send(site.assets["404.html"], method, headers, status=404)
        return await _send(found, method, headers, status=200)

    def _current(self) -> Site | None:
        try:
            stamp = (self._folder / STAMP).stat().st_mtime_ns
        except OSError:
            return None
        if self._site is None or self._site.stamp != stamp:
            self._site = load(self._folder)
        return self._site


async def _send(asset: Asset, method: str, asked: Headers, *, status: int) -> Response:
    code = next((one for one in _wanted(asked) if one in asset.files), "")
    # Each form has a tag of its own: they are different bytes.
    etag = f'"{asset.etag}{"-" + code if code else ""}"'
    headers = {**asset.headers, "ETag": etag}
    known = [one.strip().removeprefix("W/") for one in asked.get("if-none-match", "").split(",")]
    if status == 200 and etag in known:  # noqa: PLR2004
        return Response(status_code=304, headers=headers)
    if code:
        headers["Content-Encoding"] = code
    body = await asyncio.to_thread(asset.files[code].read_bytes)
    answer = Response(body if method == "GET" else b"", status, headers)
    answer.headers["Content-Length"] = str(len(body))
    return answer
