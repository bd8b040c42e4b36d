"""Seats: what is given is not taken, and what was given last comes last again."""

from dataclasses import replace

import pytest

from autostack.core.host import UIDS_PER_PLATFORM, Host
from autostack.drivers.machine import addresses
from autostack.features.instances.places import (
    APP_PORT,
    BUILD_SEATS,
    RESERVED,
    UIDS,
    PlacesExhausted,
    Seat,
    build_uid,
    next_build_seat,
    next_seat,
)

HOST = Host(bridge="as0", subnet="10.9.0.0/28", first_uid=1000)
SHARED = Host(bridge=None, subnet=None, first_uid=1000, first_port=20_000, ports=3)


def anything(_: int) -> bool:
    return True


def test_the_first_seat_leaves_the_bridges_own_addresses_alone() -> None:
    assert next_seat(HOST, [], None) == Seat(1000, f"10.9.0.{RESERVED}", APP_PORT)


def test_a_seat_just_given_back_waits_until_the_others_were_used() -> None:
    first = next_seat(HOST, [], None)

    assert next_seat(HOST, [], first) == Seat(1001, "10.9.0.11", APP_PORT)


def test_after_the_last_address_it_goes_on_with_the_first_free_one() -> None:
    last = Seat(1004, "10.9.0.14", APP_PORT)
    taken = [Seat(1000, "10.9.0.10", APP_PORT), last]

    assert next_seat(HOST, taken, last) == Seat(1005, "10.9.0.11", APP_PORT)


def test_the_broadcast_address_is_never_given() -> None:
    taken: list[Seat] = []
    for _ in range(5):
        taken.append(next_seat(HOST, taken, taken[-1] if taken else None))

    assert [seat.address for seat in taken] == [f"10.9.0.{last}" for last in range(10, 15)]
    with pytest.raises(PlacesExhausted, match="address"):
        next_seat(HOST, taken, taken[-1])


def test_uids_end_where_those_for_builds_begin() -> None:
    wide = replace(HOST, subnet="10.9.0.0/17")
    last = Seat(HOST.first_uid + UIDS - 1, "10.9.0.10", APP_PORT)

    assert next_seat(wide, [last], last).uid == HOST.first_uid


def test_when_every_uid_is_taken_it_says_so() -> None:
    taken = [Seat(HOST.first_uid + one, "10.9.0.10", APP_PORT) for one in range(UIDS)]

    with pytest.raises(PlacesExhausted, match="user id"):
        next_seat(HOST, taken, None)


def test_without_a_network_of_their_own_instances_share_loopback_by_port() -> None:
    first = next_seat(SHARED, [], None, free=anything)

    assert first == Seat(1000, "127.0.0.1", 20_000)
    assert next_seat(SHARED, [first], first, free=anything) == Seat(1001, "127.0.0.1", 20_001)


def test_a_port_a_stranger_holds_is_passed_over() -> None:
    assert next_seat(SHARED, [], None, free=lambda port: port != 20_000).port == 20_001


def test_when_every_port_is_taken_it_says_so() -> None:
    taken = [Seat(1, "127.0.0.1", 20_000 + one) for one in range(3)]

    with pytest.raises(PlacesExhausted, match="port"):
        next_seat(SHARED, taken, None, free=anything)


def test_a_removed_projects_build_user_is_given_again_last_of_all() -> None:
    assert next_build_seat([]) == 0
    assert next_build_seat([0, 2]) == 3
    assert next_build_seat([1, BUILD_SEATS - 1]) == 0
    with pytest.raises(PlacesExhausted):
        next_build_seat(range(BUILD_SEATS))


def test_builds_share_no_uid_and_no_address_with_anything() -> None:
    host = replace(HOST, subnet="10.9.0.0/17")
    uids = [build_uid(host, seat) for seat in range(BUILD_SEATS)]

    assert host.first_uid + UIDS == uids[0]
    assert uids[-1] < host.first_uid + UIDS_PER_PLATFORM
    found = {addresses.build_address(host, uid) for uid in uids}
    assert len(found) == len(uids)
    assert addresses.gateway(host) not in found
