"""The end of an account, and of sessions."""

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text

from autostack.core.db import Database
from autostack.features.accounts import service
from autostack.features.events import service as events
from autostack.features.events.hub import Hub
from autostack.features.teams import service as teams
from tests.integration.api.accounts.letters import signed_in
from tests.integration.api.conftest import PASSWORD, Account

EVE = "eve@example.com"


async def remove(account: Account, **body: Any) -> httpx.Response:  # noqa: ANN401 - JSON
    return await account.client.post("/auth/account/remove", json={"password": PASSWORD, **body})


async def rows(db: Database, query: str, **values: object) -> list[Any]:
    async with db.transaction() as session:
        return list((await session.execute(text(query), values)).all())


async def email_of(db: Database, account: Account) -> list[Any]:
    return await rows(db, "select email from users where id = :id", id=account.id)


@pytest.mark.attack("Z19")
@pytest.mark.usefixtures("ada")
async def test_a_removed_account_is_gone_and_its_address_is_free(
    eve: Account, client: httpx.AsyncClient, db: Database
) -> None:
    wrong = await remove(eve, password="not my password")
    done = await remove(eve)

    assert (wrong.status_code, done.status_code) == (403, 200)
    assert (await eve.client.get("/auth/me")).status_code == 401
    refreshed = await client.post("/auth/refresh", json={"refresh_token": eve.refresh_token})
    assert refreshed.status_code == 401
    assert not await signed_in(client, EVE, PASSWORD)
    assert await email_of(db, eve) == []
    body = {"email": EVE, "password": PASSWORD}
    assert (await client.post("/auth/register", json=body)).status_code == 200


async def test_its_projects_are_removed_first_and_then_its_rows(
    ada: Account, eve: Account, db: Database
) -> None:
    project = await eve.project("Shop")

    await remove(eve)

    found = await rows(db, "select id from projects where removed_at is not null")
    assert [str(row[0]) for row in found] == [project["id"]]
    jobs = await rows(db, "select task_name from procrastinate_jobs")
    assert [row[0] for row in jobs] == ["project.remove"], "a worker ends what runs"
    assert await email_of(db, eve) == [("",)]
    async with db.transaction() as session:
        await session.execute(text("delete from projects"))
        await service.purge(session)
    assert await email_of(db, eve) == []
    assert (await ada.client.get("/auth/me")).status_code == 200


async def test_the_only_administrator_stays(ada: Account, eve: Account) -> None:
    answer = await remove(ada)

    assert (answer.status_code, answer.json()["code"]) == (409, "last_administrator")
    assert (await ada.client.get("/auth/me")).status_code == 200
    assert (await eve.client.get("/auth/me")).json()["is_admin"] is False


async def test_of_two_administrators_that_leave_at_once_one_stays(
    ada: Account, eve: Account, db: Database
) -> None:
    async with db.transaction() as session:
        await session.execute(text("update users set is_admin = true"))

    answers = await asyncio.gather(remove(ada), remove(eve))

    assert sorted(answer.status_code for answer in answers) == [200, 409]


async def test_signing_out_everywhere_else_leaves_this_session(
    ada: Account, client: httpx.AsyncClient
) -> None:
    login = {"email": "ada@example.com", "password": PASSWORD}
    others = [(await client.post("/auth/login", json=login)).json() for _ in range(3)]

    answer = await ada.client.delete("/auth/sessions")

    assert answer.status_code == 200
    left = (await ada.client.get("/auth/sessions")).json()["items"]
    assert [one["current"] for one in left] == [True]
    for one in others:
        bearer = {"Authorization": f"Bearer {one['access_token']}"}
        assert (await client.get("/auth/me", headers=bearer)).status_code == 401


@pytest.mark.attack("Z07")
async def test_an_open_stream_ends_at_once_when_its_session_does(
    app: FastAPI, ada: Account, db: Database, database_url: str
) -> None:
    hub = Hub(database_url)
    session_id = (await ada.client.get("/auth/sessions")).json()["items"][0]["id"]

    async def access(session: Any) -> frozenset[Any]:  # noqa: ANN401
        if not await service.stands(session, session_id, now=app.state.clock()):
            return frozenset()
        return await teams.ids_of_user(session, ada.id)  # type: ignore[arg-type]

    async def read() -> None:
        wanted = events.Wanted(access=access)
        async for _ in events.follow(db, hub, wanted, recheck=timedelta(hours=1)):
            pass

    stream = asyncio.create_task(read())
    await asyncio.sleep(1)
    assert not stream.done()

    await ada.client.delete(f"/auth/sessions/{session_id}")

    async with asyncio.timeout(5):
        await stream
    await hub.close()
