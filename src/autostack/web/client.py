"""Who asks, and how: the peer's address and scheme, through proxies we were told to trust."""

from collections.abc import Sequence
from ipaddress import ip_address, ip_network

from fastapi import Request
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection

from autostack.core.addresses import is_loopback

_FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip")


def client_address(peer: str, forwarded_for: str, trusted: Sequence[str]) -> str:
    """The rightmost address no trusted proxy stands behind; other headers are never believed."""
    if not _within(peer, trusted):
        return peer
    for hop in reversed([part.strip() for part in forwarded_for.split(",") if part.strip()]):
        if not _is_address(hop):
            return peer
        if not _within(hop, trusted):
            return hop
    return peer


async def address_of(request: Request) -> str:
    return address_through(request, request.app.state.settings.trusted_proxies)


def address_through(connection: HTTPConnection, trusted: Sequence[str]) -> str:
    """Where it comes from; `trusted` are proxies whose word about that is taken."""
    forwarded = connection.headers.get("x-forwarded-for", "")
    return client_address(_peer(connection), forwarded, trusted)


def is_https(request: Request) -> bool:
    """Whether the browser speaks https to us or to the proxy before us."""
    settings = request.app.state.settings
    if settings.public_url and settings.public_url.startswith("https://"):
        return True
    if _within(_peer(request), settings.trusted_proxies):
        return request.headers.get("x-forwarded-proto", request.url.scheme) == "https"
    return request.url.scheme == "https"


def is_local(request: Request) -> bool:
    """A program on this machine that asks us itself, with no proxy in between."""
    return is_loopback(_peer(request)) and not _is_forwarded(request.headers)


def _peer(connection: HTTPConnection) -> str:
    return connection.client.host if connection.client else ""


def _is_forwarded(headers: Headers) -> bool:
    return any(name in headers for name in _FORWARDED)


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _within(text: str, networks: Sequence[str]) -> bool:
    if not networks or not _is_address(text):
        return False
    address = ip_address(text)
    return any(address in ip_network(network, strict=False) for network in networks)
