"""Who is kept out by a lock, and who is not."""

from datetime import timedelta

import httpx
import pytest
from fastapi import FastAPI

from autostack.core.settings import Settings
from autostack.entrypoints.http import Keys, assemble
from tests.clock import FakeClock
from tests.integration.api.accounts.letters import Mail, signed_in
from tests.integration.api.conftest import PASSWORD, Account, speak

ADA = "ada@example.com"


async def lock(app: FastAPI, email: str = ADA) -> None:
    """A stranger guesses from anywhere."""
    async with speak(app, "203.0.113.9") as stranger:
        for _ in range(5):
            assert not await signed_in(stranger, email, "a guess of mine")


async def device_of(client: httpx.AsyncClient, email: str = ADA) -> str:
    login = {"email": email, "password": PASSWORD}
    return str((await client.post("/auth/login", json=login)).json()["device_token"])


@pytest.mark.attack("A31")
@pytest.mark.usefixtures("ada")
async def test_a_known_device_passes_the_lock_that_strangers_made(
    app: FastAPI, client: httpx.AsyncClient
) -> None:
    device = await device_of(client)
    await lock(app)

    assert not await signed_in(client, ADA, PASSWORD)
    assert await signed_in(client, ADA, PASSWORD, device_token=device)


@pytest.mark.usefixtures("ada")
async def test_a_known_browser_passes_it_too(app: FastAPI) -> None:
    login = {"email": ADA, "password": PASSWORD}
    async with speak(app) as browser:
        first = await browser.post("/auth/session", json=login)
        out = await browser.delete("/auth/session", headers={"Sec-Fetch-Site": "same-origin"})
        await lock(app)
        again = await browser.post("/auth/session", json=login)

    cookies = {one.partition("=")[0]: one for one in first.headers.get_list("set-cookie")}
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= set(cookies["autostack-device"].split("; "))
    assert (out.status_code, again.status_code) == (200, 200)


@pytest.mark.usefixtures("ada")
async def test_a_known_device_has_a_lock_of_its_own(client: httpx.AsyncClient) -> None:
    device = await device_of(client)

    for _ in range(5):
        assert not await signed_in(client, ADA, "a guess of mine", device_token=device)

    assert not await signed_in(client, ADA, PASSWORD, device_token=device)
    assert await signed_in(client, ADA, PASSWORD), "strangers are counted apart"


@pytest.mark.usefixtures("ada", "eve")
@pytest.mark.parametrize("made", ["made up", "of another account", "an access token"])
async def test_no_other_token_makes_a_device_known(
    app: FastAPI, client: httpx.AsyncClient, ada: Account, made: str
) -> None:
    tokens = {
        "made up": "x.y.z",
        "of another account": await device_of(client, "eve@example.com"),
        "an access token": ada.client.headers["Authorization"].removeprefix("Bearer "),
    }
    await lock(app)

    assert not await signed_in(client, ADA, PASSWORD, device_token=tokens[made])


async def test_a_device_token_is_no_session(ada: Account, client: httpx.AsyncClient) -> None:
    device = await device_of(client)

    bearer = await client.get("/auth/me", headers={"Authorization": f"Bearer {device}"})
    cookie = await client.get("/auth/me", headers={"Cookie": f"autostack={device}"})

    assert (bearer.status_code, cookie.status_code) == (401, 401)
    assert (await ada.client.get("/auth/me")).status_code == 200


@pytest.mark.attack("A31")
@pytest.mark.usefixtures("ada")
async def test_a_reset_by_mail_lifts_the_lock_and_the_next_one_does_not_hold(
    app: FastAPI, client: httpx.AsyncClient, mail: Mail
) -> None:
    await lock(app)
    await client.post("/auth/password/reset", json={"email": ADA})
    await mail.deliver()
    new = "three blue bicycles"
    body = {"token": mail.box.token(), "new_password": new}
    done = (await client.post("/auth/password/reset/confirm", json=body)).json()
    client.cookies.clear()
    assert await signed_in(client, ADA, new)

    await lock(app)

    assert not await signed_in(client, ADA, new)
    assert await signed_in(client, ADA, new, device_token=done["device_token"])


@pytest.mark.attack("A27")
@pytest.mark.usefixtures("ada")
async def test_a_lock_outlives_the_api_and_ends_with_its_time(
    app: FastAPI, settings: Settings, keys: Keys, database_url: str, clock: FakeClock
) -> None:
    await lock(app)

    another = assemble(settings, keys, url=database_url, clock=clock)
    async with another.router.lifespan_context(another), speak(another) as client:
        login = {"email": ADA, "password": PASSWORD}
        locked = await client.post("/auth/login", json=login)
        clock.advance(timedelta(minutes=30, seconds=1))
        later = await client.post("/auth/login", json=login)

    assert (locked.status_code, locked.json()["code"]) == (423, "account_locked")
    assert later.status_code == 200


async def test_who_is_signed_in_stays_signed_in(app: FastAPI, ada: Account) -> None:
    await lock(app)

    assert (await ada.client.get("/auth/me")).status_code == 200
