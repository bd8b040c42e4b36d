"""How this platform's private network is divided, and what is said about it inside."""

import ipaddress
import socket
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

from autostack.core.host import Host

# Public resolvers, used where the host's own cannot be reached from a private network.
PUBLIC_RESOLVERS = ("1.1.1.1", "9.9.9.9")
RESOLV_CONF = Path("/etc/resolv.conf")
SYSTEMD_UPSTREAM = Path("/run/systemd/resolve/resolv.conf")


class Plugged(Protocol):
    """What of a sandbox decides about its plug."""

    @property
    def id(self) -> UUID: ...
    @property
    def uid(self) -> int: ...
    @property
    def address(self) -> str | None: ...


def whole(host: Host) -> ipaddress.IPv4Network:
    """The bridge's network: the half features allocate from, and the half kept for builds."""
    assert host.subnet is not None
    return ipaddress.IPv4Network(host.subnet).supernet()


def gateway(host: Host) -> str:
    """The bridge's own address: the last one, which nobody allocates."""
    return str(whole(host).broadcast_address - 1)


def build_address(host: Host, uid: int) -> str:
    """As unique as the uid is."""
    assert host.subnet is not None
    given = ipaddress.IPv4Network(host.subnet)
    kept = next(half for half in whole(host).subnets() if half != given)
    return str(kept[1 + (uid - host.first_uid) % (kept.num_addresses - 4)])


def plug(host: Host, box: Plugged) -> dict[str, Any]:
    """What the launcher needs to connect a sandbox to the bridge."""
    return {
        "bridge": host.bridge,
        "link": f"as{box.id.hex[-12:]}",
        "address": box.address or build_address(host, box.uid),
        "prefix": whole(host).prefixlen,
        "gateway": gateway(host),
        "forwards": [],
        "carries": [],
    }


def resolv_conf(*, own: bool) -> str:
    """What a sandbox finds in /etc/resolv.conf, with a network of its `own` or the host's."""
    text = _read(RESOLV_CONF)
    if not own:
        return text
    if _has_loopback(text):
        text = _read(SYSTEMD_UPSTREAM)
    kept = [line for line in text.splitlines() if not _unreachable(line)]
    if not any(line.startswith("nameserver") for line in kept):
        kept += [f"nameserver {address}" for address in PUBLIC_RESOLVERS]
    return "\n".join(kept) + "\n"


def _read(file: Path) -> str:
    try:
        return file.read_text()
    except OSError:
        return ""


def _has_loopback(text: str) -> bool:
    return any(_unreachable(line) for line in text.splitlines())


def _unreachable(line: str) -> bool:
    """A resolver on this host itself, or one by IPv6, which sandboxes do not have."""
    parts = line.split()
    if len(parts) < 2 or parts[0] != "nameserver":  # noqa: PLR2004 - name and value
        return False
    return ":" in parts[1] or _is_here(parts[1])


def _is_here(address: str) -> bool:
    """Whether it is one of this host's own addresses: only those can be bound."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return False
    return True
