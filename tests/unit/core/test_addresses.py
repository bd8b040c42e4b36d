"""Names and addresses of threats R01 to R08: told apart without asking anybody."""

from ipaddress import ip_address

import pytest

from autostack.core.addresses import (
    HostRefused,
    PrivateHosts,
    checked_answers,
    checked_host,
    private_hosts,
    why_not_public,
)

NONE = PrivateHosts()


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "::1", "0.0.0.0", "app.localhost", "printer.local", "build"],
)
def test_r01_this_machine_is_refused(host: str) -> None:
    with pytest.raises(HostRefused):
        checked_host(host, NONE)


@pytest.mark.parametrize(
    "host",
    [
        "2130706433",
        "0x7f.1",
        "0177.0.0.1",
        "127.1",
        "0",
        "0x7f000001",
        "①②⑦.0.0.1",
        "\uff11\uff12\uff17.0.0.1",
        "127.0.0.1.",
        "localhost.",
        "LOCALHOST",
        "127。0。0。1",
        "a.b.0x1",
        "example.1",
    ],
)
def test_r02_an_address_in_disguise_is_refused(host: str) -> None:
    with pytest.raises(HostRefused):
        checked_host(host, NONE)


@pytest.mark.parametrize(
    "host", ["169.254.169.254", "metadata.google.internal", "100.100.100.200", "fd00:ec2::254"]
)
def test_r03_the_providers_metadata_is_refused(host: str) -> None:
    with pytest.raises(HostRefused):
        checked_host(host, NONE)


@pytest.mark.parametrize(
    "address",
    [
        "::ffff:169.254.169.254",
        "::ffff:127.0.0.1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b::7f00:1",
        "64:ff9b:1::7f00:1",
        "2002:7f00:1::",
        "2001:0:7f00:1::1",
        "::127.0.0.1",
        "fec0::1",
        "::",
        "224.0.0.1",
        "ff02::1",
        "255.255.255.255",
        "240.0.0.1",
        "192.88.99.1",
        "fe80::1",
    ],
)
def test_r04_an_address_that_only_looks_public_is_refused(address: str) -> None:
    assert why_not_public(ip_address(address))


@pytest.mark.parametrize(
    "address",
    ["10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "198.18.0.1", "fc00::1", "192.0.2.1"],
)
def test_r05_a_private_network_is_refused(address: str) -> None:
    assert why_not_public(ip_address(address))


@pytest.mark.parametrize("address", ["140.82.121.3", "2606:50c0:8000::153", "64:ff9b::8c52:7903"])
def test_a_public_address_is_taken(address: str) -> None:
    assert why_not_public(ip_address(address)) is None


def test_r08_one_private_answer_among_public_ones_refuses_the_name() -> None:
    answers = [ip_address("140.82.121.3"), ip_address("127.0.0.1")]

    with pytest.raises(HostRefused):
        checked_answers("git.example.com", answers, NONE)


@pytest.mark.parametrize(
    ("listed", "host"),
    [
        ("10.0.0.0/8", "10.1.2.3"),
        ("127.0.0.1", "127.0.0.1"),
        ("git.internal", "GIT.internal."),
        ("fd00::/8", "fd00::7"),
    ],
)
def test_what_the_administrator_listed_is_taken(listed: str, host: str) -> None:
    assert checked_host(host, private_hosts([listed]))


def test_listing_a_network_opens_names_that_lead_there_and_no_other_address() -> None:
    listed = private_hosts(["10.0.0.0/8"])

    assert checked_answers("git.example.com", [ip_address("10.1.1.1")], listed)
    with pytest.raises(HostRefused):
        checked_answers("git.example.com", [ip_address("192.168.1.1")], listed)


def test_a_name_inside_a_listed_network_is_left_to_what_it_resolves_to() -> None:
    listed = private_hosts(["10.0.0.0/8"])

    assert checked_host("git.corp.internal", listed) == "git.corp.internal"
    with pytest.raises(HostRefused):
        checked_answers("git.corp.internal", [ip_address("169.254.169.254")], listed)


def test_listing_a_name_opens_whatever_it_leads_to() -> None:
    listed = private_hosts(["git.corp.example"])

    assert checked_answers("git.corp.example", [ip_address("192.168.1.1")], listed)


@pytest.mark.parametrize(
    "host", ["", ".", "a..b", "-a.example", "a_b c.example", "a" * 254, "[::1"]
)
def test_what_is_no_host_name_is_refused(host: str) -> None:
    with pytest.raises(HostRefused):
        checked_host(host, NONE)
