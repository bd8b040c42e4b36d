"""Invitations: to one address, good once, for seven days."""

import asyncio
from datetime import timedelta

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text

from autostack.core.db import Database
from autostack.core.settings import Settings
from autostack.entrypoints.http import Keys, assemble
from tests.clock import FakeClock
from tests.integration.api.accounts.letters import Mail
from tests.integration.api.conftest import PASSWORD, Account, Register, speak
from tests.integration.api.teams.teams import Team, accept, good, make_team, refusal
from tests.mailbox import mailbox

EVE = "eve@example.com"


async def test_an_invitation_is_shown_once_and_kept_as_a_digest(team: Team, db: Database) -> None:
    made = await team.invite(EVE, "viewer")

    (listed,) = (await good(team.owner.client.get(f"{team.path}/invitations")))["items"]

    assert made["link"].endswith(f"/dashboard/invitation#token={made['token']}")
    assert listed == {
        key: value for key, value in made.items() if key not in {"token", "link", "mailed"}
    }
    async with db.transaction() as session:
        rows = await session.execute(text("select i::text from invitations i"))
        told = await session.execute(text("select data::text from events"))
        assert made["token"] not in "".join(row[0] for row in [*rows, *told])


async def test_it_is_good_once(team: Team, eve: Account) -> None:
    made = await team.invite(EVE, "viewer")

    joined = await good(accept(eve, made["token"]))

    assert (joined["id"], joined["role"]) == (team.id, "viewer")
    assert await team.members() == {"ada@example.com": "owner", EVE: "viewer"}
    assert await refusal(accept(eve, made["token"])) == (422, "invitation_invalid")


async def test_of_many_that_accept_at_once_one_does(team: Team, eve: Account) -> None:
    made = await team.invite(EVE)

    answers = await asyncio.gather(*(accept(eve, made["token"]) for _ in range(5)))

    assert sorted(one.status_code for one in answers) == [200, 422, 422, 422, 422]


async def test_it_ends_after_seven_days(team: Team, eve: Account, clock: FakeClock) -> None:
    made = await team.invite(EVE)

    clock.advance(timedelta(days=7, seconds=1))
    body = {"email": EVE, "password": PASSWORD}
    pair = (await eve.client.post("/auth/login", json=body)).json()
    eve.client.headers["Authorization"] = f"Bearer {pair['access_token']}"

    assert await refusal(accept(eve, made["token"])) == (422, "invitation_invalid")


@pytest.mark.attack("Z14")
async def test_it_is_for_the_address_alone_and_a_stranger_does_not_use_it_up(
    team: Team, eve: Account, register: Register
) -> None:
    mallory = await register("mallory@example.com")
    made = await team.invite("EVE@Example.com")

    stranger = await refusal(accept(mallory, made["token"]))

    assert stranger == (403, "invitation_of_another")
    await good(accept(eve, made["token"]))


async def test_a_new_one_replaces_the_last_and_a_revoked_one_is_gone(
    team: Team, eve: Account
) -> None:
    first, second = await team.invite(EVE), await team.invite(EVE)
    assert await refusal(accept(eve, first["token"])) == (422, "invitation_invalid")

    await good(team.owner.client.delete(f"{team.path}/invitations/{second['id']}"))

    assert await refusal(accept(eve, second["token"])) == (422, "invitation_invalid")
    assert (await good(team.owner.client.get(f"{team.path}/invitations")))["items"] == []


async def test_a_member_is_not_invited_again(team: Team, eve: Account) -> None:
    await team.join(eve, EVE)

    again = team.owner.client.post(f"{team.path}/invitations", json={"email": EVE})

    assert await refusal(again) == (409, "already_member")


@pytest.mark.parametrize("ends", ["removed", "demoted"])
async def test_what_an_admin_offered_ends_with_the_admin(
    team: Team, eve: Account, register: Register, ends: str
) -> None:
    mallory = await register("mallory@example.com")
    await team.join(eve, EVE, "admin")
    body = {"email": "mallory@example.com", "role": "admin"}
    made = await good(eve.client.post(f"{team.path}/invitations", json=body))
    member = f"{team.path}/members/{eve.id}"

    if ends == "removed":
        await good(team.owner.client.delete(member))
    else:
        await good(team.owner.client.patch(member, json={"role": "viewer"}))

    assert await refusal(accept(mallory, made["token"])) == (422, "invitation_invalid")


@pytest.mark.attack("Z14")
async def test_an_invitation_of_another_team_is_not_revoked(team: Team, eve: Account) -> None:
    other, made = await make_team(eve, "Others"), await team.invite("x@example.com")

    refused = eve.client.delete(f"{other.path}/invitations/{made['id']}")

    assert await refusal(refused) == (404, "invitation_not_found")


@pytest.mark.parametrize(
    ("registration", "email", "status"),
    [
        ("invite", "new@example.com", 200),
        ("invite", "another@example.com", 403),
        ("closed", "new@example.com", 403),
    ],
)
async def test_an_invitation_lets_its_address_register_where_nobody_else_may(
    team: Team,
    settings: Settings,
    keys: Keys,
    database_url: str,
    clock: FakeClock,
    registration: str,
    email: str,
    status: int,
) -> None:
    made = await team.invite("new@example.com")
    closed = assemble(
        settings.model_copy(update={"registration": registration}),
        keys,
        url=database_url,
        clock=clock,
    )
    body = {"email": email, "password": PASSWORD}

    async with closed.router.lifespan_context(closed), speak(closed) as client:
        without = await client.post("/auth/register", json=body)
        made_up = await client.post("/auth/register", json=body | {"invitation": "x"})
        invited = await client.post("/auth/register", json=body | {"invitation": made["token"]})

    assert (without.status_code, made_up.status_code) == (403, 403)
    assert invited.status_code == status, invited.text


async def test_the_letter_has_a_link_of_its_own_and_both_are_good_once(
    settings: Settings,
    keys: Keys,
    database_url: str,
    db: Database,
    clock: FakeClock,
    register: Register,
) -> None:
    ada, eve = await register("ada@example.com"), await register(EVE)
    with mailbox() as box:
        mailing = settings.model_copy(update={"smtp_url": f"smtp+plain://127.0.0.1:{box.port}"})
        app: FastAPI = assemble(mailing, keys, url=database_url, clock=clock)
        async with app.router.lifespan_context(app), speak(app) as client:
            client.headers.update(ada.client.headers)
            team = await make_team(Account(ada.id, client, ada.refresh_token))
            made = await team.invite(EVE)
            async with db.transaction() as session:
                jobs = await session.scalar(text("select args::text from procrastinate_jobs"))
            await Mail(box, database_url, db, clock).deliver()
            found = box.token()
            await good(accept(eve, found))

    assert made["mailed"] is True
    assert made["token"] not in jobs
    assert found not in {made["token"], jobs}
    assert await refusal(accept(eve, made["token"])) == (422, "invitation_invalid")


async def test_nobody_joins_without_signing_in(team: Team, client: httpx.AsyncClient) -> None:
    made = await team.invite(EVE)

    answer = await client.post("/invitations/accept", json={"token": made["token"]})

    assert answer.status_code == 401
