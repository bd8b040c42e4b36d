"""Talking to addresses a user can influence: resolved once, every answer checked, and the
connection goes to the address that was checked. No redirects, no proxies from the environment,
bounded in size and time.
"""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from ipaddress import ip_address

import httpx

from autostack.core.addresses import (
    HostRefused,
    IPAddress,
    PrivateHosts,
    as_address,
    checked_answers,
    checked_host,
)

Lookup = Callable[[str, int], Awaitable[tuple[IPAddress, ...]]]

RESOLVE_LIMIT = timedelta(seconds=5)
ANSWER_LIMIT = 1024 * 1024


class Unresolvable(httpx.ConnectError):
    """The name has no address, or no answer came in time."""


class AnswerTooLarge(httpx.ReadError):
    """The answer grew past what we read of a stranger's host."""


async def look_up(host: str, port: int) -> tuple[IPAddress, ...]:
    """Ask the machine's resolver; IPv4 first, as most servers have no IPv6 route."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(RESOLVE_LIMIT.total_seconds()):
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, TimeoutError, UnicodeError) as error:
        raise Unresolvable(f"{host} has no address") from error
    addresses = {ip_address(str(entry[4][0]).partition("%")[0]) for entry in found}
    return tuple(sorted(addresses, key=lambda one: (one.version, int(one))))


async def resolve(
    host: str, port: int, *, private: PrivateHosts, lookup: Lookup = look_up
) -> tuple[IPAddress, ...]:
    """Addresses a connection to this host may use. `HostRefused` when any answer is private,
    `Unresolvable` when there is none.
    """
    name = checked_host(host, private)
    literal = as_address(name)
    answers = (literal,) if literal else await lookup(name, port)
    if not answers:
        raise Unresolvable(f"{host} has no address")
    return checked_answers(name, answers, private)


def outbound_client(
    private: PrivateHosts,
    *,
    limit: timedelta = timedelta(seconds=10),
    answer_limit: int = ANSWER_LIMIT,
    lookup: Lookup = look_up,
) -> httpx.AsyncClient:
    """The client for every URL a user can influence. `limit` bounds a whole request; a host that
    is not allowed raises `HostRefused`, everything else is httpx's own tree of errors.
    """
    transport = _Guarded(private, limit=limit, answer_limit=answer_limit, lookup=lookup)
    return httpx.AsyncClient(
        transport=transport,
        follow_redirects=False,
        trust_env=False,
        timeout=limit.total_seconds(),
        headers={"Accept-Encoding": "identity"},
    )


class _Guarded(httpx.AsyncBaseTransport):
    def __init__(
        self, private: PrivateHosts, *, limit: timedelta, answer_limit: int, lookup: Lookup
    ) -> None:
        self._private = private
        self._seconds = limit.total_seconds()
        self._answer_limit = answer_limit
        self._lookup = lookup
        # Connections are not kept: two names on one address must never share one.
        self._inner = httpx.AsyncHTTPTransport(
            trust_env=False, limits=httpx.Limits(max_keepalive_connections=0, max_connections=20)
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        deadline = asyncio.get_running_loop().time() + self._seconds
        try:
            async with asyncio.timeout_at(deadline):
                pinned = await self._pin(request)
                response = await self._inner.handle_async_request(pinned)
        except TimeoutError as error:
            raise httpx.ReadTimeout("The host took too long.", request=request) from error
        return await self._bounded(response, request, deadline=deadline)

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def _pin(self, request: httpx.Request) -> httpx.Request:
        """The same request to the checked address; Host and the certificate's name stay."""
        url = request.url
        if url.scheme not in {"http", "https"}:
            raise HostRefused(url.host, f"{url.scheme}:// is not taken")
        if url.userinfo:
            raise HostRefused(url.host, "the address contains credentials")
        # The host as it was written: httpx would fold other scripts' digits into ASCII.
        host = url.raw_host.decode("ascii")
        port = url.port or (443 if url.scheme == "https" else 80)
        addresses = await resolve(host, port, private=self._private, lookup=self._lookup)
        return httpx.Request(
            request.method,
            url.copy_with(host=str(addresses[0])),
            headers=request.headers,
            stream=request.stream,
            extensions={**request.extensions, "sni_hostname": host},
        )

    async def _bounded(
        self, response: httpx.Response, request: httpx.Request, *, deadline: float
    ) -> httpx.Response:
        if response.headers.get("content-encoding", "identity") != "identity":
            await response.aclose()
            raise AnswerTooLarge("The host answered compressed though asked not to.")
        assert isinstance(response.stream, httpx.AsyncByteStream)
        return httpx.Response(
            response.status_code,
            headers=response.headers,
            stream=_Bounded(response.stream, limit=self._answer_limit, deadline=deadline),
            extensions=response.extensions,
            request=request,
        )


class _Bounded(httpx.AsyncByteStream):
    def __init__(self, inner: httpx.AsyncByteStream, *, limit: int, deadline: float) -> None:
        self._inner = inner
        self._limit = limit
        self._deadline = deadline

    async def __aiter__(self) -> AsyncIterator[bytes]:
        left = self._limit
        pieces = aiter(self._inner)
        while True:
            try:
                async with asyncio.timeout_at(self._deadline):
                    piece = await anext(pieces, None)
            except TimeoutError as error:
                raise httpx.ReadTimeout("The host took too long.") from error
            if piece is None:
                return
            left -= len(piece)
            if left < 0:
                raise AnswerTooLarge("The host's answer is too large.")
            yield piece

    async def aclose(self) -> None:
        await self._inner.aclose()
