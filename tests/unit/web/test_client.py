import pytest

from autostack.core.addresses import is_loopback
from autostack.web.client import client_address


@pytest.mark.attack("A34")
@pytest.mark.parametrize(
    ("peer", "forwarded", "trusted", "found"),
    [
        ("1.1.1.1", "", (), "1.1.1.1"),
        ("1.1.1.1", "9.9.9.9", (), "1.1.1.1"),
        ("10.0.0.1", "9.9.9.9", ("10.0.0.0/8",), "9.9.9.9"),
        ("10.0.0.1", "6.6.6.6, 9.9.9.9", ("10.0.0.0/8",), "9.9.9.9"),
        ("10.0.0.1", "6.6.6.6, 9.9.9.9, 10.0.0.7", ("10.0.0.0/8",), "9.9.9.9"),
        ("10.0.0.1", "9.9.9.9, nonsense", ("10.0.0.0/8",), "10.0.0.1"),
        ("10.0.0.1", "", ("10.0.0.0/8",), "10.0.0.1"),
        ("", "9.9.9.9", ("10.0.0.0/8",), ""),
        ("::1", "2001:db8::1", ("::1",), "2001:db8::1"),
    ],
)
def test_only_a_trusted_proxy_may_say_who_asks(
    peer: str, forwarded: str, trusted: tuple[str, ...], found: str
) -> None:
    assert client_address(peer, forwarded, trusted) == found


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("[::1]", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("10.0.0.1", False),
        ("example.com", False),
        ("", False),
    ],
)
def test_loopback_is_an_address_of_this_machine_alone(host: str, loopback: bool) -> None:  # noqa: FBT001
    assert is_loopback(host) is loopback
