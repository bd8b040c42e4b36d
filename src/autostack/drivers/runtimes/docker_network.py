"""One network an environment: its range, its bridge, and the rules that close it off."""

import ipaddress
import os
import socket
from collections.abc import Collection, Iterator, Sequence
from ipaddress import IPv4Address, IPv4Network
from typing import Any
from uuid import UUID

from autostack.drivers.machine import network, nftables
from autostack.drivers.machine.docker import Client, Engine
from autostack.engine.errors import StartRefused

RANGE = IPv4Network("10.128.0.0/10")
"""Beside the one platforms take for processes. Docker's own pools hold some thirty networks."""
PREFIX = 24
FIRST_HOST = 2
"""Behind the bridge's own address."""
BRIDGE = "asn-{}"
ATTEMPTS = 64


def name_of(environment_id: UUID) -> str:
    return f"autostack-{environment_id}"


def bridge_of(environment_id: UUID) -> str:
    return BRIDGE.format(environment_id.hex[-11:])


def subnets(environment_id: UUID, used: Collection[IPv4Network]) -> Iterator[IPv4Network]:
    """Ranges that nobody uses, in an order of the environment's own."""
    count = 1 << (PREFIX - RANGE.prefixlen)
    first = environment_id.int % count
    for step in range(count):
        start = int(RANGE.network_address) + ((first + step) % count) * (1 << (32 - PREFIX))
        candidate = IPv4Network((start, PREFIX))
        if not any(candidate.overlaps(other) for other in used):
            yield candidate


def free_address(subnet: IPv4Network, used: Sequence[str]) -> str:
    """The next one not in use behind the newest, so that a freed one waits long. `used` has the
    newest first.
    """
    base = int(subnet.network_address) + FIRST_HOST
    count = subnet.num_addresses - FIRST_HOST - 1
    after = int(IPv4Address(used[0])) - base + 1 if used else 0
    for step in range(count):
        candidate = str(IPv4Address(base + (after + step) % count))
        if candidate not in used:
            return candidate
    raise StartRefused("its environment has no address left", "Run fewer instances of it.")


def ensure(client: Client, engine: Engine, environment_id: UUID) -> IPv4Network:
    """The environment's network, made if it is missing; returns its range."""
    found = find(client, environment_id)
    if found is None:
        found = _create(client, engine, environment_id)
    subnet = IPv4Network(found["IPAM"]["Config"][0]["Subnet"])
    close_off(environment_id, subnet)
    return subnet


def find(client: Client, environment_id: UUID) -> dict[str, Any] | None:
    name = name_of(environment_id)
    listed = client.networks(names=[name])  # also those whose name only begins like it
    return next((found for found in listed if found["Name"] == name), None)


def _create(client: Client, engine: Engine, environment_id: UUID) -> dict[str, Any]:
    from docker.errors import APIError  # noqa: PLC0415 - see machine.docker

    used = list(_used(client))
    refusal = ""
    for subnet, _ in zip(subnets(environment_id, used), range(ATTEMPTS), strict=False):
        try:
            client.create_network(
                name_of(environment_id),
                driver="bridge",
                options={"com.docker.network.bridge.name": bridge_of(environment_id)},
                ipam={"Driver": "default", "Config": [{"Subnet": str(subnet)}]},
                labels=engine.labels,
                check_duplicate=True,
            )
        except APIError as error:
            refusal = str(error.explanation or error)
            if "overlap" not in refusal:
                break
        else:
            found = find(client, environment_id)
            assert found is not None
            return found
    raise StartRefused(f"its network could not be made: {refusal or 'no range is free'}")


def _used(client: Client) -> Iterator[IPv4Network]:
    """Of the engine's networks and of this host's routes."""
    for found in client.networks():
        for config in found["IPAM"].get("Config") or ():
            subnet = ipaddress.ip_network(config.get("Subnet", "255.255.255.255"))
            if isinstance(subnet, IPv4Network):
                yield subnet
    yield from network.routes()


def remove(client: Client, environment_id: UUID) -> None:
    """The caller has seen to it that nothing is in it."""
    from docker.errors import APIError  # noqa: PLC0415 - see machine.docker

    found = find(client, environment_id)
    if found is None:
        return
    try:
        client.remove_network(found["Id"])
    except APIError:
        return
    _open_up(environment_id)


def reaches(subnet: IPv4Network) -> bool:
    """Whether the bridge is one of this host's own interfaces: only then its address can be
    bound here. It cannot where the engine runs in a virtual machine.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((str(subnet.network_address + 1), 0))
        except OSError:
            return False
    return True


def close_off(environment_id: UUID, subnet: IPv4Network) -> None:
    """Out to the internet; to the host and in from elsewhere only answers. Without root, or
    where the bridge is not here, Docker's own rules are all there is.
    """
    if os.geteuid() != 0 or not reaches(subnet):
        return
    table = _table(environment_id)
    if not table.exists():
        table.apply()


def _open_up(environment_id: UUID) -> None:
    if os.geteuid() == 0:
        _table(environment_id).remove()


def _table(environment_id: UUID) -> nftables.Table:
    bridge = bridge_of(environment_id)
    inside, into = nftables.from_link(bridge), nftables.to_link(bridge)
    known = [*nftables.known_connection(), *nftables.verdict(nftables.ACCEPT)]
    neighbours = [*inside, *into, *nftables.verdict(nftables.ACCEPT)]
    drop = nftables.verdict(nftables.DROP)
    metadata = [
        [*inside, *nftables.only_ipv4(), *nftables.destination_in(*_split(block)), *drop]
        for block in network.METADATA
    ]
    inward = [[*into, *known], [*into, *drop]]
    table = nftables.Table(nftables.INET, f"autostack_{bridge}")
    table.chain("filter", nftables.INPUT, 0, [[*inside, *known], [*inside, *drop]])
    table.chain("filter", nftables.FORWARD, 0, [neighbours, *metadata, *inward])
    return table


def _split(block: str) -> tuple[str, int]:
    found = IPv4Network(block)
    return str(found.network_address), found.prefixlen
