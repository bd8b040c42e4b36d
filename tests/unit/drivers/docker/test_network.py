"""Ranges of environments and addresses of their instances."""

from ipaddress import IPv4Network
from uuid import UUID

import pytest

from autostack.drivers.runtimes.docker_network import bridge_of, free_address, subnets
from autostack.engine.errors import StartRefused

ONE = UUID(int=1)
SMALL = IPv4Network("10.128.0.0/29")


def test_each_environment_begins_to_look_at_a_place_of_its_own() -> None:
    assert next(subnets(ONE, [])) == IPv4Network("10.128.1.0/24")
    assert next(subnets(UUID(int=7), [])) == IPv4Network("10.128.7.0/24")


def test_a_range_that_somebody_uses_is_passed_over() -> None:
    used = [IPv4Network("10.128.0.0/22"), IPv4Network("10.128.4.7/32")]

    assert next(subnets(ONE, used)) == IPv4Network("10.128.5.0/24")


def test_no_range_is_found_where_all_is_used() -> None:
    assert list(subnets(ONE, [IPv4Network("10.0.0.0/8")])) == []


def test_a_freed_address_waits_until_all_others_were_given() -> None:
    given = [free_address(SMALL, used) for used in ([], ["10.128.0.2"], ["10.128.0.6"])]

    assert given == ["10.128.0.2", "10.128.0.3", "10.128.0.2"]


def test_a_full_range_is_said() -> None:
    used = [f"10.128.0.{last}" for last in range(2, 7)]

    with pytest.raises(StartRefused, match="no address left"):
        free_address(SMALL, used)


def test_the_name_of_a_bridge_is_one_the_kernel_takes() -> None:
    assert len(bridge_of(UUID(int=2**128 - 1))) == 15
