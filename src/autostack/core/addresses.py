"""Which hosts a user's address may lead to. Decided on names and IP addresses; nothing is asked.

Python's `is_global` alone is not enough: it says yes to multicast, to site-local addresses and to
IPv6 forms that carry an IPv4 address (mapped, 6to4, NAT64, Teredo), so those are unwrapped first.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

from autostack.core.errors import Invalid

IPAddress = IPv4Address | IPv6Address
IPNetwork = IPv4Network | IPv6Network

_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)", re.ASCII)
_NUMERIC = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)
_NEVER = tuple(
    ip_network(text)
    for text in (
        "192.88.99.0/24",  # 6to4 relays, withdrawn
        "fec0::/10",  # site-local, withdrawn; is_global says yes
        "64:ff9b:1::/48",  # local-use NAT64
        "::/96",  # IPv4-compatible, withdrawn
        "100::/64",  # discard
    )
)
_LONGEST_NAME = 253
_NAT64 = ip_network("64:ff9b::/96")
_PROVIDERS = frozenset({"metadata.google.internal", "metadata.goog", "instance-data"})


class HostRefused(Invalid):
    """A host this platform does not talk to on a user's behalf."""

    hint = "Use a public host, or have the administrator list it in AUTOSTACK_PRIVATE_HOSTS."

    def __init__(self, host: str, reason: str) -> None:
        super().__init__(f"{host!r} is not allowed: {reason}.")
        self.reason = reason


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivateHosts:
    """Hosts the administrator opened although they are private: names and networks."""

    names: frozenset[str] = frozenset()
    networks: tuple[IPNetwork, ...] = field(default=())

    def names_host(self, host: str) -> bool:
        """Whether this very host is listed: its name, or an address inside a listed network."""
        literal = as_address(host)
        return self.covers(literal) if literal else host.rstrip(".").lower() in self.names

    def covers(self, address: IPAddress) -> bool:
        return any(
            address.version == network.version and address in network for network in self.networks
        )


def private_hosts(entries: Sequence[str]) -> PrivateHosts:
    """From settings: `git.internal`, `10.0.0.0/8`, `127.0.0.1`."""
    names: set[str] = set()
    networks: list[IPNetwork] = []
    for entry in entries:
        try:
            networks.append(ip_network(entry.strip("[]"), strict=False))
        except ValueError:
            names.add(entry.rstrip(".").lower())
    return PrivateHosts(names=frozenset(names), networks=tuple(networks))


def as_address(host: str) -> IPAddress | None:
    """The address a host spells out in its one canonical way, else None."""
    if not host.isascii() or "%" in host:
        return None
    try:
        return ip_address(host)
    except ValueError:
        return None


def checked_name(host: str) -> str:
    """The host in its plain form, or `HostRefused`.

    `127.1`, `0x7f.1`, `2130706433` and digits of other scripts are addresses to the resolver
    while they look like names, so a name never ends in a number and is ASCII.
    """
    if not host.isascii():
        raise HostRefused(host, "write an international name in its xn-- form")
    name = host.lower().removesuffix(".")
    if as_address(name):
        return name
    labels = name.split(".")
    if len(name) > _LONGEST_NAME or not all(_LABEL.fullmatch(label) for label in labels):
        raise HostRefused(host, "it is not a host name")
    if _NUMERIC.fullmatch(labels[-1]):
        raise HostRefused(host, "it is neither a name nor an address in its usual form")
    return name


def checked_host(host: str, private: PrivateHosts) -> str:
    """`checked_name`, and what can be said without asking a resolver."""
    name = checked_name(host)
    if private.names_host(name):
        return name
    literal = as_address(name)
    if literal and (reason := why_not_public(literal)):
        raise HostRefused(host, reason)
    # A listed network may have such names; then what they resolve to decides.
    if literal is None and _is_local(name) and not private.networks:
        raise HostRefused(host, "it is a name of this machine or its provider")
    return name


def checked_answers(
    host: str, answers: Sequence[IPAddress], private: PrivateHosts
) -> tuple[IPAddress, ...]:
    """The addresses a name led to; every one must be allowed, not just the first."""
    if private.names_host(host):
        return tuple(answers)
    for address in answers:
        reason = why_not_public(address)
        if reason and not private.covers(address):
            raise HostRefused(host, reason)
    return tuple(answers)


def why_not_public(address: IPAddress) -> str | None:
    """None for an address on the public internet, else the reason in words."""
    inner = _carried(address)
    if inner is not None:
        return why_not_public(inner)
    if address.is_loopback or address.is_unspecified:
        return "it is an address of this machine"
    if address.is_multicast or address.is_reserved or not address.is_global or _never(address):
        return "it is not a public address"
    return None


def _never(address: IPAddress) -> bool:
    return any(address.version == one.version and address in one for one in _NEVER)


def _carried(address: IPAddress) -> IPv4Address | None:
    """The IPv4 address inside an IPv6 one, which is where a packet may end."""
    if isinstance(address, IPv4Address):
        return None
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    if address.teredo:
        return address.teredo[1]
    return address.ipv4_mapped or address.sixtofour


def _is_local(name: str) -> bool:
    return (
        name == "localhost"
        or name.endswith((".localhost", ".local", ".internal"))
        or "." not in name
        or name in _PROVIDERS
    )


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
