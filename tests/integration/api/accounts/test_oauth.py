"""Sign-in with a provider that others wrote: oidc-provider-mock, in a process of its own."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from autostack.core.settings import Settings
from tests.clock import FakeClock
from tests.integration.api.conftest import speak
from tests.oidc import mock


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    with mock() as running:
        yield running


@pytest.fixture
def settings(tmp_path: Path, issuer: str) -> Settings:
    often = "1000/minute"
    return Settings(
        home=tmp_path,
        login_rate=often,
        register_rate=often,
        api_rate=often,
        oidc_issuer=issuer,
        oidc_id="autostack",
        oidc_secret="the secret there",
        oidc_name="Example",
    )


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(datetime.now(UTC))


def choose(url: str, **form: str) -> dict[str, str]:
    """Somebody at the provider's page; what the browser is sent back with."""
    answer = httpx.post(url, data=form)
    assert answer.status_code == 302, answer.text
    return dict(httpx.URL(answer.headers["location"]).params)


async def begin(client: httpx.AsyncClient) -> str:
    answer = await client.get("/auth/oauth/oidc")
    assert answer.status_code == 200, answer.text
    return str(answer.json()["url"])


async def finish(client: httpx.AsyncClient, returned: dict[str, str]) -> Any:  # noqa: ANN401 - JSON
    body = {name: returned[name] for name in ("code", "state")}
    return (await client.post("/auth/oauth/oidc", json=body)).json()


async def test_a_person_signs_in_and_is_known_the_next_time(app: FastAPI) -> None:
    async with speak(app) as browser, speak(app) as another:
        first = await finish(browser, choose(await begin(browser), sub="grace@example.com"))
        again = await finish(another, choose(await begin(another), sub="grace@example.com"))

    found: list[Any] = []
    for tokens in (first, again):
        header = {"Authorization": f"Bearer {tokens['access_token']}"}
        async with speak(app, **header) as signed_in:
            found.append((await signed_in.get("/auth/me")).json())
    assert found[0]["id"] == found[1]["id"]
    assert (found[0]["email"], found[0]["is_admin"]) == ("grace@example.com", True)


async def test_who_says_no_there_is_not_signed_in_here(app: FastAPI) -> None:
    async with speak(app) as browser:
        returned = choose(await begin(browser), action="deny")
        answer = await browser.post(
            "/auth/oauth/oidc", json={"code": "", "state": returned.get("state", "")}
        )

    assert returned["error"] == "access_denied"
    assert answer.status_code in {401, 422}


async def test_a_code_is_swapped_once(app: FastAPI) -> None:
    async with speak(app) as browser, speak(app) as thief:
        returned = choose(await begin(browser), sub="grace@example.com")
        own = choose(await begin(thief), sub="eve@example.com")
        stolen = await finish(thief, {**own, "code": returned["code"]})
        first = await finish(browser, choose(await begin(browser), sub="grace@example.com"))
        replayed = await finish(browser, returned)

    assert "access_token" in first
    assert stolen["code"] == "provider_refused"
    assert replayed["code"] in {"provider_refused", "sign_in_not_begun"}
