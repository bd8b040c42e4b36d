"""Just enough nftables over netlink; neither `nft` nor `iptables` need be installed.

A table is replaced as a whole and atomically, so that applying it again is harmless. Numbers
are those of <linux/netfilter/nf_tables.h>. Imported by the launcher: keep its imports few.
"""

import os
import socket
import struct
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from autostack.drivers.machine.netlink import attribute, text

Expression = bytes
Rule = Sequence[Expression]

INET, IPV4 = 1, 2
FAMILIES = {INET: "inet", IPV4: "ip"}
DROP, ACCEPT = 0, 1
PREROUTING, INPUT, FORWARD, POSTROUTING = 0, 1, 2, 4
ESTABLISHED_OR_RELATED = 2 | 4
TCP, UDP = 6, 17

_NETFILTER, _SUBSYSTEM = 12, 10
_BEGIN, _END = 0x10, 0x11
_NEWTABLE, _GETTABLE, _DELTABLE, _NEWCHAIN, _NEWRULE = 0, 1, 2, 3, 6
_REQUEST, _ACK, _CREATE, _APPEND = 0x1, 0x4, 0x400, 0x800
_ERROR, _DONE, _NESTED = 2, 3, 0x8000
_GETCHAIN, _DUMP = 4, 0x300
_HOOK, _POLICY = 4, 5
_EQUAL, _DIFFERENT = 0, 1


class Table:
    """One table, gathered as data; `apply` sends it."""

    def __init__(self, family: int, name: str) -> None:
        self._family = family
        self._name = name
        table = text(1, name)
        # Made, removed and made again: then it is new whatever was there before.
        self._messages = [
            self._message(_NEWTABLE, table, _CREATE),
            self._message(_DELTABLE, table),
        ]
        self._gone = list(self._messages)
        self._messages.append(self._message(_NEWTABLE, table, _CREATE))

    def chain(self, kind: str, hook: int, priority: int, rules: Iterable[Rule]) -> None:
        """A base chain (`filter` or `nat`) with accept as its policy."""
        name = f"{kind}{hook}"
        place = _nested(4, _be(1, hook) + attribute(2, struct.pack(">i", priority)))
        body = text(1, self._name) + text(3, name) + place + _be(5, ACCEPT) + text(7, kind)
        self._messages.append(self._message(_NEWCHAIN, body, _CREATE))
        for rule in rules:
            parts = _nested(4, b"".join(_nested(1, expression) for expression in rule))
            body = text(1, self._name) + text(2, name) + parts
            self._messages.append(self._message(_NEWRULE, body, _CREATE | _APPEND))

    def apply(self) -> None:
        """In this thread's network namespace. OSError as the kernel says."""
        _send(self._messages)

    def remove(self) -> None:
        """Removing what is gone is not an error."""
        _send(self._gone)

    def exists(self) -> bool:
        """Whether a table of this name is there; what it holds is not compared."""
        kind, flags, body = self._message(_GETTABLE, text(1, self._name))
        head = struct.pack("=IHHII", 16 + len(body), kind, flags & ~_ACK, 1, 0)
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETFILTER) as netlink:
            netlink.settimeout(5)
            netlink.send(head + body)
            return bool(struct.unpack_from("=IH", netlink.recv(65536))[1] != _ERROR)

    def _message(self, kind: int, body: bytes, flags: int = 0) -> tuple[int, int, bytes]:
        head = struct.pack(">BBH", self._family, 0, 0)
        return (_SUBSYSTEM << 8) | kind, _REQUEST | _ACK | flags, head + body


class Chain(NamedTuple):
    """A base chain of anybody's."""

    family: int
    table: str
    name: str


def dropping(hook: int) -> list[Chain]:
    """Chains of this hook that see IPv4 and drop what none of their rules accepts."""
    return [
        chain
        for chain, place, policy in _base_chains()
        if place == hook and policy == DROP and chain.family in {INET, IPV4}
    ]


def _base_chains() -> Iterator[tuple[Chain, int, int]]:
    """Each with its hook and policy."""
    head = struct.pack("=IHHII", 20, (_SUBSYSTEM << 8) | _GETCHAIN, _REQUEST | _DUMP, 1, 0)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETFILTER) as netlink:
        netlink.settimeout(5)
        netlink.send(head + struct.pack(">BBH", 0, 0, 0))
        while True:
            data = netlink.recv(1 << 18)
            while data:
                size, kind = struct.unpack_from("=IH", data)
                if kind in {_DONE, _ERROR}:
                    return
                told = dict(_attributes(data[20:size]))
                if _HOOK in told:
                    place = struct.unpack(">I", dict(_attributes(told[_HOOK]))[1])[0]
                    policy = struct.unpack(">I", told.get(_POLICY, b"\0\0\0\1"))[0]
                    names = (told[key].rstrip(b"\0").decode() for key in (1, 3))
                    yield Chain(data[16], *names), place, policy
                data = data[(size + 3) & ~3 :]


def _attributes(data: bytes) -> Iterator[tuple[int, bytes]]:
    while len(data) >= 4:  # noqa: PLR2004 - a header
        size, kind = struct.unpack_from("=HH", data)
        yield kind & ~_NESTED, data[4:size]
        data = data[(size + 3) & ~3 :]


def _send(messages: Sequence[tuple[int, int, bytes]]) -> None:
    edge = struct.pack(">BBH", 0, 0, _SUBSYSTEM)
    batch = [(_BEGIN, _REQUEST, edge), *messages, (_END, _REQUEST, edge)]
    packed = b"".join(
        struct.pack("=IHHII", 16 + len(body), kind, flags, sequence, 0) + body
        for sequence, (kind, flags, body) in enumerate(batch)
    )
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETFILTER) as netlink:
        netlink.settimeout(5)
        netlink.send(packed)
        _await(netlink, len(messages))


def _await(netlink: socket.socket, count: int) -> None:
    """One acknowledgement a message; the first refusal undoes the whole batch."""
    while count > 0:
        data = netlink.recv(65536)
        while data:
            size, kind = struct.unpack_from("=IH", data)
            code = struct.unpack_from("=i", data, 16)[0] if kind == _ERROR else 0
            if code:
                raise OSError(-code, f"nftables: {os.strerror(-code)}")
            count -= 1
            data = data[(size + 3) & ~3 :]


# Expressions. Each compares or acts through register 1.


def from_link(name: str) -> list[Expression]:
    return [_meta(6), _compare(name.encode().ljust(16, b"\0"))]


def to_link(name: str, *, but: bool = False) -> list[Expression]:
    wanted = name.encode().ljust(16, b"\0")
    return [_meta(7), _compare(wanted, _DIFFERENT if but else _EQUAL)]


def only_ipv4() -> list[Expression]:
    return [_meta(15), _compare(b"\x02")]


def source_in(network: str, prefix: int) -> list[Expression]:
    return _address(12, network, prefix)


def destination_in(network: str, prefix: int) -> list[Expression]:
    return _address(16, network, prefix)


def known_connection() -> list[Expression]:
    state = _expression("ct", _be(1, 1) + _be(2, 0))
    bits = struct.pack("=I", ESTABLISHED_OR_RELATED)
    return [state, _mask(bits), _compare(b"\0" * 4, _DIFFERENT)]


def port(protocol: int, number: int) -> list[Expression]:
    destination = _expression("payload", _be(1, 1) + _be(2, 2) + _be(3, 2) + _be(4, 2))
    return [
        _meta(16), _compare(bytes([protocol])), destination, _compare(struct.pack(">H", number)),
    ]  # fmt: skip


def verdict(code: int) -> list[Expression]:
    inner = _nested(2, _nested(2, _be(1, code)))
    return [_expression("immediate", _be(1, 0) + inner)]


def masquerade() -> list[Expression]:
    return [_expression("masq", b"")]


def redirect_to(address: str) -> list[Expression]:
    """Destination NAT that leaves the port as it is."""
    value = _nested(2, attribute(1, socket.inet_aton(address)))
    kind = _be(1, 1) + _be(2, IPV4) + _be(3, 1)
    return [_expression("immediate", _be(1, 1) + value), _expression("nat", kind)]


def _address(offset: int, network: str, prefix: int) -> list[Expression]:
    loaded = _expression("payload", _be(1, 1) + _be(2, 1) + _be(3, offset) + _be(4, 4))
    mask = struct.pack(">I", (0xFFFFFFFF << (32 - prefix)) & 0xFFFFFFFF)
    return [loaded, _mask(mask), _compare(socket.inet_aton(network))]


def _meta(key: int) -> Expression:
    return _expression("meta", _be(1, 1) + _be(2, key))


def _compare(value: bytes, operator: int = _EQUAL) -> Expression:
    return _expression("cmp", _be(1, 1) + _be(2, operator) + _nested(3, attribute(1, value)))


def _mask(mask: bytes) -> Expression:
    body = _be(1, 1) + _be(2, 1) + _be(3, len(mask))
    nothing = attribute(1, b"\0" * len(mask))
    return _expression("bitwise", body + _nested(4, attribute(1, mask)) + _nested(5, nothing))


def _expression(name: str, body: bytes) -> Expression:
    return text(1, name) + _nested(2, body)


def _nested(kind: int, body: bytes) -> bytes:
    return attribute(kind | _NESTED, body)


def _be(kind: int, value: int) -> bytes:
    return attribute(kind, struct.pack(">I", value))
