"""Who did what, when and from where; seen by those it concerns, and changed by nobody."""

import csv
import io
import json
from typing import Any
from uuid import UUID

import httpx
import psycopg
import pytest
from fastapi import FastAPI
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from autostack.core.db import Database
from autostack.features.deployments.service import tell
from autostack.models.deployment import Deployment
from tests.clock import FakeClock
from tests.integration.api.accounts.letters import signed_in
from tests.integration.api.conftest import Account, speak
from tests.integration.api.teams.teams import good, make_team

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


async def test_changes_are_what_somebody_decided_and_how_it_ended(
    ada: Account, db: Database, clock: FakeClock
) -> None:
    project = await ada.project()
    body = {"project_id": project["id"]}
    deployment = (await ada.client.post("/deployments", json=body)).json()["id"]
    async with db.transaction() as session:
        row = await session.get_one(Deployment, UUID(deployment))
        for step in range(60):
            await tell(session, row, "deployment.step", now=clock(), step="build", attempt=step)
            await tell(session, row, "deployment.status", now=clock(), status="building")
        await tell(session, row, "deployment.status", now=clock(), status="failed")

    shown = await history(ada, project_id=project["id"], changes="true")
    one, *_ = await history(ada, project_id=project["id"], changes="true", limit="1")
    everything = await history(ada, project_id=project["id"], limit="200")

    assert [(each["kind"], each["data"].get("status")) for each in shown] == [
        ("deployment.status", "failed"),
        ("deployment.requested", "pending"),
        ("project.created", None),
    ]
    assert one == shown[0]
    assert len(everything) == len(shown) + 2 * 60


async def test_pages_of_changes_are_full(ada: Account, db: Database, clock: FakeClock) -> None:
    project = await ada.project()
    made = await ada.client.post("/deployments", json={"project_id": project["id"]})
    async with db.transaction() as session:
        row = await session.get_one(Deployment, UUID(made.json()["id"]))
        for _ in range(5):
            await tell(session, row, "deployment.step", now=clock(), step="build")

    query = {"changes": True, "limit": 2, "project_id": project["id"]}
    first = (await ada.client.get("/audit", params=query)).json()
    cursor = {"cursor": first["next_cursor"]}
    rest = (await ada.client.get("/audit", params=query | cursor)).json()

    kinds = [one["kind"] for one in first["items"]]
    assert kinds == ["deployment.requested", "project.created"]
    assert rest == {"items": [], "next_cursor": None}


async def test_a_project_is_named_to_those_who_may_see_it_now(ada: Account, eve: Account) -> None:
    team = await make_team(ada)
    await team.join(eve, EVE, "developer")
    project = await eve.project("Shop", team_id=team.id)
    asked = {"project_id": project["id"], "kind": "project.created"}

    before = [one["project"] for one in await history(eve, **asked)]
    await good(ada.client.patch(f"/projects/{project['id']}", json={"name": "Secret"}))
    await good(ada.client.delete(f"{team.path}/members/{eve.id}"))

    assert before == ["Shop"]
    assert [one["project"] for one in await history(eve, **asked)] == [None]
    assert [one["project"] for one in await history(ada, **asked)] == ["Secret"]
    assert [one["project"] for one in await history(ada, **asked, everything="true")] == ["Secret"]


@pytest.mark.attack("Z03")
async def test_choices_are_of_the_readers_teams(ada: Account, eve: Account) -> None:
    team = await make_team(ada)
    await team.join(eve, EVE, "developer")
    shared, own = await team.project("Shared"), await ada.project("Own")
    choices = "/audit/choices"

    found = {who: (await good(who.client.get(choices))) for who in (ada, eve)}
    refused = await eve.client.get(choices, params={"everything": True})
    platform = await good(ada.client.get(choices, params={"everything": True}))

    assert names(found[ada], "projects") == {own["id"]: "Own", shared["id"]: "Shared"}
    assert names(found[ada], "people") == {ada.id: "ada@example.com", eve.id: EVE}
    assert names(found[eve], "projects") == {shared["id"]: "Shared"}
    assert names(found[eve], "people") == {eve.id: EVE}
    assert refused.json()["code"] == "only_administrators"
    assert platform == found[ada]


def names(choices: Any, kind: str) -> dict[str, str]:  # noqa: ANN401 - JSON
    return {one["id"]: one["name"] for one in choices[kind]}


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
