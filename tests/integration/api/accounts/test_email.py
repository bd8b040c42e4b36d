"""Another address for an account."""

from datetime import timedelta

import httpx

from autostack.core.settings import Settings
from autostack.entrypoints.http import Keys, assemble
from tests.clock import FakeClock
from tests.integration.api.accounts.letters import SITE, Mail, signed_in
from tests.integration.api.conftest import PASSWORD, Account, speak

OLD, NEW = "ada@example.com", "Countess@example.org"


async def wish(ada: Account, mail: Mail, email: str = NEW) -> None:
    body = {"email": email, "password": PASSWORD}
    answer = await ada.client.post("/auth/email", json=body)
    assert answer.status_code == 200, answer.text
    await mail.deliver()


async def test_an_address_counts_once_its_link_was_followed(
    ada: Account, client: httpx.AsyncClient, mail: Mail
) -> None:
    await wish(ada, mail)
    token = mail.box.token()
    assert f"{SITE}/dashboard/confirm-email#token=" in mail.box.text()
    assert not await signed_in(client, NEW, PASSWORD), "not before"

    done = await client.post("/auth/email/confirm", json={"token": token})
    again = await client.post("/auth/email/confirm", json={"token": token})
    await mail.deliver()

    assert (done.status_code, done.json()["email"]) == (200, NEW)
    assert again.status_code == 422
    assert await signed_in(client, NEW.upper(), PASSWORD)
    assert not await signed_in(client, OLD, PASSWORD)
    assert mail.box.recipients == [[NEW], [OLD]], "the old address is told"


async def test_the_password_is_asked_for(ada: Account, mail: Mail) -> None:
    body = {"email": NEW, "password": "not my password"}

    answer = await ada.client.post("/auth/email", json=body)
    await mail.deliver()

    assert (answer.status_code, answer.json()["code"]) == (403, "password_wrong")
    assert mail.box.letters == []


async def test_the_address_of_another_account_is_not_given_away_and_its_owner_is_told(
    ada: Account, eve: Account, mail: Mail
) -> None:
    await wish(ada, mail, "eve@example.com")

    assert mail.box.recipients == [["eve@example.com"]]
    assert "#token" not in mail.box.text()
    assert (await eve.client.get("/auth/me")).json()["email"] == "eve@example.com"


async def test_an_address_that_was_taken_meanwhile_is_refused(
    ada: Account, client: httpx.AsyncClient, mail: Mail
) -> None:
    await wish(ada, mail)
    await client.post("/auth/register", json={"email": NEW, "password": PASSWORD})

    late = await client.post("/auth/email/confirm", json={"token": mail.box.token()})

    assert (late.status_code, late.json()["code"]) == (409, "email_taken")
    assert (await ada.client.get("/auth/me")).json()["email"] == OLD


async def test_only_the_newest_wish_can_be_confirmed_and_for_an_hour(
    ada: Account, client: httpx.AsyncClient, mail: Mail, clock: FakeClock
) -> None:
    await wish(ada, mail, "first@example.org")
    first = mail.box.token()
    await wish(ada, mail)
    second = mail.box.token()

    replaced = await client.post("/auth/email/confirm", json={"token": first})
    clock.advance(timedelta(minutes=61))
    late = await client.post("/auth/email/confirm", json={"token": second})

    assert (replaced.status_code, late.status_code) == (422, 422)


async def test_without_a_mail_server_it_says_so_to_everybody(
    settings: Settings, keys: Keys, database_url: str
) -> None:
    mute = assemble(settings.model_copy(update={"smtp_url": None}), keys, url=database_url)
    async with mute.router.lifespan_context(mute), speak(mute) as client:
        answers = [
            await client.post("/auth/password/reset", json={"email": one}) for one in (OLD, NEW)
        ]

    assert [one.json()["code"] for one in answers] == ["mail_not_configured"] * 2
    assert answers[0].status_code == 503
