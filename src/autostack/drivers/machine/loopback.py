"""Reach what listens on the loopback of a network namespace from its outside."""

from collections.abc import Sequence

from autostack.drivers.machine import nftables


def open_loopback(ports: Sequence[int]) -> None:
    """In this thread's namespace: connections to eth0 on these ports go to 127.0.0.1."""
    # pathlib would cost the launcher 4 ms.
    with open("/proc/sys/net/ipv4/conf/eth0/route_localnet", "w", encoding="ascii") as file:  # noqa: PTH123
        file.write("1")
    rules = [
        [
            *nftables.from_link("eth0"),
            *nftables.port(nftables.TCP, port),
            *nftables.redirect_to("127.0.0.1"),
        ]
        for port in ports
    ]
    table = nftables.Table(nftables.IPV4, "autostack")
    table.chain("nat", nftables.PREROUTING, -100, rules)
    table.apply()
