import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

import httpx
import jwt
import pytest
from sqlalchemy import text

from autostack.core import crypto
from autostack.core.crypto import derive
from autostack.core.db import Database
from autostack.core.settings import Settings
from autostack.entrypoints.http import Keys, assemble
from autostack.features.accounts.tokens import Claim, Signer
from tests.clock import FakeClock
from tests.integration.api.conftest import PASSWORD, Account, speak

LOGIN = {"email": "ada@example.com", "password": PASSWORD}
WRONG = {"email": "ada@example.com", "password": "not the password"}


@pytest.mark.parametrize(
    "email", ["test@example.com", "a@corp.test", "b@printer.local", "ü@bücher.example", "a+b@x.io"]
)
async def test_anybody_registers_with_the_documented_addresses(
    client: httpx.AsyncClient, email: str
) -> None:
    answer = await client.post("/auth/register", json={"email": email, "password": PASSWORD})

    assert answer.status_code == 200
    assert UUID(answer.json()["id"])
    assert PASSWORD not in answer.text
    assert "hash" not in answer.text


@pytest.mark.attack("S10")
@pytest.mark.parametrize(
    "body",
    [
        {"email": "ada", "password": PASSWORD},
        {"email": "ada@example.com", "password": "too short"},
        {"email": "a@b.example\nCc: x@y", "password": PASSWORD},
        {"email": ["a@b.example", "c@d.example"], "password": PASSWORD},
        {"email": "ada@example.com"},
        {"email": "ada\u0000@example.com", "password": PASSWORD},
        {"email": "ada@example.com", "password": "x" * 2000},
    ],
)
async def test_a_senseless_registration_is_refused_without_showing_what_was_sent(
    client: httpx.AsyncClient, body: dict[str, object]
) -> None:
    answer = await client.post("/auth/register", json=body)

    assert answer.status_code == 422
    assert answer.json()["code"] == "request_invalid"
    assert str(body.get("password", PASSWORD)) not in answer.text


@pytest.mark.attack("A54")
@pytest.mark.usefixtures("ada")
async def test_privileges_cannot_be_given_to_oneself(client: httpx.AsyncClient) -> None:
    body = {"email": "eve@example.com", "password": PASSWORD, "is_admin": True, "role": "owner"}

    answer = await client.post("/auth/register", json=body)

    assert answer.json()["is_admin"] is False


@pytest.mark.attack("A29")
@pytest.mark.usefixtures("ada")
@pytest.mark.parametrize(
    "spelling", ["ADA@example.com", "ada@EXAMPLE.com", " ada@example.com ", "\uff41da@example.com"]
)
async def test_one_address_is_one_account_however_it_is_written(
    client: httpx.AsyncClient, spelling: str
) -> None:
    again = await client.post("/auth/register", json={"email": spelling, "password": PASSWORD})
    signed_in = await client.post("/auth/login", json={"email": spelling, "password": PASSWORD})

    assert (again.status_code, again.json()["code"]) == (409, "email_taken")
    assert signed_in.status_code == 200


@pytest.mark.attack("A53")
async def test_of_many_first_registrations_exactly_one_administers(
    client: httpx.AsyncClient,
) -> None:
    answers = await asyncio.gather(
        *(
            client.post("/auth/register", json={"email": f"u{n}@example.com", "password": PASSWORD})
            for n in range(12)
        )
    )

    assert [answer.json()["is_admin"] for answer in answers].count(True) == 1


@pytest.mark.attack("A53")
async def test_beyond_loopback_the_first_account_needs_the_setup_code(
    settings: Settings, database_url: str, clock: FakeClock
) -> None:
    keys = Keys(secret=crypto.generate_secret(), seal=crypto.generate()[1], setup_code="ab-cd")
    open_to_all = settings.model_copy(update={"bind": "0.0.0.0"})
    app = assemble(open_to_all, keys, url=database_url, clock=clock)
    async with app.router.lifespan_context(app), speak(app) as client:
        without = await client.post("/auth/register", json=LOGIN)
        wrong = await client.post("/auth/register", json={**LOGIN, "setup_code": "é"})
        first = await client.post("/auth/register", json={**LOGIN, "setup_code": "ab-cd"})
        second = await client.post(
            "/auth/register", json={"email": "eve@example.com", "password": PASSWORD}
        )

    assert [without.status_code, wrong.status_code] == [403, 403]
    assert without.json()["code"] == "setup_code_needed"
    assert (first.status_code, first.json()["is_admin"]) == (200, True)
    assert (second.status_code, second.json()["code"]) == (403, "registration_closed")


@pytest.mark.parametrize(
    "beyond",
    [
        {"bind": "0.0.0.0"},
        {"public_url": "https://deploy.example.com"},
        {"trusted_proxies": ("203.0.113.4",)},
    ],
)
async def test_whoever_a_proxy_lets_in_is_not_on_this_machine(
    settings: Settings,
    keys: Keys,
    database_url: str,
    clock: FakeClock,
    beyond: dict[str, object],
) -> None:
    reached = settings.model_copy(update=beyond)
    app = assemble(reached, keys, url=database_url, clock=clock)
    async with app.router.lifespan_context(app), speak(app) as client:
        answer = await client.post("/auth/register", json=LOGIN)

    assert (answer.status_code, answer.json()["code"]) == (403, "setup_code_needed")


async def test_a_proxy_nobody_told_us_of_opens_nothing_either(
    client: httpx.AsyncClient,
) -> None:
    forwarded = {"X-Forwarded-For": "203.0.113.9"}
    first = await client.post("/auth/register", json=LOGIN, headers=forwarded)
    here = await client.post("/auth/register", json=LOGIN)
    eve = {"email": "eve@example.com", "password": PASSWORD}
    second = await client.post("/auth/register", json=eve, headers=forwarded)

    assert (first.status_code, first.json()["code"]) == (403, "setup_code_needed")
    assert (here.status_code, here.json()["is_admin"]) == (200, True)
    assert (second.status_code, second.json()["code"]) == (403, "registration_closed")


async def test_a_platform_that_lost_its_code_lets_nobody_be_first(
    settings: Settings, keys: Keys, database_url: str, clock: FakeClock
) -> None:
    app = assemble(
        settings.model_copy(update={"bind": "0.0.0.0"}), keys, url=database_url, clock=clock
    )
    async with app.router.lifespan_context(app), speak(app) as client:
        answer = await client.post("/auth/register", json={**LOGIN, "setup_code": ""})

    assert answer.status_code == 403


@pytest.mark.usefixtures("ada")
async def test_signing_in_answers_with_both_tokens(client: httpx.AsyncClient) -> None:
    answer = await client.post("/auth/login", json=LOGIN)

    assert answer.status_code == 200
    assert set(answer.json()) >= {"access_token", "refresh_token", "token_type"}
    assert answer.json()["token_type"] == "bearer"


@pytest.mark.attack("A25")
@pytest.mark.usefixtures("ada")
@pytest.mark.parametrize("email", ["ada@example.com", "nobody@example.com", "no address"])
async def test_a_wrong_password_and_an_unknown_account_look_the_same(
    client: httpx.AsyncClient, email: str
) -> None:
    answer = await client.post("/auth/login", json={"email": email, "password": "not the one"})

    assert answer.status_code == 401
    assert answer.json()["detail"] == "Invalid credentials"


@pytest.mark.attack("A27", "A29")
@pytest.mark.usefixtures("ada")
@pytest.mark.parametrize("email", ["ada@example.com", "nobody@example.com"])
async def test_five_failures_lock_an_address_for_half_an_hour(
    client: httpx.AsyncClient, clock: FakeClock, email: str
) -> None:
    spellings = [email, email.upper(), f" {email}", email, email]
    for spelling in spellings:
        failed = await client.post("/auth/login", json={**WRONG, "email": spelling})
        assert failed.status_code == 401

    locked = await client.post("/auth/login", json={"email": email, "password": PASSWORD})

    assert (locked.status_code, locked.json()["code"]) == (423, "account_locked")
    assert locked.headers["retry-after"] == "1800"
    clock.advance(timedelta(minutes=30, seconds=1))
    again = await client.post("/auth/login", json={"email": email, "password": PASSWORD})
    assert again.status_code == (200 if email == "ada@example.com" else 401)


@pytest.mark.usefixtures("ada")
async def test_failures_spread_over_time_lock_nobody(
    client: httpx.AsyncClient, clock: FakeClock
) -> None:
    for _ in range(8):
        await client.post("/auth/login", json=WRONG)
        clock.advance(timedelta(seconds=80))

    assert (await client.post("/auth/login", json=LOGIN)).status_code == 200


@pytest.mark.usefixtures("ada")
async def test_a_success_forgets_the_failures(client: httpx.AsyncClient) -> None:
    for _ in range(2):
        for _ in range(4):
            await client.post("/auth/login", json=WRONG)
        assert (await client.post("/auth/login", json=LOGIN)).status_code == 200


@pytest.mark.attack("A27")
@pytest.mark.usefixtures("ada")
async def test_guesses_at_the_same_moment_are_all_counted(client: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(*(client.post("/auth/login", json=WRONG) for _ in range(12)))

    found = sorted(answer.status_code for answer in answers)
    assert found == [401] * 5 + [423] * 7
    assert (await client.post("/auth/login", json=LOGIN)).status_code == 423


@pytest.mark.attack("A33", "A34")
async def test_the_eleventh_sign_in_of_a_minute_from_one_address_waits(
    settings: Settings, keys: Keys, database_url: str
) -> None:
    app = assemble(settings.model_copy(update={"login_rate": "10/minute"}), keys, url=database_url)
    async with app.router.lifespan_context(app), speak(app) as client:
        forged = [{"X-Forwarded-For": f"10.0.0.{n}", "X-Real-IP": f"10.1.0.{n}"} for n in range(11)]
        answers = [
            await client.post("/auth/login", json={**WRONG, "email": f"{n}@x.io"}, headers=header)
            for n, header in enumerate(forged)
        ]
        async with speak(app, "10.9.9.9") as elsewhere:
            other = await elsewhere.post("/auth/login", json={**WRONG, "email": "z@x.io"})

    assert [answer.status_code for answer in answers] == [401] * 10 + [429]
    assert 0 < int(answers[-1].headers["retry-after"]) <= 60
    assert other.status_code == 401


@pytest.mark.attack("A33")
async def test_the_api_says_how_much_is_left_and_then_stops(
    settings: Settings, keys: Keys, database_url: str
) -> None:
    app = assemble(settings.model_copy(update={"api_rate": "3/minute"}), keys, url=database_url)
    async with app.router.lifespan_context(app), speak(app) as client:
        await client.post("/auth/register", json=LOGIN)
        tokens = (await client.post("/auth/login", json=LOGIN)).json()
        client.headers["Authorization"] = f"Bearer {tokens['access_token']}"
        answers = [await client.get("/auth/me") for _ in range(4)]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert [answer.headers["ratelimit-remaining"] for answer in answers[:3]] == ["2", "1", "0"]
    assert int(answers[3].headers["retry-after"]) > 0


async def test_me_names_the_personal_team(ada: Account) -> None:
    answer = await ada.client.get("/auth/me")

    assert answer.json()["email"] == "ada@example.com"
    assert [team["name"] for team in answer.json()["teams"]] == ["Personal"]


@pytest.mark.attack("A11", "A12")
async def test_a_refresh_token_works_once_and_its_reuse_ends_the_session(
    ada: Account, client: httpx.AsyncClient
) -> None:
    other = (await client.post("/auth/login", json=LOGIN)).json()
    first = await client.post("/auth/refresh", json={"refresh_token": ada.refresh_token})
    bearer = {"Authorization": f"Bearer {first.json()['access_token']}"}
    assert (await client.get("/auth/me", headers=bearer)).status_code == 200

    reused = await client.post("/auth/refresh", json={"refresh_token": ada.refresh_token})

    assert reused.status_code == 401
    for dead in (ada.client.headers["Authorization"], bearer["Authorization"]):
        assert (await client.get("/auth/me", headers={"Authorization": dead})).status_code == 401
    new = await client.post("/auth/refresh", json={"refresh_token": first.json()["refresh_token"]})
    assert new.status_code == 401
    alive = {"Authorization": f"Bearer {other['access_token']}"}
    assert (await client.get("/auth/me", headers=alive)).status_code == 200


@pytest.mark.parametrize("token", ["", "x", "é", "A" * 64, "=" * 64])
async def test_a_made_up_refresh_token_is_refused(client: httpx.AsyncClient, token: str) -> None:
    answer = await client.post("/auth/refresh", json={"refresh_token": token})

    assert answer.status_code == 401


@pytest.mark.attack("A14")
async def test_after_logout_every_token_of_the_session_is_dead(
    ada: Account, client: httpx.AsyncClient
) -> None:
    out = await client.post("/auth/logout", json={"refresh_token": ada.refresh_token})
    again = await client.post("/auth/logout", json={"refresh_token": ada.refresh_token})

    assert (out.status_code, again.status_code) == (200, 200)
    assert (await ada.client.get("/auth/me")).status_code == 401
    refreshed = await client.post("/auth/refresh", json={"refresh_token": ada.refresh_token})
    assert refreshed.status_code == 401


@pytest.mark.attack("A03", "A11")
async def test_tokens_end_with_their_time(
    ada: Account, client: httpx.AsyncClient, clock: FakeClock
) -> None:
    clock.advance(timedelta(minutes=31))
    assert (await ada.client.get("/auth/me")).status_code == 401
    renewed = await client.post("/auth/refresh", json={"refresh_token": ada.refresh_token})
    assert renewed.status_code == 200
    clock.advance(timedelta(days=8))
    late = await client.post(
        "/auth/refresh", json={"refresh_token": renewed.json()["refresh_token"]}
    )
    assert late.status_code == 401


def forgeries(keys: Keys, user: str, sid: str) -> dict[str, str]:
    secret = derive(keys.secret, "tokens")
    good = {"iss": "autostack", "aud": "autostack", "sub": user, "sid": sid, "typ": "access"}
    good |= {"iat": 0, "exp": 2**40}  # type: ignore[dict-item]

    def sign(key: bytes = secret, algorithm: str = "HS256", **changes: object) -> str:
        claims = {name: value for name, value in (good | changes).items() if value != "absent"}
        return jwt.encode(claims, key if algorithm != "none" else "", algorithm=algorithm)

    return {
        "no signature": sign(algorithm="none"),
        "another key": sign(key=b"k" * 32),
        "another algorithm": sign(key=b"k" * 64, algorithm="HS512"),
        "no exp": sign(exp="absent"),
        "a text exp": sign(exp="9" * 400),
        "a fractional exp": sign(exp=2.0**40),
        "exp true": sign(exp=True),
        "another audience": sign(aud="other"),
        "another issuer": sign(iss="other"),
        "a cookie's type": sign(typ="cookie"),
        "nbf in the future": sign(nbf=2**40),
        "another user": sign(sub=str(uuid4())),
        "an unknown session": sign(sid=str(uuid4())),
        "a sid that is no id": sign(sid="1 or 1=1"),
        "a key of its own": jwt.encode(
            good, "k" * 32, algorithm="HS256", headers={"jwk": {"kty": "oct", "k": "a2tr"}}
        ),
        "a key elsewhere": jwt.encode(
            good,
            "k" * 32,
            algorithm="HS256",
            headers={"jku": "http://127.0.0.1:9/keys", "x5u": "http://127.0.0.1:9/chain"},
        ),
        "a key in a file": jwt.encode(
            good, "k" * 32, algorithm="HS256", headers={"kid": "../../../dev/null"}
        ),
        "no token at all": "x",
        "nothing": "",
    }


@pytest.mark.attack("A01", "A03", "A04", "A05", "A07")
async def test_no_forged_token_is_accepted(
    ada: Account, client: httpx.AsyncClient, keys: Keys
) -> None:
    genuine = ada.client.headers["Authorization"].removeprefix("Bearer ")
    sid = jwt.decode(genuine, options={"verify_signature": False})["sid"]

    for name, token in forgeries(keys, ada.id, sid).items():
        answer = await client.get("/auth/me", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == 401, name
        assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.attack("A01")
async def test_a_cookie_is_no_bearer_token(
    ada: Account, client: httpx.AsyncClient, keys: Keys, clock: FakeClock
) -> None:
    genuine = ada.client.headers["Authorization"].removeprefix("Bearer ")
    sid = jwt.decode(genuine, options={"verify_signature": False})["sid"]
    claim = Claim(user_id=UUID(ada.id), session_id=UUID(sid))
    signer = Signer(keys.secret)
    cookie = signer.sign(claim, "cookie", now=clock(), life=timedelta(hours=1))

    as_bearer = await client.get("/auth/me", headers={"Authorization": f"Bearer {cookie}"})
    as_cookie = await client.get("/auth/me", headers={"Cookie": f"autostack={cookie}"})

    assert (as_bearer.status_code, as_cookie.status_code) == (401, 200)


@pytest.mark.attack("A45")
@pytest.mark.usefixtures("ada")
async def test_the_dashboards_cookie_is_out_of_reach_of_scripts_and_other_sites(
    client: httpx.AsyncClient,
) -> None:
    answer = await client.post("/auth/session", json=LOGIN)

    cookie = answer.headers["set-cookie"]
    assert answer.status_code == 200
    assert cookie.startswith("autostack=")
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= set(cookie.split("; "))
    assert (await client.get("/auth/me")).status_code == 200


@pytest.mark.attack("A45")
@pytest.mark.usefixtures("ada")
async def test_under_https_the_cookie_is_pinned_to_the_host(
    settings: Settings, keys: Keys, database_url: str, clock: FakeClock
) -> None:
    public = settings.model_copy(update={"public_url": "https://deploy.example.com"})
    app = assemble(public, keys, url=database_url, clock=clock)
    async with app.router.lifespan_context(app), speak(app) as client:
        answer = await client.post("/auth/session", json=LOGIN)

    assert answer.headers["set-cookie"].startswith("__Host-autostack=")
    assert "Secure" in answer.headers["set-cookie"]
    assert "max-age" in answer.headers["strict-transport-security"]


@pytest.mark.attack("A47")
@pytest.mark.usefixtures("ada")
@pytest.mark.parametrize("site", [None, "cross-site", "same-site", "none"])
async def test_a_change_by_cookie_must_come_from_the_same_origin(
    client: httpx.AsyncClient, site: str | None
) -> None:
    await client.post("/auth/session", json=LOGIN)
    headers = {} if site is None else {"Sec-Fetch-Site": site}
    body = {"name": "Shop", "repo_url": "https://git.example.com/a/b.git"}

    refused = await client.post("/projects", json=body, headers=headers)
    allowed = await client.post("/projects", json=body, headers={"Sec-Fetch-Site": "same-origin"})

    assert (refused.status_code, refused.json()["code"]) == (403, "cross_site_refused")
    assert allowed.status_code == 200


@pytest.mark.attack("A47")
@pytest.mark.usefixtures("ada")
async def test_a_foreign_page_cannot_sign_a_browser_in(client: httpx.AsyncClient) -> None:
    answer = await client.post(
        "/auth/session", json=LOGIN, headers={"Sec-Fetch-Site": "cross-site"}
    )

    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


@pytest.mark.attack("A14")
@pytest.mark.usefixtures("ada")
async def test_signing_the_dashboard_out_ends_the_session(client: httpx.AsyncClient) -> None:
    kept = (await client.post("/auth/session", json=LOGIN)).cookies["autostack"]

    out = await client.delete("/auth/session", headers={"Sec-Fetch-Site": "same-origin"})

    assert out.status_code == 200
    client.cookies.clear()
    again = await client.get("/auth/me", headers={"Cookie": f"autostack={kept}"})
    assert again.status_code == 401


async def test_sessions_are_listed_and_ended_by_their_owner_only(
    ada: Account, eve: Account, client: httpx.AsyncClient
) -> None:
    await client.post("/auth/login", json=LOGIN)
    listed = (await ada.client.get("/auth/sessions")).json()["items"]
    other = next(one["id"] for one in listed if not one["current"])

    stolen = await eve.client.delete(f"/auth/sessions/{other}")
    ended = await ada.client.delete(f"/auth/sessions/{other}")

    assert (len(listed), stolen.status_code, ended.status_code) == (2, 404, 200)
    assert len((await ada.client.get("/auth/sessions")).json()["items"]) == 1


@pytest.mark.attack("A16")
@pytest.mark.usefixtures("app")
async def test_nothing_that_signs_in_is_stored_readably(ada: Account, db: Database) -> None:
    access = ada.client.headers["Authorization"].removeprefix("Bearer ")
    async with db.transaction() as session:
        users = [str(row) for row in await session.execute(text("select * from users"))]
        sessions = [str(row) for row in await session.execute(text("select * from sessions"))]

    stored = "".join(users + sessions)
    assert "$argon2id$" in stored
    assert not [secret for secret in (PASSWORD, access, ada.refresh_token) if secret in stored]
