"""Routes become Traefik's documents; nobody's text becomes configuration."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from cryptography.x509 import load_pem_x509_certificate
from hypothesis import given
from hypothesis import strategies as st

from autostack.drivers.routers import documents, pages
from autostack.drivers.routers.certificates import self_signed
from autostack.drivers.routers.documents import RouteRefused, Sites
from autostack.engine.release import Routes

SHOP = Routes(
    environment_id=UUID(int=1),
    release_id=UUID(int=2),
    name="shop",
    hosts=("127.1.2.3", "shop.localhost"),
    targets=("10.0.0.2:8000",),
    loopback_only=True,
)


def http(routes: Routes, **options: Any) -> Any:  # noqa: ANN401
    return documents.route(routes, **options)["http"]


def app(document: Any) -> Any:  # noqa: ANN401
    return document["routers"][f"app-{SHOP.environment_id}"]


def test_all_hosts_lead_to_the_service_of_the_release() -> None:
    document = http(SHOP)

    assert app(document)["rule"] == "Host(`127.1.2.3`) || Host(`shop.localhost`)"
    service = document["services"][app(document)["service"]]
    assert app(document)["service"] == f"release-{SHOP.release_id}"
    assert service["loadBalancer"]["servers"] == [{"url": "http://10.0.0.2:8000"}]


def test_only_loopback_routes_carry_the_allow_list_for_visitors() -> None:
    near, far = http(SHOP), http(replace(SHOP, loopback_only=False))

    assert app(near)["middlewares"][0].startswith("near-")
    assert not any(name.startswith("near-") for name in app(far)["middlewares"])


def test_an_environment_without_hosts_is_an_empty_document() -> None:
    assert documents.route(replace(SHOP, hosts=())) == {}


def test_no_part_of_a_document_is_empty() -> None:
    sites = Sites(address="127.0.0.1:81", root=Path("/srv"), key="open")
    for routes in (SHOP, replace(SHOP, targets=()), replace(SHOP, directory=Path("/srv/a"))):
        assert all(http(routes, sites=sites).values())


def test_a_static_release_is_named_to_the_static_server_by_a_header() -> None:
    sites = Sites(address="127.0.0.1:81", root=Path("/srv"), key="open")
    static = replace(SHOP, targets=(), directory=Path("/srv/one/public"))

    document = http(static, sites=sites)

    headers = document["middlewares"][f"headers-{SHOP.environment_id}"]["headers"]
    assert headers["customRequestHeaders"]["X-Autostack-Site"] == "one/public"
    with pytest.raises(RouteRefused):
        documents.route(replace(static, directory=Path("/etc")), sites=sites)


@pytest.mark.attack("R20")
@pytest.mark.parametrize(
    "host",
    [
        "a`b",
        "a) || PathPrefix(`/",
        "A.test",
        "",
        ".",
        "a..b",
        "*",
        "a b",
        "{{x}}",
        "a\n",
        "-a.b-",
        "ä",
    ],
)
def test_a_host_that_is_not_plain_is_refused(host: str) -> None:
    with pytest.raises(RouteRefused):
        documents.route(replace(SHOP, hosts=(host,)))


@pytest.mark.attack("R20")
@pytest.mark.parametrize("target", ["a:b", "x@y:1", "10.0.0.1", "10.0.0.1:1/../", "a b:1", "h:1\n"])
def test_a_target_that_is_not_plain_is_refused(target: str) -> None:
    with pytest.raises(RouteRefused):
        documents.route(replace(SHOP, targets=(target,)))


@given(st.text(st.characters(), max_size=50), st.integers(0, 10**12))
def test_any_name_becomes_a_whole_file_without_templates(name: str, generation: int) -> None:
    document = documents.route(replace(SHOP, name=name, targets=()))

    text = documents.encode(document, generation=generation)

    assert "{{" not in text
    assert documents.generation_of(text) == generation
    assert documents.is_whole(text)
    assert json.loads(text.partition("\n")[2]) == document


@pytest.mark.attack("R20", "X16")
@given(st.text(max_size=50))
def test_no_template_survives_the_encoding_of_any_text(value: str) -> None:
    text = documents.encode({"a": value, "{{b": "{{{{"}, generation=1)

    assert "{{" not in text
    assert json.loads(text.partition("\n")[2])["{{b"] == "{{{{"


def test_a_cut_off_file_is_not_whole() -> None:
    text = documents.encode(documents.route(SHOP), generation=1)

    assert not any(documents.is_whole(text[:length]) for length in range(0, len(text) - 2, 7))


def test_every_fact_of_the_routes_changes_the_question() -> None:
    variants = [
        SHOP,
        replace(SHOP, release_id=UUID(int=3)),
        replace(SHOP, targets=("10.0.0.3:8000",)),
        replace(SHOP, hosts=("a.test",)),
        replace(SHOP, targets=(), directory=Path("/srv/a")),
        replace(SHOP, loopback_only=False),
    ]

    assert len({documents.question(each) for each in variants}) == len(variants)


@given(st.text(max_size=80))
def test_a_page_shows_any_name_as_text(name: str) -> None:
    path = pages.address_of("down", name)
    reply = pages.answer(f"GET {path} HTTP/1.1\r\nHost: x".encode())

    head, _, body = reply.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 502 ")
    assert f"Content-Length: {len(body)}".encode() in head
    assert body.count(b"<h1>") == 1
    assert body.count(b"<script") == 0


@pytest.mark.parametrize(
    "request_", [b"", b"GET", b"GET /down/%%% HTTP/1.1", b"\xff\xff \xff \xff"]
)
def test_any_request_gets_a_page(request_: bytes) -> None:
    assert pages.answer(request_).startswith(b"HTTP/1.1 ")


def test_traefik_needs_no_key_of_its_own_when_a_file_changes() -> None:
    made = self_signed()

    found = documents.pages("127.0.0.1:9", certificate=made)["tls"]["stores"]["default"]

    given = found["defaultCertificate"]
    key = load_pem_private_key(given["keyFile"].encode(), None)
    assert load_pem_x509_certificate(given["certFile"].encode()).public_key() == key.public_key()
    assert given["keyFile"] not in repr(made)
