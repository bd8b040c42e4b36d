"""Which uid, address and port an instance gets: the next one not taken, longest unused first."""

import socket
from collections.abc import Callable, Collection
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

from autostack.core.errors import Unavailable
from autostack.core.host import UIDS_PER_PLATFORM, Host

APP_PORT = 8000
UIDS = UIDS_PER_PLATFORM // 2
"""The first half of the platform's uids; the other half is for builds."""
BUILD_SEATS = 32_000
"""Somewhat fewer than the uids: a build's address on the bridge follows from its uid, and some
addresses of that half are the bridge's own.
"""
RESERVED = 10
"""First addresses of the subnet: the bridge's own, and what it may need later."""


class PlacesExhausted(Unavailable):
    hint = "Remove what is not needed, or move some projects to another server."

    def __init__(self, what: str) -> None:
        super().__init__(f"No {what} is left on this machine.")


@dataclass(frozen=True, slots=True)
class Seat:
    uid: int
    address: str
    port: int


def is_free(port: int) -> bool:
    """Whether a stranger on this machine holds it."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def build_uid(host: Host, seat: int) -> int:
    """From the second half of the platform's uids."""
    return host.first_uid + UIDS + seat


def next_build_seat(taken: Collection[int]) -> int:
    """The one after the highest, so that a removed project's is given again as late as may be."""
    seat = _after(0, BUILD_SEATS, max(taken, default=None), lambda one: one not in taken)
    if seat is None:
        raise PlacesExhausted("user id")
    return seat


def next_seat(
    host: Host,
    taken: Collection[Seat],
    last: Seat | None,
    *,
    free: Callable[[int], bool] = is_free,
) -> Seat:
    """Counting on from the last one given and around, so that what was used waits longest."""
    used = {seat.uid for seat in taken}
    uid = _after(host.first_uid, UIDS, last.uid if last else None, lambda one: one not in used)
    if uid is None:
        raise PlacesExhausted("user id")
    if host.subnet is not None:
        return Seat(uid, _address(host.subnet, taken, last), APP_PORT)
    ports = {seat.port for seat in taken}
    port = _after(
        host.first_port,
        host.ports,
        last.port if last else None,
        lambda one: one not in ports and free(one),
    )
    if port is None:
        raise PlacesExhausted("port")
    return Seat(uid, "127.0.0.1", port)


def _address(subnet: str, taken: Collection[Seat], last: Seat | None) -> str:
    network = IPv4Network(subnet)
    first = int(network.network_address) + RESERVED
    used = {seat.address for seat in taken}
    found = _after(
        first,
        network.num_addresses - RESERVED - 1,
        int(IPv4Address(last.address)) if last else None,
        lambda one: str(IPv4Address(one)) not in used,
    )
    if found is None:
        raise PlacesExhausted("address")
    return str(IPv4Address(found))


def _after(first: int, count: int, last: int | None, good: Callable[[int], bool]) -> int | None:
    start = last + 1 - first if last is not None and first <= last < first + count else 0
    numbers = (first + (start + step) % count for step in range(count))
    return next((number for number in numbers if good(number)), None)
