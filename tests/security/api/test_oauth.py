"""Sign-in with a provider under attack, by the numbers of the attack table."""

import json
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from fastapi import FastAPI
from pyotp.totp import TOTP
from sqlalchemy import text

from autostack.core.db import Database
from autostack.core.settings import Settings
from autostack.entrypoints.http import Keys, assemble
from tests.clock import FakeClock
from tests.integration.api import conftest as api
from tests.integration.api.conftest import PASSWORD, Account, Register, speak
from tests.oidc import CLIENT, SECRET, Provider

app, ada, register = api.app, api.ada, api.register
keys, key_pair = api.keys, api.key_pair
EVE = {"subject": "eve-1", "email": "eve@example.com"}


@pytest.fixture(scope="module")
def running() -> Iterator[Provider]:
    with Provider().running() as one:
        yield one


@pytest.fixture
def provider(running: Provider) -> Provider:
    running.claims, running.configuration, running.answers = {}, {}, {}
    running.algorithm, running.asked, running.key = "RS256", 0, running.published
    return running


@pytest.fixture
def settings(tmp_path: Path, provider: Provider) -> Settings:
    often = "1000/minute"
    return Settings(
        home=tmp_path,
        login_rate=often,
        register_rate=often,
        api_rate=often,
        oidc_issuer=provider.issuer,
        oidc_id=CLIENT,
        oidc_secret=SECRET,
        oauth_github_id=CLIENT,
        oauth_github_secret=SECRET,
        oauth_github_url=provider.github,
    )


@pytest.fixture
def clock() -> FakeClock:
    """The provider's clock is the real one."""
    return FakeClock(datetime.now(UTC))


class Browser:
    """Keeps its cookies, and signs in as whoever sits before it."""

    def __init__(self, client: httpx.AsyncClient, provider: Provider) -> None:
        self.client, self.provider = client, provider

    async def begin(self, name: str = "oidc") -> str:
        answer = await self.client.get(f"/auth/oauth/{name}")
        assert answer.status_code == 200, answer.text
        return str(answer.json()["url"])

    async def back(self, *, name: str = "oidc", **person: Any) -> dict[str, str]:  # noqa: ANN401
        code, state = self.provider.allow(await self.begin(name), **{**EVE, **person})
        return {"code": code, "state": state}

    async def finish(self, body: Any, *, name: str = "oidc") -> httpx.Response:  # noqa: ANN401
        return await self.client.post(f"/auth/oauth/{name}", json=body)

    async def sign_in(self, *, name: str = "oidc", **person: Any) -> httpx.Response:  # noqa: ANN401
        return await self.finish(await self.back(name=name, **person), name=name)


class Browsers:
    def __init__(self, app: FastAPI, provider: Provider, stack: AsyncExitStack) -> None:
        self._app, self._provider, self._stack = app, provider, stack

    async def new(self, **headers: str) -> Browser:
        client = await self._stack.enter_async_context(speak(self._app, **headers))
        return Browser(client, self._provider)


@pytest.fixture
async def browsers(app: FastAPI, provider: Provider) -> AsyncGenerator[Browsers]:
    async with AsyncExitStack() as stack:
        yield Browsers(app, provider, stack)


@pytest.fixture
async def browser(browsers: Browsers) -> Browser:
    return await browsers.new()


async def who(answer: httpx.Response, app: FastAPI) -> Any:  # noqa: ANN401 - JSON
    assert answer.status_code == 200, answer.text
    token = answer.json()["access_token"]
    async with speak(app, Authorization=f"Bearer {token}") as client:
        return (await client.get("/auth/me")).json()


@pytest.mark.usefixtures("ada")
async def test_somebody_new_gets_an_account_and_comes_back_to_it(
    app: FastAPI, browsers: Browsers, db: Database
) -> None:
    first = await who(await (await browsers.new()).sign_in(), app)
    again = await who(await (await browsers.new()).sign_in(email="moved@example.com"), app)

    assert first["email"] == again["email"] == "eve@example.com"
    assert (first["id"], first["is_admin"]) == (again["id"], False)
    async with db.transaction() as session:
        (token,) = (await session.scalars(text("select token from identities"))).all()
    assert len(token) > 30


@pytest.mark.usefixtures("ada")
async def test_github_is_asked_who_somebody_is_and_their_number_counts(
    app: FastAPI, browser: Browser
) -> None:
    answer = await browser.sign_in(name="github", subject=4711)
    renamed = await browser.sign_in(name="github", subject=4711, email="new@example.com")

    assert (await who(answer, app))["id"] == (await who(renamed, app))["id"]


@pytest.mark.usefixtures("ada")
async def test_a17_who_was_removed_is_not_brought_back(
    app: FastAPI, browser: Browser, db: Database
) -> None:
    me = await who(await browser.sign_in(), app)
    async with db.transaction() as session:
        await session.execute(
            text("update users set removed_at = now() where id = :id"), {"id": me["id"]}
        )

    answer = await browser.sign_in()

    assert (answer.status_code, answer.json()["code"]) == (409, "account_exists")


@pytest.mark.usefixtures("ada")
async def test_a37_a_way_back_that_nobody_began_swaps_no_code(
    browser: Browser, browsers: Browsers, provider: Provider, clock: FakeClock
) -> None:
    good = await browser.back()
    other = await browsers.new()
    await other.begin()
    wrong = [
        await browser.finish({"code": good["code"]}),
        await browser.finish({**good, "state": ""}),
        await browser.finish({**good, "state": "oidc.guess"}),
        await browser.finish(good, name="github"),
        await other.finish(good),
        await (await browsers.new()).finish(good),
    ]
    clock.advance(timedelta(minutes=10))
    late = await browser.finish(good)

    assert {answer.status_code for answer in (*wrong, late)} == {422}
    assert late.json()["code"] == "sign_in_not_begun"
    assert provider.asked == 0


@pytest.mark.usefixtures("ada")
async def test_a37_a_state_is_good_once_also_at_the_same_moment(
    browser: Browser, provider: Provider
) -> None:
    good = await browser.back()

    first = await browser.finish(good)
    again = await browser.finish(good)
    failed = {**await browser.back(), "code": "wrong"}
    refused = await browser.finish(failed)
    after = await browser.finish(failed)

    assert (first.status_code, again.status_code) == (200, 422)
    assert (refused.status_code, refused.json()["code"]) == (401, "provider_refused")
    assert "invalid_grant" in refused.json()["detail"]
    assert after.status_code == 422
    assert provider.asked == 2


@pytest.mark.usefixtures("ada")
async def test_a37_a_stolen_code_signs_nobody_else_in(
    browser: Browser, browsers: Browsers, provider: Provider
) -> None:
    """Eve puts Ada's code into a sign-in of her own: the verifier is another."""
    stolen = await browser.back(subject="ada-1")
    thief = await browsers.new()
    own = await thief.back()

    answer = await thief.finish({**own, "code": stolen["code"]})

    assert (answer.status_code, answer.json()["code"]) == (401, "provider_refused")
    assert provider.asked == 1


async def test_a39_the_way_back_is_the_configured_one(
    app: FastAPI, provider: Provider, settings: Settings
) -> None:
    async with speak(app, **{"X-Forwarded-Host": "evil.example"}) as client:
        url = "/auth/oauth/oidc?redirect_uri=https://evil.example&next=//evil.example"
        answer = await client.get(url)

    assert "evil" not in answer.text
    wanted = httpx.URL(answer.json()["url"]).params["redirect_uri"]
    assert wanted == f"{settings.web_address}/dashboard/oauth"
    assert answer.json()["url"].startswith(f"{provider.issuer}/authorize?")


async def test_a41_an_address_that_has_an_account_is_no_way_into_it(
    ada: Account, browser: Browser, db: Database
) -> None:
    answers = [
        await browser.sign_in(email=email, email_verified=True)
        for email in ("ada@example.com", "ADA@Example.com")
    ]

    assert {answer.json()["code"] for answer in answers} == {"account_exists"}
    assert "link OpenID Connect" in answers[0].json()["hint"]
    async with db.transaction() as session:
        assert await session.scalar(text("select count(*) from identities")) == 0
    assert (await ada.client.get("/auth/identities")).json()["items"] == []


@pytest.mark.usefixtures("ada")
async def test_a41_the_same_subject_of_another_issuer_is_somebody_else(
    app: FastAPI, browser: Browser, db: Database
) -> None:
    me = await who(await browser.sign_in(), app)
    async with db.transaction() as session:
        await session.execute(text("update identities set issuer = 'https://old.example'"))

    answer = await browser.sign_in(email="other@example.com")

    assert (await who(answer, app))["id"] != me["id"]


async def test_a41_linking_needs_the_account_its_password_and_the_same_browser(
    ada: Account, app: FastAPI, provider: Provider, browsers: Browsers, register: Register
) -> None:
    eve = await register("eve@example.com")
    wrong = await ada.client.post("/auth/identities/oidc", json={"password": "a guess of mine"})
    async with speak(app) as stranger:
        unsigned = await stranger.post("/auth/identities/oidc", json={"password": PASSWORD})
    begun = await ada.client.post("/auth/identities/oidc", json={"password": PASSWORD})
    code, state = provider.allow(begun.json()["url"], subject="ada-1", email="a@else.example")
    body = {"code": code, "state": state}

    eve.client.cookies = httpx.Cookies(ada.client.cookies)
    others = await eve.client.post("/auth/identities/oidc/confirm", json=body)
    begun = await ada.client.post("/auth/identities/oidc", json={"password": PASSWORD})
    code, state = provider.allow(begun.json()["url"], subject="ada-1", email="a@else.example")
    body = {"code": code, "state": state}
    linked = await ada.client.post("/auth/identities/oidc/confirm", json=body)
    signed = await (await browsers.new()).sign_in(subject="ada-1", email="a@else.example")

    assert (wrong.status_code, unsigned.status_code) == (403, 401)
    assert others.json()["code"] == "sign_in_not_begun"
    assert linked.status_code == 200, linked.text
    assert (await who(signed, app))["email"] == "ada@example.com"


async def test_a41_a_link_that_was_begun_opens_no_session(ada: Account, provider: Provider) -> None:
    begun = await ada.client.post("/auth/identities/oidc", json={"password": PASSWORD})
    code, state = provider.allow(begun.json()["url"], subject="ada-1", email="a@else.example")

    answer = await ada.client.post("/auth/oauth/oidc", json={"code": code, "state": state})

    assert answer.json()["code"] == "sign_in_not_begun"
    assert provider.asked == 0


async def test_a41_one_account_elsewhere_is_linked_to_one_account_here(
    ada: Account, browser: Browser, provider: Provider
) -> None:
    assert (await browser.sign_in()).status_code == 200
    begun = await ada.client.post("/auth/identities/oidc", json={"password": PASSWORD})
    code, state = provider.allow(begun.json()["url"], **EVE)

    answer = await ada.client.post(
        "/auth/identities/oidc/confirm", json={"code": code, "state": state}
    )

    assert (answer.status_code, answer.json()["code"]) == (409, "identity_taken")


@pytest.mark.usefixtures("ada")
async def test_a43_an_id_token_that_does_not_hold_signs_nobody_in(
    browser: Browser, provider: Provider
) -> None:
    now = int(time.time())
    wrong: list[dict[str, Any]] = [
        {"nonce": "another"},
        {"nonce": None},
        {"nonce": 5},
        {"aud": "somebody else"},
        {"aud": [CLIENT, "somebody else"]},
        {"aud": None},
        {"azp": "somebody else"},
        {"iss": "https://evil.example"},
        {"iss": provider.issuer + "/"},
        {"iss": None},
        {"exp": now - 120},
        {"exp": None},
        {"exp": "9" * 400},
        {"nbf": now + 3600},
        {"sub": None},
        {"sub": ""},
        {"sub": "x" * 300},
    ]
    found: list[int] = []
    for claims in wrong:
        provider.claims = claims
        found.append((await browser.sign_in()).status_code)
    provider.claims = {}
    for algorithm in ("none", "HS256"):
        provider.algorithm = algorithm
        found.append((await browser.sign_in()).status_code)
    provider.algorithm = "RS256"
    provider.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    found.append((await browser.sign_in()).status_code)
    provider.key = provider.published

    assert found == [401] * (len(wrong) + 3)
    assert (await browser.sign_in()).status_code == 200


@pytest.mark.usefixtures("ada")
async def test_a43_pkce_and_nonce_are_new_each_time_and_different(browser: Browser) -> None:
    first, second = [httpx.URL(await browser.begin()).params for _ in range(2)]

    assert first["code_challenge_method"] == "S256"
    for name in ("state", "nonce", "code_challenge"):
        assert first[name] != second[name]
    assert len({first["state"], first["nonce"], first["code_challenge"]}) == 3


async def test_another_issuer_in_the_configuration_or_in_the_answer_is_refused(
    browser: Browser, provider: Provider
) -> None:
    back = await browser.back()
    mixed = await browser.finish({**back, "iss": "https://evil.example"})
    provider.configuration = {"issuer": "https://evil.example"}

    answer = await browser.client.get("/auth/oauth/oidc")

    assert (mixed.status_code, mixed.json()["code"]) == (401, "provider_refused")
    assert (answer.status_code, answer.json()["code"]) == (503, "provider_away")
    assert provider.asked == 0


async def test_a_provider_leads_nobody_into_the_private_network(
    browser: Browser, provider: Provider
) -> None:
    places = ["http://127.0.0.2/token", "http://169.254.169.254/", "file:///etc/passwd", 5, None]
    found: list[str] = []
    for place in places:
        back = await browser.back()
        provider.configuration = {"token_endpoint": place}
        found.append((await browser.finish(back)).json()["code"])
        provider.configuration = {}

    assert found == ["provider_away"] * len(places)


@pytest.mark.usefixtures("ada")
async def test_answers_that_make_no_sense_are_no_error_of_ours(
    browser: Browser, provider: Provider
) -> None:
    strange = [
        (200, b"[" * 10_000),
        (200, b"[]"),
        (200, b'{"access_token": 5}'),
        (200, b'{"access_token": "x", "id_token": 7}'),
        (200, b'{"error": "\\ud800"}'),
        (200, b"\xff\xfe"),
        (500, b"{}"),
        (302, b""),
        (200, b"x" * 2_000_000),
    ]
    found: list[int] = []
    for path in ("/token", "/jwks", "/.well-known/openid-configuration"):
        for one in strange:
            back = await browser.back()
            provider.answers = {path: one}
            found.append((await browser.finish(back)).status_code)
            provider.answers = {}

    assert set(found) <= {401, 503}


async def test_the_first_account_of_a_platform_others_reach_needs_its_code(
    settings: Settings, keys: Keys, database_url: str, clock: FakeClock, provider: Provider
) -> None:
    public = settings.model_copy(update={"public_url": "https://deploy.example.com"})
    app = assemble(public, keys, url=database_url, clock=clock)
    async with app.router.lifespan_context(app), speak(app) as client:
        client.base_url = httpx.URL("https://deploy.example.com")
        answer = await Browser(client, provider).sign_in()

    assert (answer.status_code, answer.json()["code"]) == (403, "setup_code_needed")


@pytest.mark.usefixtures("ada")
async def test_who_may_register_is_the_same_question_as_without_a_provider(
    app: FastAPI, provider: Provider
) -> None:
    async with speak(app, "203.0.113.9") as client:
        answer = await Browser(client, provider).sign_in()

    assert (answer.status_code, answer.json()["code"]) == (403, "registration_closed")


@pytest.mark.usefixtures("ada")
async def test_an_address_the_provider_does_not_believe_makes_no_account(browser: Browser) -> None:
    answers = [
        await browser.sign_in(email_verified=False),
        await browser.sign_in(email="no address"),
        await browser.sign_in(email=None),
    ]

    assert {answer.json()["code"] for answer in answers} == {"email_missing"}


@pytest.mark.usefixtures("ada")
async def test_a_second_factor_is_asked_for_here_too_and_the_code_is_not_swapped_again(
    app: FastAPI, browser: Browser, provider: Provider, clock: FakeClock
) -> None:
    signed = await browser.sign_in()
    secret = await with_totp(app, signed, clock)
    clock.advance(timedelta(minutes=2))
    asked, back = provider.asked, await browser.back()

    needed = await browser.finish(back)
    wrong = await browser.finish({**back, "second_factor": "000000"})
    code = TOTP(secret).at(clock())
    right = await browser.finish({**back, "second_factor": code})
    again = await browser.finish({**back, "second_factor": code})

    codes = [one.json().get("code") for one in (needed, wrong, right, again)]
    assert codes == [
        "second_factor_needed",
        "second_factor_invalid",
        None,
        "sign_in_not_begun",
    ]
    assert provider.asked == asked + 1


@pytest.mark.usefixtures("ada")
async def test_guesses_at_the_second_factor_lock_here_too(
    app: FastAPI, browser: Browser, clock: FakeClock
) -> None:
    secret = await with_totp(app, await browser.sign_in(), clock)
    back = await browser.back()
    await browser.finish(back)
    for _ in range(5):
        assert (await browser.finish({**back, "second_factor": "000000"})).status_code == 401
    clock.advance(timedelta(minutes=2))

    code = TOTP(secret).at(clock())
    locked = await browser.finish({**back, "second_factor": code})

    assert (locked.status_code, locked.json()["code"]) == (423, "account_locked")


async def with_totp(app: FastAPI, signed: httpx.Response, clock: FakeClock) -> str:
    """Turned on by what a password account would do; this one has none yet, so it gets one."""
    token = signed.json()["access_token"]
    async with speak(app, Authorization=f"Bearer {token}") as client:
        me = (await client.get("/auth/me")).json()
        async with app.state.db.transaction() as session:
            hashed = await app.state.accounts.passwords.hash(PASSWORD)
            await session.execute(
                text("update users set password_hash = :hash where id = :id"),
                {"hash": hashed, "id": me["id"]},
            )
        begun = (await client.post("/auth/totp", json={"password": PASSWORD})).json()
        code = TOTP(begun["secret"]).at(clock())
        done = await client.post("/auth/totp/confirm", json={"code": code})
        assert done.status_code == 200, done.text
    return str(begun["secret"])


@pytest.mark.usefixtures("ada")
async def test_a_dashboard_signs_in_by_cookie_and_only_from_its_own_page(
    browsers: Browsers,
) -> None:
    own = await browsers.new(**{"Sec-Fetch-Site": "same-origin"})
    other = await browsers.new(**{"Sec-Fetch-Site": "cross-site"})

    signed = await own.client.post("/auth/oauth/oidc/session", json=await own.back())
    refused = await other.client.post("/auth/oauth/oidc/session", json=await other.back())

    assert signed.status_code == 200, signed.text
    assert (await own.client.get("/auth/me")).json()["email"] == "eve@example.com"
    assert (refused.status_code, refused.json()["code"]) == (403, "cross_site_refused")


@pytest.mark.usefixtures("ada")
async def test_the_last_way_in_is_not_removed(app: FastAPI, browser: Browser) -> None:
    token = (await browser.sign_in()).json()["access_token"]
    async with speak(app, Authorization=f"Bearer {token}") as client:
        (one,) = (await client.get("/auth/identities")).json()["items"]
        refused = await client.delete(f"/auth/identities/{one['id']}")

    assert (one["provider"], one["email"]) == ("oidc", "eve@example.com")
    assert (refused.status_code, refused.json()["code"]) == (409, "last_way_in")


async def test_an_unlinked_account_signs_nobody_in(
    ada: Account, provider: Provider, browser: Browser
) -> None:
    begun = await ada.client.post("/auth/identities/oidc", json={"password": PASSWORD})
    code, state = provider.allow(begun.json()["url"], subject="ada-1", email="ada@example.com")
    body = {"code": code, "state": state}
    linked = (await ada.client.post("/auth/identities/oidc/confirm", json=body)).json()

    assert (await ada.client.delete(f"/auth/identities/{linked['id']}")).status_code == 200
    answer = await browser.sign_in(subject="ada-1", email="ada@example.com")

    assert answer.json()["code"] == "account_exists"


async def test_providers_are_those_that_are_configured(browser: Browser) -> None:
    found = (await browser.client.get("/auth/oauth")).json()["items"]
    unknown = await browser.client.get("/auth/oauth/google")

    assert [one["provider"] for one in found] == ["github", "oidc"]
    assert (unknown.status_code, unknown.json()["code"]) == (404, "provider_unknown")
    assert SECRET not in json.dumps(found)


@pytest.mark.parametrize("half", [{"oauth_google_id": "x"}, {"oidc_issuer": "https://a.example"}])
def test_half_a_provider_is_an_error_at_the_start(half: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="some of its settings are missing"):
        Settings(home=tmp_path, **half)
