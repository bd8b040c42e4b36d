"""Under which domain apps answer, and so what an environment's address is."""

import ipaddress
import re
import socket

SSLIP = "sslip"
"""Ask for names below sslip.io: they resolve to the address that is written in them."""
HTTP = 80
_LABEL = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)")
_MOST = 190
"""253 for a whole name, less the label in front."""


def checked(domain: str) -> str:
    """In its plain form; it becomes part of rules of the edge, so nothing but a name will do."""
    plain = domain.strip().lower().removesuffix(".")
    labels = plain.split(".")
    if plain == SSLIP:
        return plain
    if len(plain) > _MOST or not all(_LABEL.fullmatch(label) for label in labels):
        raise ValueError("not a domain name; write it like apps.example.com")
    if len(labels) == 1 or labels[-1].isdigit():
        raise ValueError("not a domain of its own; write it like apps.example.com, or sslip")
    return plain


def apps_domain(base_domain: str | None) -> str | None:
    """None where each environment has a loopback address instead."""
    if base_domain != SSLIP:
        return base_domain
    return f"{own_address().replace('.', '-')}.sslip.io"


def own_address() -> str:
    """The address this machine leaves by; behind a router it is a private one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # chooses a route; nothing is sent
        except OSError:
            return "127.0.0.1"
        return str(probe.getsockname()[0])


def place(hostname: str, loopback: str, *, domain: str | None, edge_port: int) -> str:
    """Where an environment answers by http, without scheme."""
    if domain is None:
        return f"{loopback}:{edge_port}"
    port = "" if edge_port == HTTP else f":{edge_port}"
    return f"{hostname}.{domain}{port}"


def shortfalls(base_domain: str | None, edge_port: int) -> list[str]:
    """What whoever set a base domain should know; empty without one."""
    if base_domain is None:
        return []
    said = ["Apps are served by plain http: certificates for them are not made yet."]
    if edge_port != HTTP:
        said.append(f"Their addresses end in :{edge_port}; AUTOSTACK_EDGE_PORT=80 saves that.")
    if base_domain == SSLIP and not ipaddress.ip_address(own_address()).is_global:
        said.append(
            f"{own_address()} is a private address. Where others reach this machine by another, "
            "write it out: AUTOSTACK_BASE_DOMAIN=203-0-113-7.sslip.io"
        )
    return said
