"""Just enough rtnetlink to plug a sandbox into a bridge. Imported by the launcher."""

import fcntl
import os
import socket
import struct

REQUEST, ACK, REPLACE, CREATE, EXCL = 0x1, 0x4, 0x100, 0x400, 0x200
ERROR = 2
NEWLINK, DELLINK, NEWADDR, NEWROUTE = 16, 17, 20, 24
IFLA_ADDRESS, IFLA_IFNAME, IFLA_MASTER, IFLA_LINKINFO, IFLA_NET_NS_FD = 1, 3, 10, 18, 28
INFO_KIND, INFO_DATA, VETH_PEER = 1, 2, 1
IFA_ADDRESS, IFA_LOCAL, IFA_BROADCAST = 1, 2, 4
RTA_GATEWAY = 5
UP = 1
SIOCGIFINDEX = 0x8933
SETLINK, IFLA_PROTINFO, BRPORT_ISOLATED, NESTED = 19, 12, 33, 0x8000


def attribute(kind: int, value: bytes) -> bytes:
    size = 4 + len(value)
    return struct.pack("=HH", size, kind) + value + b"\0" * (-size % 4)


def text(kind: int, value: str) -> bytes:
    return attribute(kind, value.encode() + b"\0")


def number(kind: int, value: int) -> bytes:
    return attribute(kind, struct.pack("=I", value))


def link_header(index: int = 0, flags: int = 0, change: int = 0) -> bytes:
    return struct.pack("=BxHiII", socket.AF_UNSPEC, 0, index, flags, change)


class Netlink:
    """A socket into the network namespace it was made in."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
        self._socket.settimeout(5)
        self._sequence = 0

    def index(self, name: str) -> int:
        """The number of a link in this socket's namespace."""
        asked = struct.pack("16si20x", name.encode(), 0)
        answer = fcntl.ioctl(self._socket.fileno(), SIOCGIFINDEX, asked)
        return int(struct.unpack_from("16si", answer)[1])

    def close(self) -> None:
        self._socket.close()

    def ask(self, kind: int, body: bytes, flags: int = 0) -> None:
        """Send one request and wait for its acknowledgement; OSError as the kernel says."""
        self._sequence += 1
        flags |= REQUEST | ACK
        header = struct.pack("=IHHII", 16 + len(body), kind, flags, self._sequence, 0)
        self._socket.send(header + body)
        answer = self._socket.recv(65536)
        size, kind, _, _, _ = struct.unpack_from("=IHHII", answer)
        code = struct.unpack_from("=i", answer, 16)[0] if kind == ERROR and size >= 20 else 0  # noqa: PLR2004
        if code:
            raise OSError(-code, os.strerror(-code))


def add_bridge(netlink: Netlink, name: str) -> None:
    info = attribute(IFLA_LINKINFO, text(INFO_KIND, "bridge"))
    netlink.ask(NEWLINK, link_header(flags=UP, change=UP) + text(IFLA_IFNAME, name) + info, CREATE)


def add_veth(netlink: Netlink, name: str, *, address: str, bridge: int, namespace: int) -> None:
    """`name` on the bridge, cut off from its neighbours; its other end as eth0 in the namespace.

    The hardware address follows from `address`, so that neighbours' tables stay true when an
    instance comes back in a new namespace.
    """
    hardware = attribute(IFLA_ADDRESS, b"\x02\x61" + socket.inet_aton(address))
    peer = link_header() + text(IFLA_IFNAME, "eth0") + hardware + number(IFLA_NET_NS_FD, namespace)
    data = attribute(INFO_DATA, attribute(VETH_PEER, peer))
    info = attribute(IFLA_LINKINFO, text(INFO_KIND, "veth") + data)
    master = number(IFLA_MASTER, bridge)
    header = link_header(flags=UP, change=UP)
    netlink.ask(NEWLINK, header + text(IFLA_IFNAME, name) + master + info, CREATE | EXCL)
    port = struct.pack("=BxHiII", socket.AF_BRIDGE, 0, netlink.index(name), 0, 0)
    isolated = attribute(BRPORT_ISOLATED, b"\1")
    netlink.ask(SETLINK, port + attribute(IFLA_PROTINFO | NESTED, isolated))


def remove_link(netlink: Netlink, name: str) -> None:
    """Removing what is gone is not an error."""
    try:
        netlink.ask(DELLINK, link_header() + text(IFLA_IFNAME, name))
    except OSError as error:
        if error.errno != 19:  # noqa: PLR2004 - ENODEV, without importing errno
            raise


def bring_up(netlink: Netlink, name: str) -> None:
    netlink.ask(NEWLINK, link_header(netlink.index(name), UP, UP))


def add_address(netlink: Netlink, name: str, address: str, prefix: int) -> None:
    """Adding it again changes nothing."""
    index = netlink.index(name)
    header = struct.pack("=BBBBI", socket.AF_INET, prefix, 0, 0, index)
    packed = socket.inet_aton(address)
    body = header + attribute(IFA_LOCAL, packed) + attribute(IFA_ADDRESS, packed)
    netlink.ask(NEWADDR, body, CREATE | REPLACE)


def add_default_route(netlink: Netlink, gateway: str) -> None:
    # table main, protocol boot, scope universe, type unicast
    header = struct.pack("=BBBBBBBBI", socket.AF_INET, 0, 0, 0, 254, 3, 0, 1, 0)
    body = header + attribute(RTA_GATEWAY, socket.inet_aton(gateway))
    netlink.ask(NEWROUTE, body, CREATE | REPLACE)
