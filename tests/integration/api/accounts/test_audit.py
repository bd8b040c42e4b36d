"""Who did what, when and from where; seen by those it concerns, and changed by nobody."""

import csv
import io
import json
from typing import Any

import httpx
import psycopg
import pytest
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from autostack.core.db import Database
from tests.integration.api.accounts.letters import signed_in
from tests.integration.api.conftest import Account, speak

EVE = "eve@example.com"


async def history(account: Account, **query: str) -> list[Any]:
    answer = await account.client.get("/audit", params=query)
    assert answer.status_code == 200, answer.text
    return list(answer.json()["items"])


async def test_what_somebody_did_is_kept_with_who_when_and_from_where(ada: Account) -> None:
    shop = await ada.project()

    made, *_ = await history(ada)

    assert (made["kind"], made["actor"]) == ("project.created", "ada@example.com")
    assert (made["address"], made["project_id"]) == ("127.0.0.1", shop["id"])


async def test_a_wrong_password_is_kept_and_its_owner_sees_it(
    app: FastAPI, ada: Account, eve: Account
) -> None:
    async with speak(app, "203.0.113.9") as stranger:
        await signed_in(stranger, EVE, "a guess of mine")
        await signed_in(stranger, "nobody@example.com", "a guess of mine")
    failed = {"kind": "account.sign_in_failed"}

    (own,) = await history(eve, **failed)
    platform = await history(ada, **failed, everything="true")

    assert own["address"] == "203.0.113.9"
    assert [one["actor"] for one in platform] == [None, EVE]
    assert await history(ada, **failed) == []


async def test_a_change_with_a_token_names_the_token(app: FastAPI, ada: Account) -> None:
    body = {"name": "CI", "scope": "admin"}
    made = (await ada.client.post("/auth/tokens", json=body)).json()
    async with speak(app, Authorization=f"Bearer {made['token']}") as client:
        new = {"name": "Shop", "repo_url": "https://git.example.com/a/b.git"}
        assert (await client.post("/projects", json=new)).status_code == 200

    created, token, *_ = await history(ada)

    assert created["token_id"] == made["id"]
    assert (token["kind"], token["data"]["scope"]) == ("token.created", "admin")
    assert made["token"] not in json.dumps(token)


@pytest.mark.attack("Z03", "Z11")
async def test_nobody_reads_the_history_of_others(ada: Account, eve: Account) -> None:
    shop = await ada.project()

    refused = await eve.client.get("/audit", params={"everything": True})

    assert (refused.status_code, refused.json()["code"]) == (403, "only_administrators")
    assert await history(eve, project_id=shop["id"]) == []
    assert await history(eve, actor_id=ada.id) == []
    assert {one["actor"] for one in await history(eve)} == {EVE}
    assert {EVE, "ada@example.com"} <= {
        one["actor"] for one in await history(ada, everything="true")
    }


async def test_filters_narrow_and_pages_follow_each_other(ada: Account) -> None:
    for number in range(5):
        await ada.project(f"Shop {number}")
    projects = await history(ada, kind="project.")
    first = (await ada.client.get("/audit", params={"kind": "project.", "limit": 3})).json()
    rest = await history(ada, kind="project.", cursor=first["next_cursor"])

    assert [one["kind"] for one in projects] == ["project.created"] * 5
    assert [one["id"] for one in [*first["items"], *rest]] == [one["id"] for one in projects]
    assert await history(ada, until="2020-01-01T00:00:00Z") == []
    assert await history(ada, kind="%") == []


async def test_an_export_holds_everything_in_both_forms(ada: Account) -> None:
    await ada.project()
    shown = await history(ada)

    lines = (await ada.client.get("/audit/export")).text.splitlines()
    table = await ada.client.get("/audit/export", params={"format": "csv"})

    assert [json.loads(line) for line in lines] == shown
    rows = list(csv.DictReader(io.StringIO(table.text)))
    assert [row["kind"] for row in rows] == [one["kind"] for one in shown]
    assert table.headers["content-disposition"] == 'attachment; filename="audit.csv"'


async def test_a_table_holds_no_formula(client: httpx.AsyncClient, ada: Account) -> None:
    formula = "=cmd@example.com"
    body = {"email": formula, "password": "three blue bicycles"}
    assert (await client.post("/auth/register", json=body)).status_code == 200

    answer = await ada.client.get("/audit/export", params={"format": "csv", "everything": True})

    actors = {row["actor"] for row in csv.DictReader(io.StringIO(answer.text))}
    assert f"'{formula}" in actors
    assert formula not in actors


@pytest.mark.attack("Z21")
@pytest.mark.usefixtures("ada")
@pytest.mark.parametrize(
    "change", ["update events set kind = 'x'", "delete from events", "truncate events"]
)
async def test_history_is_never_changed(db: Database, change: str) -> None:
    with pytest.raises(DBAPIError) as refused:
        async with db.transaction() as session:
            await session.execute(text(change))

    assert isinstance(refused.value.orig, psycopg.errors.RaiseException)
