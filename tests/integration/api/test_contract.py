"""What holds for every call: problems, bounds, headers, the documents about the API."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from autostack.web.guard import Guard, Rules
from tests.integration.api.conftest import PASSWORD, Account, speak

PUBLIC = {
    ("post", "/auth/register"),
    ("post", "/auth/login"),
    ("post", "/auth/refresh"),
    ("post", "/auth/logout"),
    ("post", "/auth/session"),
    ("post", "/auth/password/reset"),
    ("post", "/auth/password/reset/confirm"),
    ("post", "/auth/email/confirm"),
    ("post", "/webhooks/{provider}/{token}"),
    ("get", "/auth/oauth"),
    ("get", "/auth/oauth/{provider}"),
    ("post", "/auth/oauth/{provider}"),
    ("post", "/auth/oauth/{provider}/session"),
    ("get", "/health"),
    ("get", "/health/ready"),
    ("get", "/metrics"),
}


def operations(app: FastAPI) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (method, path, operation)
        for path, methods in app.openapi()["paths"].items()
        for method, operation in methods.items()
    ]


async def test_every_call_asks_who_you_are_unless_it_is_listed_as_public(
    app: FastAPI, client: httpx.AsyncClient
) -> None:
    some_id = "00000000-0000-4000-8000-000000000000"
    for method, path, _ in operations(app):
        if (method, path) in PUBLIC:
            continue
        parts = [some_id if part.startswith("{") else part for part in path.split("/")]
        answer = await client.request(method, "/".join(parts), json={})
        assert answer.status_code == 401, (method, path, answer.text)


async def test_every_operation_is_described_and_has_a_name_of_its_own(app: FastAPI) -> None:
    found = operations(app)
    ids = [operation["operationId"] for _, _, operation in found]

    assert len(ids) == len(set(ids)) > 20
    for method, path, operation in found:
        assert operation["tags"], path
        assert operation["responses"], path
        assert "HTTPValidationError" not in str(operation), (method, path)


async def test_the_document_refers_to_nothing_that_is_missing(app: FastAPI) -> None:
    document = app.openapi()
    names = set(document["components"]["schemas"])

    refs = {part.split('"')[0] for part in str(document).replace("'", '"').split("schemas/")[1:]}
    assert refs <= names


async def test_the_reference_needs_no_script_and_no_other_host(client: httpx.AsyncClient) -> None:
    page = await client.get("/docs")

    assert page.status_code == 200
    assert "/projects/plan" in page.text
    assert "<script" not in page.text
    assert "src=" not in page.text


async def test_the_start_leads_to_the_dashboard(client: httpx.AsyncClient) -> None:
    start = await client.get("/")
    page = await client.get(start.headers["location"])

    assert (start.status_code, page.status_code) == (307, 200)
    assert "AutoStack" in page.text


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nope", 404, "not_found"),
        ("PUT", "/auth/login", 405, "method_not_allowed"),
        ("GET", "/projects/%00", 401, "not_signed_in"),
    ],
)
async def test_unknown_places_are_answered_as_problems(
    client: httpx.AsyncClient, method: str, path: str, status: int, code: str
) -> None:
    answer = await client.request(method, path)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"]


@pytest.mark.attack("A56")
@pytest.mark.parametrize(
    "path",
    ["/audit?kind=a%00", "/audit/export?kind=a%00", "/projects?name=%00"],
)
async def test_nul_in_a_query_is_the_clients_mistake(ada: Account, path: str) -> None:
    answer = await ada.client.get(path)

    assert (answer.status_code, answer.json()["code"]) == (422, "request_invalid")


@pytest.mark.attack("A56")
@pytest.mark.parametrize(
    "raw",
    [
        b'{"email": "\\ud800@x.io", "password": "testpassword123"}',
        b'{"email": "a@x.io", "password": "test\\u0000password123"}',
        b'{"email": "a@x.io", "password": "\\uDFFFtestpassword"}',
        b'{"\\ud800": 1}',
        b"[" * 100_000,
        b'{"email": ' + b"9" * 5000 + b"}",
        b"\xff\xfe",
        b"{",
        b"null",
        b'"x"',
        b"NaN",
    ],
)
@pytest.mark.parametrize("path", ["/auth/register", "/auth/login", "/auth/refresh"])
async def test_broken_json_is_the_clients_mistake(
    client: httpx.AsyncClient, path: str, raw: bytes
) -> None:
    answer = await client.post(path, content=raw, headers={"Content-Type": "application/json"})

    assert answer.status_code in {400, 422}, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


async def test_an_emoji_written_as_two_escapes_is_text(client: httpx.AsyncClient) -> None:
    raw = b'{"email": "a@x.io", "password": "\\ud83d\\ude00 testpassword"}'

    answer = await client.post(
        "/auth/register", content=raw, headers={"Content-Type": "application/json"}
    )

    assert answer.status_code == 200


@pytest.mark.attack("A47")
@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded"])
async def test_a_form_of_another_site_cannot_pass_as_json(
    client: httpx.AsyncClient, kind: str
) -> None:
    body = f'{{"email": "a@x.io", "password": "{PASSWORD}"}}'

    answer = await client.post("/auth/register", content=body, headers={"Content-Type": kind})

    assert answer.status_code == 422


async def test_a_body_beyond_the_limit_is_refused_declared_or_streamed(
    client: httpx.AsyncClient,
) -> None:
    async def endless() -> AsyncGenerator[bytes]:
        for _ in range(40):
            yield b"x" * 65536

    json = {"Content-Type": "application/json"}
    declared = await client.post("/auth/login", content=b"x" * (1024 * 1024 + 1), headers=json)
    streamed = await client.post("/auth/login", content=endless(), headers=json)
    untyped = await client.post("/auth/login", content=endless())

    assert [one.status_code for one in (declared, streamed, untyped)] == [413, 413, 413]
    assert declared.json()["code"] == streamed.json()["code"] == "body_too_large"


@pytest.mark.attack("O09")
@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:8000", 200),
        ("127.0.0.1", 200),
        ("[::1]:8000", 200),
        ("192.168.1.5:8000", 200),
        ("shop.localhost", 200),
        ("evil.example", 421),
        ("localhost.evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("", 421),
        ("a b", 421),
    ],
)
async def test_a_name_that_was_not_configured_is_not_answered(
    client: httpx.AsyncClient, host: str, status: int
) -> None:
    answer = await client.get("/openapi.json", headers={"Host": host})

    assert answer.status_code == status


@pytest.mark.attack("O13")
async def test_every_answer_carries_the_protecting_headers(client: httpx.AsyncClient) -> None:
    for path in ("/health", "/nope", "/docs", "/dashboard", "/auth/me", "/metrics"):
        headers = (await client.get(path)).headers
        assert headers["x-content-type-options"] == "nosniff", path
        assert "frame-ancestors 'none'" in headers["content-security-policy"], path
        assert "unsafe-inline' script" not in headers["content-security-policy"]
        assert headers["referrer-policy"] == "no-referrer"


@pytest.mark.attack("A49")
async def test_no_other_site_is_allowed_to_read(ada: Account) -> None:
    answer = await ada.client.get("/auth/me", headers={"Origin": "https://evil.example"})

    assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.attack("O11")
async def test_our_own_mistake_shows_nothing_of_our_insides(app: FastAPI) -> None:
    @app.get("/broken")
    async def broken() -> None:
        raise RuntimeError("select secret from /var/lib")

    async with speak(app) as client:
        answer = await client.get("/broken")

    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert "secret" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_a_request_that_takes_too_long_is_ended() -> None:
    slow = FastAPI()

    @slow.get("/slow")
    async def wait() -> None:
        await asyncio.sleep(30)

    slow.add_middleware(Guard, rules=Rules(request_time=timedelta(milliseconds=50)))
    async with speak(slow) as client:
        answer = await client.get("/slow")

    assert (answer.status_code, answer.json()["code"]) == (503, "request_timed_out")


async def test_liveness_answers_whatever_the_host_is_called(client: httpx.AsyncClient) -> None:
    answer = await client.get("/health", headers={"Host": "some-pod"})

    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


@pytest.mark.attack("Z09")
async def test_readiness_names_its_parts_to_this_machine_only(
    app: FastAPI, client: httpx.AsyncClient
) -> None:
    local = await client.get("/health/ready")
    proxied = await client.get("/health/ready", headers={"X-Forwarded-For": "1.2.3.4"})
    async with speak(app, "10.0.0.9") as far:
        distant = await far.get("/health/ready")
        token = {"Authorization": f"Bearer {app.state.metrics_token}"}
        known = await far.get("/health/ready", headers=token)

    parts = {"database": "up", "worker": "down", "edge": "down"}
    assert (local.status_code, local.json()["parts"]) == (503, parts)
    assert proxied.json()["parts"] is None
    assert distant.json() == {"status": "not ready", "parts": None}
    assert known.json()["parts"] == parts


@pytest.mark.attack("Z09")
async def test_figures_are_for_this_machine_and_count_by_route_not_by_id(
    app: FastAPI, ada: Account, client: httpx.AsyncClient
) -> None:
    project = await ada.project()
    await ada.client.get(f"/projects/{project['id']}")

    text = (await client.get("/metrics")).text
    async with speak(app, "10.0.0.9") as far:
        refused = await far.get("/metrics")

    route = 'method="GET",route="/projects/{project_id}",status="2xx"'
    assert f"autostack_http_requests_total{{{route}}} 1.0" in text
    assert "process_resident_memory_bytes" in text
    assert project["id"] not in text
    assert refused.status_code == 401
