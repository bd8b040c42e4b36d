"""How a platform's network is divided."""

from ipaddress import IPv4Address, IPv4Network
from uuid import UUID

from autostack.core.host import Host
from autostack.drivers.machine import addresses
from autostack.drivers.machine.sandbox import Sandbox

HOST = Host(bridge="as0", subnet="10.75.0.0/17", first_uid=5000)
ONE = UUID("12345678-1234-5678-1234-567812345678")


def test_the_bridge_has_the_last_address_of_the_whole_network() -> None:
    assert addresses.whole(HOST) == IPv4Network("10.75.0.0/16")
    assert addresses.gateway(HOST) == "10.75.255.254"


def test_builds_live_in_the_half_that_is_never_allocated() -> None:
    given = IPv4Network("10.75.0.0/17")

    found = [IPv4Address(addresses.build_address(HOST, 5000 + step)) for step in (0, 1, 65_535)]

    assert all(one in addresses.whole(HOST) and one not in given for one in found)
    assert found[0] != found[1]


def test_an_instance_is_plugged_in_where_its_row_says() -> None:
    plug = addresses.plug(HOST, Sandbox(id=ONE, uid=5001, address="10.75.0.20"))

    assert plug["address"] == "10.75.0.20"
    assert plug["link"] == "as567812345678"
    assert len(plug["link"]) < 16  # IFNAMSIZ
    assert (plug["prefix"], plug["gateway"]) == (16, "10.75.255.254")


def test_a_build_gets_an_address_from_its_user() -> None:
    plug = addresses.plug(HOST, Sandbox(id=ONE, uid=5003))

    assert plug["address"] == addresses.build_address(HOST, 5003)
