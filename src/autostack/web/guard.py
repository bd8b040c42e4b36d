"""What every request passes before an endpoint sees it: a known host, a bounded body, a deadline;
and what every answer carries. Plain ASGI, so streams stay streams.
"""

import asyncio
import json
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, cast

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from autostack.core.addresses import is_loopback
from autostack.core.asking import ADDRESS
from autostack.core.errors import AutostackError, Unavailable
from autostack.web.client import address_through
from autostack.web.problems import BodyTooLarge, RequestInvalid, respond_error, respond_unexpected

log = logging.getLogger(__name__)

BODY_LIMIT = 1024 * 1024
BODY_TIME = timedelta(seconds=30)
REQUEST_TIME = timedelta(seconds=90)
LARGE_TIME = timedelta(hours=1)

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
# Escapes that PostgreSQL or UTF-8 cannot hold; looked for before anything is parsed twice.
_SUSPECT = re.compile(rb"\\u(?:d[89a-f]|0000)", re.IGNORECASE)


class HostUnknown(AutostackError):
    status = 421
    hint = "Use this server's address, or have the administrator set AUTOSTACK_PUBLIC_URL."

    def __init__(self) -> None:
        super().__init__("This server is not known by the name you used.")


class RequestTimedOut(Unavailable):
    hint = "Try again; if it happens again, `autostack status` says what is slow."

    def __init__(self) -> None:
        super().__init__("The request took too long and was ended.")
        self.retry_after = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """`hosts` are names besides this machine's addresses; `large` gives patterns of paths that
    take more than `body` bytes. They read their body as a stream, of which each piece comes
    within `body_time` and the last within `large_time`.
    """

    hosts: frozenset[str] = frozenset()
    body: int = BODY_LIMIT
    large: Mapping[str, int] | None = None
    raw: Mapping[str, int] | None = None
    """Patterns of paths whose body, of at most so many bytes, is read whole but not looked into:
    who wrote it is to be proved first."""
    body_time: timedelta = BODY_TIME
    request_time: timedelta = REQUEST_TIME
    large_time: timedelta = LARGE_TIME
    https: bool = False
    trusted: Sequence[str] = ()
    """Proxies whose word about addresses is taken."""


def known_host(host: str, names: frozenset[str]) -> bool:
    """Addresses are always ours to answer for (rebinding needs a name); names must be listed."""
    name = _without_port(host).lower().rstrip(".")
    if is_loopback(name) or name.endswith(".localhost") or name in names:
        return True
    return bool(re.fullmatch(r"[0-9.]+|\[[0-9a-f:.]+\]", name))


def _without_port(host: str) -> str:
    return host if host.endswith("]") else host.rpartition(":")[0] or host


class Guard:
    def __init__(self, app: ASGIApp, rules: Rules) -> None:
        self._app = app
        self._rules = rules

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope.setdefault("state", {})
        ADDRESS.set(address_through(HTTPConnection(scope), self._rules.trusted))
        answer = _Answer(scope, send, https=self._rules.https)
        try:
            checked = await self._check(scope, receive)
            await self._run(scope, checked, answer)
        except AutostackError as error:
            if answer.started:
                raise
            await respond_error(error)(scope, receive, answer.send)
        except Exception:
            if answer.started:
                raise
            # The route and not the path: in some, that is a secret.
            route = getattr(scope.get("route"), "path", "?")
            log.exception("%s %s failed", scope["method"], route)
            await respond_unexpected()(scope, receive, answer.send)

    async def _check(self, scope: Scope, receive: Receive) -> Receive:
        """The body, bounded: read here at once, or on paths for large ones while it is used."""
        headers = Headers(scope=scope)
        self._check_host(scope, headers)
        _check_query(scope)
        limit = self._limit(scope["path"])
        length = headers.get("content-length", "0")
        if not length.isascii() or not length.isdigit():
            raise RequestInvalid("Content-Length is not a number.")
        if self._is_large(scope["path"]):
            # Its endpoint knows the better words for too much.
            return _prompt(_counted(receive, limit), self._rules.body_time)
        if int(length[:20]) > limit:
            raise BodyTooLarge(limit)
        body = await self._read(receive, limit)
        if "json" in headers.get("content-type", "") and not self._is_raw(scope["path"]):
            check_json(body)
        return _replay(body, receive)

    def _check_host(self, scope: Scope, headers: Headers) -> None:
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not known_host(hosts[0], self._rules.hosts):
            # Orchestrators ask for the liveness by addresses nobody configured.
            if scope["path"] == "/health":
                return
            raise HostUnknown

    def _limit(self, path: str) -> int:
        others = {**(self._rules.large or {}), **(self._rules.raw or {})}
        found = [limit for pattern, limit in others.items() if re.fullmatch(pattern, path)]
        return max(found, default=self._rules.body)

    def _is_large(self, path: str) -> bool:
        return any(re.fullmatch(pattern, path) for pattern in self._rules.large or {})

    def _is_raw(self, path: str) -> bool:
        return any(re.fullmatch(pattern, path) for pattern in self._rules.raw or {})

    async def _read(self, receive: Receive, limit: int) -> bytes:
        chunks: list[bytes] = []
        counted = _counted(receive, limit)
        try:
            async with asyncio.timeout(self._rules.body_time.total_seconds()):
                more = True
                while more:
                    message = await counted()
                    chunks.append(message.get("body", b""))
                    more = message["type"] == "http.request" and message.get("more_body", False)
        except TimeoutError as error:
            raise RequestTimedOut from error
        return b"".join(chunks)

    async def _run(self, scope: Scope, receive: Receive, answer: "_Answer") -> None:
        large = self._is_large(scope["path"])
        limit = self._rules.large_time if large else self._rules.request_time
        deadline = asyncio.timeout(limit.total_seconds())
        answer.on_stream = lambda: deadline.reschedule(None)
        try:
            async with deadline:
                await self._app(scope, receive, answer.send)
        except TimeoutError as error:
            if not deadline.expired():
                raise
            raise RequestTimedOut from error


class _Answer:
    """Adds the headers every answer carries, and notices when a stream begins."""

    def __init__(self, scope: Scope, send: Send, *, https: bool) -> None:
        self.started = False
        self.on_stream: Callable[[], None] = lambda: None
        self._scope = scope
        self._send = send
        self._https = https

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.started = True
            headers = MutableHeaders(scope=message)
            for name, value in {**HEADERS, **self._scope["state"].get("headers", {})}.items():
                headers.setdefault(name, value)
            if self._https:
                headers.setdefault("Strict-Transport-Security", "max-age=31536000")
            if headers.get("content-type", "").startswith("text/event-stream"):
                self.on_stream()
        await self._send(message)


def _check_query(scope: Scope) -> None:
    """PostgreSQL fails at NUL. In a path it only leads nowhere, as other wrong words do."""
    if b"%00" in scope["query_string"]:
        raise RequestInvalid("The query holds invalid characters.")


def check_json(body: bytes) -> None:
    """Refuse text that is no text: lone surrogates and NUL."""
    if _SUSPECT.search(body) is None:
        return
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return  # the endpoint's own parser says what is wrong
    if any(not _is_text(text) for text in _texts(value)):
        raise RequestInvalid("The body holds text with invalid characters.")


def _texts(value: Any) -> list[str]:  # noqa: ANN401 - JSON is what it is
    found: list[str] = []
    waiting: list[Any] = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            found.append(one)
        elif isinstance(one, dict):
            fields = cast("dict[str, Any]", one)
            waiting.extend((*fields.keys(), *fields.values()))
        elif isinstance(one, list):
            waiting += one
    return found


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in text


def _counted(receive: Receive, limit: int) -> Receive:
    seen = 0

    async def counted() -> Message:
        nonlocal seen
        message = await receive()
        if message["type"] == "http.request":
            seen += len(message.get("body", b""))
            if seen > limit:
                raise BodyTooLarge(limit)
        return message

    return counted


def _prompt(receive: Receive, limit: timedelta) -> Receive:
    """A body whose sender falls silent is given up."""
    over = False

    async def prompt() -> Message:
        nonlocal over
        if over:
            return await receive()  # the disconnect, whenever it comes
        try:
            async with asyncio.timeout(limit.total_seconds()):
                message = await receive()
        except TimeoutError as error:
            raise RequestTimedOut from error
        over = not message.get("more_body", False)
        return message

    return prompt


def _replay(body: bytes, receive: Receive) -> Receive:
    done = False

    async def replay() -> Message:
        nonlocal done
        if done:
            return await receive()  # the disconnect
        done = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay
