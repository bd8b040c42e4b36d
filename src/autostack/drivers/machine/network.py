"""The platform's bridge, and the rules that keep instances from the host and each other."""

import hashlib
import ipaddress
import json
import os
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from autostack.core.home import Home
from autostack.core.host import FIRST_UID, UIDS_PER_PLATFORM, Host
from autostack.drivers.machine import addresses, firewall, forwarder, libc, netlink, nftables
from autostack.drivers.machine.loopback import open_loopback

# Where clouds answer questions about the machine and hand out its credentials.
METADATA = ("169.254.0.0/16", "100.100.100.200/32", "192.0.0.192/32", "168.63.129.16/32")
CARRY_LIMIT = 20  # seconds
PLATFORMS = (2**31 - FIRST_UID) // UIDS_PER_PLATFORM


def allot(home: Home, *, root: bool) -> Host:
    """What a new platform takes for itself: users always, a network where it may make one."""
    seed = int.from_bytes(hashlib.sha256(str(home.root).encode()).digest()[:8], "big")
    first_uid = FIRST_UID + (seed % PLATFORMS) * UIDS_PER_PLATFORM
    alone = Host(bridge=None, subnet=None, first_uid=first_uid)
    if not root:
        return alone
    for subnet in _free_subnets(seed):
        host = Host(bridge=f"as{seed:016x}"[:10], subnet=str(subnet), first_uid=first_uid)
        try:
            prepare(host)
        except OSError:
            return alone
        return host
    return alone


def prepare(host: Host) -> None:
    """Make the bridge and its rules; doing it again changes nothing, and brings back what
    another program flushed.
    """
    if host.bridge is None:
        return
    with closing(netlink.Netlink()) as kernel:
        netlink.add_bridge(kernel, host.bridge)
        # Before the address: nothing of ours answers there by IPv6.
        _set(f"ipv6/conf/{host.bridge}/disable_ipv6", "1")
        prefix = addresses.whole(host).prefixlen
        netlink.add_address(kernel, host.bridge, addresses.gateway(host), prefix)
    _set("ipv4/ip_forward", "1")
    for table in _tables(host):
        table.apply()
    firewall.let_pass(host.bridge)


def ensure(host: Host) -> None:
    """`prepare`, if a look says that something is missing: 1 ms instead of 25."""
    if host.bridge is None:
        return
    with closing(netlink.Netlink()) as kernel, suppress(OSError):
        kernel.index(host.bridge)
        whole = all(table.exists() for table in _tables(host))
        if whole and not firewall.cuts_off(host.bridge):
            return
    prepare(host)


def remove(host: Host) -> None:
    """Free the bridge and its rules; they may be gone already."""
    if host.bridge is None:
        return
    for table in _tables(host):
        table.remove()
    firewall.forget(host.bridge)
    with closing(netlink.Netlink()) as kernel:
        netlink.remove_link(kernel, host.bridge)


def forward(pid: int, ports: Sequence[int]) -> None:
    """Lead ports of the network namespace of `pid` to its loopback."""
    _inside(pid, lambda: open_loopback(ports))


def carry(pid: int, launch: Mapping[str, Any]) -> None:
    """Take IPv4 connections in the network namespace of `pid` for what listens on ::1 there."""
    told = {
        "pid": pid,
        "address": launch["network"]["address"],
        "ports": launch["network"]["carries"],
        "cgroups": launch["cgroups"],
        "uid": launch["uid"],
    }
    argv = [sys.executable, "-I", "-S", forwarder.__file__, json.dumps(told)]
    done = subprocess.run(
        argv,
        env={},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=CARRY_LIMIT,
        check=False,
    )
    if done.returncode not in {0, forwarder.THERE_ALREADY}:
        raise OSError(done.returncode, os.strerror(done.returncode))


def _inside(pid: int, act: Callable[[], None]) -> None:
    """Act in another network namespace, in a thread that ends with it."""
    failures: list[OSError] = []

    def visit() -> None:
        try:
            with Path(f"/proc/{pid}/ns/net").open() as namespace:
                libc.setns(namespace.fileno(), libc.CLONE_NEWNET)
            act()
        except OSError as error:
            failures.append(error)

    thread = threading.Thread(target=visit)
    thread.start()
    thread.join()
    for failure in failures:
        raise failure


def _tables(host: Host) -> list[nftables.Table]:
    assert host.bridge is not None
    return [_filter(host.bridge), _nat(host.bridge, addresses.whole(host))]


def _filter(bridge: str) -> nftables.Table:
    """Out to the internet; to the host, to neighbours and in from elsewhere only answers."""
    known = [*nftables.known_connection(), *nftables.verdict(nftables.ACCEPT)]
    drop = nftables.verdict(nftables.DROP)
    inside = nftables.from_link(bridge)
    metadata = [
        [*inside, *nftables.only_ipv4(), *nftables.destination_in(*_split(block)), *drop]
        for block in METADATA
    ]
    table = nftables.Table(nftables.INET, f"autostack_{bridge}")
    table.chain("filter", nftables.INPUT, 0, [[*inside, *known], [*inside, *drop]])
    table.chain(
        "filter",
        nftables.FORWARD,
        0,
        [
            *metadata,
            [*inside, *nftables.to_link(bridge), *drop],
            [*nftables.to_link(bridge), *known],
            [*nftables.to_link(bridge), *drop],
        ],
    )
    return table


def _nat(bridge: str, network: ipaddress.IPv4Network) -> nftables.Table:
    leaving = nftables.source_in(*_split(str(network)))
    elsewhere = nftables.to_link(bridge, but=True)
    table = nftables.Table(nftables.IPV4, f"autostack_{bridge}")
    rule = [*leaving, *elsewhere, *nftables.masquerade()]
    table.chain("nat", nftables.POSTROUTING, 100, [rule])
    return table


def _split(block: str) -> tuple[str, int]:
    network = ipaddress.IPv4Network(block)
    return str(network.network_address), network.prefixlen


def _set(name: str, value: str) -> None:
    file = Path("/proc/sys/net") / name
    with suppress(FileNotFoundError):  # no IPv6 in this kernel
        if file.read_text().strip() != value:
            file.write_text(value)


def _free_subnets(seed: int) -> Iterator[ipaddress.IPv4Network]:
    """Halves of networks in 10.64.0.0/10 that the host does not use, in an order of our own."""
    used = [*routes(), *_resolvers()]
    for step in range(64):
        network = ipaddress.IPv4Network(f"10.{64 + (seed + step) % 64}.0.0/16")
        if not any(network.overlaps(other) for other in used):
            yield next(network.subnets())


def routes() -> Iterator[ipaddress.IPv4Network]:
    """Networks this host has a way to, the default one left out."""
    for line in Path("/proc/net/route").read_text().splitlines()[1:]:
        fields = line.split()
        target, mask = (struct.pack("=I", int(fields[place], 16)) for place in (1, 7))
        if any(mask):
            address, bits = socket.inet_ntoa(target), int.from_bytes(mask, "big").bit_count()
            yield ipaddress.IPv4Network(f"{address}/{bits}", strict=False)


def _resolvers() -> Iterator[ipaddress.IPv4Network]:
    for line in addresses.resolv_conf(own=False).splitlines():
        words = line.split()
        if words[:1] == ["nameserver"]:
            with suppress(ValueError, IndexError):
                yield ipaddress.IPv4Network(words[1])
