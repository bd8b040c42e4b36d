"""What `up` says."""

from pathlib import Path

import pytest

from autostack.core.addresses import is_loopback
from autostack.core.settings import Settings
from autostack.entrypoints.local.words import Facts, address, lines

LOCAL = Settings(home=Path("/srv/a"), port=8123, edge_port=8124)
NEW = Facts(first_account=True, setup_code="abcd-efgh-jkmn")


def test_on_loopback_the_code_stays_unsaid() -> None:
    assert "abcd-efgh-jkmn" not in "\n".join(lines(LOCAL, NEW))


def test_beyond_loopback_the_first_account_needs_the_code() -> None:
    settings = LOCAL.model_copy(update={"bind": "0.0.0.0"})

    assert "abcd-efgh-jkmn" in "\n".join(lines(settings, NEW))


def test_once_there_is_an_account_nothing_is_said_about_the_first() -> None:
    settings = LOCAL.model_copy(update={"bind": "0.0.0.0"})
    facts = Facts(first_account=False, setup_code="abcd-efgh-jkmn")

    assert "account" not in "\n".join(lines(settings, facts))


def test_it_says_how_other_machines_reach_both_ports() -> None:
    said = "\n".join(lines(LOCAL, NEW))

    assert "ssh -L 8123:127.0.0.1:8123 -L 8124:127.0.0.1:8124" in said


@pytest.mark.parametrize(
    ("bind", "expected"),
    [
        ("127.0.0.1", "http://127.0.0.1:8123"),
        ("0.0.0.0", "http://127.0.0.1:8123"),
        ("::1", "http://[::1]:8123"),
    ],
)
def test_the_address_is_one_a_browser_can_open(bind: str, expected: str) -> None:
    assert address(LOCAL.model_copy(update={"bind": bind})) == expected


@pytest.mark.parametrize(
    ("bind", "expected"), [("127.0.0.53", True), ("localhost", True), ("::1", True), ("::", False)]
)
def test_loopback_is_told_from_the_rest(bind: str, expected: object) -> None:
    assert is_loopback(bind) is expected


def test_that_nothing_is_isolated_is_said_loudly() -> None:
    facts = Facts(first_account=False, setup_code=None, cautions=("NOT ISOLATED: …",))

    assert "NOT ISOLATED: …" in lines(LOCAL, facts)
