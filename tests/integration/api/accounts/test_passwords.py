"""New passwords, by the old one or by a letter."""

import asyncio
from datetime import timedelta

import bcrypt
import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text

from autostack.core.db import Database
from tests.clock import FakeClock
from tests.integration.api.accounts.letters import SITE, Mail, signed_in
from tests.integration.api.conftest import PASSWORD, Account, speak

ADA = "ada@example.com"
NEW = "three blue bicycles"


async def ask_for_link(client: httpx.AsyncClient, mail: Mail, email: str = ADA) -> str:
    answer = await client.post("/auth/password/reset", json={"email": email})
    assert answer.status_code == 200, answer.text
    await mail.deliver()
    return mail.box.token()


async def test_a_new_password_ends_every_other_session(
    ada: Account, client: httpx.AsyncClient
) -> None:
    login = {"email": ADA, "password": PASSWORD}
    other = (await client.post("/auth/login", json=login)).json()

    changed = await ada.client.post(
        "/auth/password", json={"current_password": PASSWORD, "new_password": NEW}
    )

    assert changed.status_code == 200
    assert (await ada.client.get("/auth/me")).status_code == 200
    bearer = {"Authorization": f"Bearer {other['access_token']}"}
    assert (await client.get("/auth/me", headers=bearer)).status_code == 401
    refreshed = await client.post("/auth/refresh", json={"refresh_token": other["refresh_token"]})
    assert refreshed.status_code == 401
    assert await signed_in(client, ADA, NEW)
    assert not await signed_in(client, ADA, PASSWORD)


async def test_whoever_found_an_open_session_cannot_guess_its_password_there(
    ada: Account, client: httpx.AsyncClient, clock: FakeClock
) -> None:
    body = {"current_password": "a guess of mine", "new_password": NEW}
    guesses = [await ada.client.post("/auth/password", json=body) for _ in range(6)]
    right = await ada.client.post(
        "/auth/password", json={"current_password": PASSWORD, "new_password": NEW}
    )

    assert [one.status_code for one in guesses] == [403] * 5 + [423]
    assert right.status_code == 423
    assert await signed_in(client, ADA, PASSWORD), "the front door is another one"
    clock.advance(timedelta(minutes=29))
    still = await ada.client.post("/auth/totp", json={"password": PASSWORD})
    assert still.status_code == 423


@pytest.mark.attack("A20")
@pytest.mark.parametrize(
    "password",
    [
        "1234567890",
        "QWERTYUIOP",
        "password123",
        "aaaaaaaaaaaa",
        "abababababab",
        "abcdefghijkl",
        "zyxwvutsrqponm",
        "AutoStack1!",
        "someone.else@example.com",
        "Someone.Else12",
    ],
)
async def test_passwords_that_anybody_would_guess_are_refused(
    client: httpx.AsyncClient, password: str
) -> None:
    body = {"email": "someone.else@example.com", "password": password}

    answer = await client.post("/auth/register", json=body)

    assert (answer.status_code, answer.json()["code"]) == (422, "password_too_common")
    assert password not in answer.text


async def test_a_letter_brings_a_link_that_sets_a_password_once(
    ada: Account, client: httpx.AsyncClient, mail: Mail
) -> None:
    token = await ask_for_link(client, mail)

    body = {"token": token, "new_password": NEW}
    done = await client.post("/auth/password/reset/confirm", json=body)
    again = await client.post("/auth/password/reset/confirm", json=body)

    assert done.status_code == 200
    assert (again.status_code, again.json()["code"]) == (422, "link_invalid")
    assert mail.box.recipients == [[ADA]]
    assert f"{SITE}/dashboard/reset-password#token={token}" in mail.box.text()
    assert await signed_in(client, ADA, NEW)
    assert (await ada.client.get("/auth/me")).status_code == 401, "every session ended"


async def test_of_two_that_follow_one_link_at_the_same_moment_one_wins(
    ada: Account, app: FastAPI, mail: Mail
) -> None:
    token = await ask_for_link(ada.client, mail)

    async with speak(app) as one, speak(app) as two:
        answers = await asyncio.gather(
            *(
                each.post(
                    "/auth/password/reset/confirm",
                    json={"token": token, "new_password": f"{NEW} {n}"},
                )
                for n, each in enumerate((one, two))
            )
        )

    assert sorted(answer.status_code for answer in answers) == [200, 422]


async def test_a_link_ends_after_an_hour_and_when_the_password_changes(
    ada: Account, client: httpx.AsyncClient, mail: Mail, clock: FakeClock
) -> None:
    late = await ask_for_link(client, mail)
    clock.advance(timedelta(minutes=61))
    body = {"token": late, "new_password": NEW}
    assert (await client.post("/auth/password/reset/confirm", json=body)).status_code == 422

    login = {"email": ADA, "password": PASSWORD}
    tokens = (await client.post("/auth/login", json=login)).json()
    unused = await ask_for_link(client, mail)
    ada.client.headers["Authorization"] = f"Bearer {tokens['access_token']}"
    change = {"current_password": PASSWORD, "new_password": NEW}
    assert (await ada.client.post("/auth/password", json=change)).status_code == 200
    body = {"token": unused, "new_password": "another long one"}
    assert (await client.post("/auth/password/reset/confirm", json=body)).status_code == 422


@pytest.mark.attack("A25")
@pytest.mark.usefixtures("ada")
async def test_nobody_learns_from_a_reset_who_has_an_account(
    client: httpx.AsyncClient, mail: Mail
) -> None:
    known = await client.post("/auth/password/reset", json={"email": ADA})
    unknown = await client.post("/auth/password/reset", json={"email": "nobody@example.com"})
    await mail.deliver()

    assert known.content == unknown.content
    assert known.status_code == unknown.status_code == 200
    assert mail.box.recipients == [[ADA]]


@pytest.mark.attack("A23")
@pytest.mark.usefixtures("ada")
@pytest.mark.parametrize(
    "email",
    [[ADA, "eve@example.com"], f"{ADA},eve@example.com", f"{ADA}\nCc: eve@example.com", {"a": ADA}],
)
async def test_a_letter_goes_to_the_stored_address_alone(
    client: httpx.AsyncClient, mail: Mail, email: object
) -> None:
    answer = await client.post("/auth/password/reset", json={"email": email})
    await mail.deliver()

    assert answer.status_code == 422
    assert mail.box.letters == []


@pytest.mark.attack("A24", "S11")
@pytest.mark.usefixtures("ada")
async def test_links_lead_to_the_configured_address_whatever_a_request_says(
    client: httpx.AsyncClient, mail: Mail
) -> None:
    headers = {"X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example"}

    await client.post("/auth/password/reset", json={"email": ADA}, headers=headers)
    await mail.deliver()

    assert "evil" not in mail.box.text()


@pytest.mark.attack("Q10")
@pytest.mark.usefixtures("ada")
async def test_nobody_is_flooded_with_letters(client: httpx.AsyncClient, mail: Mail) -> None:
    for _ in range(6):
        await client.post("/auth/password/reset", json={"email": ADA.upper()})
    await mail.deliver()

    assert len(mail.box.letters) == 3


@pytest.mark.usefixtures("ada")
async def test_a_letter_that_was_not_sent_is_sent_later(
    client: httpx.AsyncClient, mail: Mail, db: Database
) -> None:
    mail.box.refuses = "451 try again"
    await client.post("/auth/password/reset", json={"email": ADA})
    await mail.deliver()
    async with db.transaction() as session:
        left = await session.scalar(text("select count(*) from password_resets"))
        await session.execute(text("update procrastinate_jobs set scheduled_at = null"))

    mail.box.refuses = ""
    await mail.deliver()

    assert left == 0, "a token nobody got is good for nothing"
    assert mail.box.recipients == [[ADA]]


@pytest.mark.attack("A16")
async def test_a_dump_of_the_database_opens_nothing(ada: Account, mail: Mail, db: Database) -> None:
    token = await ask_for_link(ada.client, mail)

    async with db.transaction() as session:
        tables = ("password_resets", "procrastinate_jobs", "procrastinate_events", "events")
        rows = [str(row) for one in tables for row in await session.execute(text(f"table {one}"))]

    assert rows
    assert token not in "".join(rows)


async def test_an_old_bcrypt_hash_still_opens_and_becomes_argon2(
    ada: Account, client: httpx.AsyncClient, db: Database
) -> None:
    old = bcrypt.hashpw(b"the old one", bcrypt.gensalt(4)).decode()
    async with db.transaction() as session:
        await session.execute(text("update users set password_hash = :old"), {"old": old})

    assert await signed_in(client, ADA, "the old one")

    async with db.transaction() as session:
        stored = str(await session.scalar(text("select password_hash from users")))
    assert stored.startswith("$argon2id$")
    assert await signed_in(client, ADA, "the old one")
    assert (await ada.client.get("/auth/me")).status_code == 200


@pytest.mark.attack("A18")
@pytest.mark.usefixtures("ada")
async def test_what_bcrypt_would_cut_off_is_not_accepted(
    client: httpx.AsyncClient, db: Database
) -> None:
    old = bcrypt.hashpw(b"a" * 72, bcrypt.gensalt(4)).decode()
    async with db.transaction() as session:
        await session.execute(text("update users set password_hash = :old"), {"old": old})

    assert not await signed_in(client, ADA, "a" * 72 + "b")
    assert await signed_in(client, ADA, "a" * 72)
