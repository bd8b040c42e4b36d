"""Domains for apps: what is taken for one, and the addresses that follow."""

import re
from pathlib import Path
from uuid import uuid4

import pytest
from pydantic import ValidationError

from autostack.core import domain
from autostack.core.settings import Settings
from autostack.entrypoints.local.words import Facts, lines
from autostack.features.deployments.service import Address
from autostack.models.environment import Environment

SHOP = Environment(id=uuid4(), hostname="shop", loopback="127.18.3.7")


@pytest.mark.parametrize(
    ("written", "taken"),
    [
        ("apps.example.com", "apps.example.com"),
        ("Apps.Example.COM.", "apps.example.com"),
        ("sslip", "sslip"),
        ("203-0-113-7.sslip.io", "203-0-113-7.sslip.io"),
    ],
)
def test_a_domain_is_taken_in_its_plain_form(written: str, taken: str) -> None:
    assert Settings(home=Path("/srv/a"), base_domain=written).base_domain == taken


@pytest.mark.parametrize(
    "written",
    [
        "http://example.com", "*.example.com", "example", "203.0.113.7", "a..b", "-a.example",
        "a b.example", "x`).example.com", "{{env}}.example.com", "é.example", f"{'a' * 64}.com",
    ],
)  # fmt: skip
def test_what_is_no_domain_stops_the_start(written: str) -> None:
    with pytest.raises(ValidationError, match="base_domain"):
        Settings(home=Path("/srv/a"), base_domain=written)


def test_without_a_domain_an_app_answers_on_its_loopback_address_only() -> None:
    routes = Address(edge_port=8080).routes(SHOP, uuid4(), ["10.0.0.2:8000"], None)

    assert Address(edge_port=8080).url(SHOP) == "127.18.3.7:8080"
    assert routes.hosts == ("127.18.3.7", "shop.localhost")
    assert routes.loopback_only


def test_with_a_domain_an_app_answers_everyone_under_its_name() -> None:
    address = Address(edge_port=80, base_domain="apps.example.com")
    routes = address.routes(SHOP, uuid4(), ["10.0.0.2:8000"], None)

    assert address.url(SHOP) == "shop.apps.example.com"
    assert routes.hosts == ("shop.apps.example.com",)
    assert not routes.loopback_only


def test_an_unusual_port_is_part_of_the_address_but_not_of_the_host() -> None:
    address = Address(edge_port=8080, base_domain="apps.example.com")

    assert address.url(SHOP) == "shop.apps.example.com:8080"
    assert address.hosts(SHOP) == ("shop.apps.example.com",)


def test_sslip_writes_this_machines_address_into_the_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(domain, "own_address", lambda: "203.0.113.7")

    assert domain.apps_domain("sslip") == "203-0-113-7.sslip.io"
    assert re.fullmatch(r"[a-z0-9.-]+", domain.apps_domain("sslip") or "")


def test_up_says_what_a_domain_does_not_bring_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(domain, "own_address", lambda: "10.1.2.3")
    settings = Settings(home=Path("/srv/a"), base_domain="sslip", edge_port=8080)

    said = "\n".join(lines(settings, Facts(first_account=False, setup_code=None)))

    assert "http://NAME.10-1-2-3.sslip.io:8080/" in said
    assert "plain http" in said
    assert "10.1.2.3 is a private address" in said
    assert "AUTOSTACK_EDGE_PORT=80" in said
