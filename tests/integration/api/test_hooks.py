"""Hooks of a project, as their owner makes and looks after them."""

import hmac
import json
from typing import Any
from uuid import uuid4

import httpx
from fastapi import FastAPI
from sqlalchemy import text

from autostack.core.db import Database
from autostack.core.settings import Settings
from tests.integration.api.conftest import Account, speak

PUSH = {
    "ref": "refs/heads/main",
    "after": "5f" * 20,
    "repository": {
        "full_name": "ada/shop",
        "clone_url": "https://git.example.com/ada/shop.git",
        "default_branch": "main",
    },
}


async def hook(account: Account, project: Any, **fields: str) -> Any:  # noqa: ANN401 - JSON
    body = {"provider": "gitea", **fields}
    answer = await account.client.post(f"/projects/{project['id']}/hooks", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def push(app: FastAPI, made: Any, **changes: object) -> httpx.Response:  # noqa: ANN401 - JSON
    body = json.dumps({**PUSH, "at": str(uuid4()), **changes}).encode()
    headers = {
        "x-gitea-event": "push",
        "x-gitea-delivery": str(uuid4()),
        "x-gitea-signature": hmac.digest(made["secret"].encode(), body, "sha256").hex(),
    }
    async with speak(app, "203.0.113.7") as client:
        return await client.post(httpx.URL(made["url"]).path, content=body, headers=headers)


async def test_an_address_and_a_secret_are_shown_once(
    ada: Account, settings: Settings, db: Database
) -> None:
    shop = await ada.project()

    made = await hook(ada, shop)
    listed = (await ada.client.get(f"/projects/{shop['id']}/hooks")).json()["items"]

    assert made["url"].startswith(f"{settings.web_address}/webhooks/gitea/")
    assert "Only this machine" in made["note"]
    assert listed == [
        {name: made[name] for name in ("id", "provider", "environment", "created_at")}
    ]
    async with db.transaction() as session:
        kept = await session.scalar(text("select hooks::text from hooks"))
    assert made["secret"].encode().hex() not in kept
    assert made["url"].rpartition("/")[2] not in kept


async def test_a_newer_push_takes_the_place_of_one_that_waits(app: FastAPI, ada: Account) -> None:
    made = await hook(ada, await ada.project())

    first, second = await push(app, made), await push(app, made, after="6f" * 20)

    older, newer = [
        (await ada.client.get(f"/deployments/{answer.json()['deployment_id']}")).json()
        for answer in (first, second)
    ]
    assert (older["status"], newer["status"]) == ("superseded", "pending")


async def test_a_hook_is_for_one_environment(app: FastAPI, ada: Account) -> None:
    shop = await ada.project()
    place = f"/projects/{shop['id']}/environments"
    await ada.client.post(place, json={"name": "staging", "branch": "develop"})
    made = await hook(ada, shop, environment="staging")

    answer = await push(app, made, ref="refs/heads/develop")
    other = await push(app, made)
    unknown = await ada.client.post(
        f"/projects/{shop['id']}/hooks", json={"provider": "github", "environment": "none"}
    )

    assert answer.json()["decision"] == "develop is deployed to staging as deployment 1."
    assert other.json()["decision"] == "staging follows develop; this push is for main."
    assert (unknown.status_code, unknown.json()["code"]) == (404, "environment_not_found")


async def test_deliveries_tell_what_was_decided_page_by_page(app: FastAPI, ada: Account) -> None:
    shop = await ada.project()
    made = await hook(ada, shop)
    for branch in ("one", "two", "main"):
        await push(app, made, ref=f"refs/heads/{branch}")
    url = f"/projects/{shop['id']}/hooks/{made['id']}/deliveries"

    first = (await ada.client.get(url, params={"limit": 2})).json()
    rest = (await ada.client.get(url, params={"cursor": first["next_cursor"]})).json()

    found = [*first["items"], *rest["items"]]
    assert {one["branch"]: one["outcome"] for one in found} == {
        "one": "ignored",
        "two": "ignored",
        "main": "deployed",
    }
    assert rest["next_cursor"] is None


async def test_a_new_secret_ends_the_old_one_and_a_removed_hook_is_gone(
    app: FastAPI, ada: Account
) -> None:
    shop = await ada.project()
    made = await hook(ada, shop)
    url = f"/projects/{shop['id']}/hooks/{made['id']}"

    rotated = (await ada.client.post(f"{url}/rotate")).json()

    assert (await push(app, made)).status_code == 401
    assert (await push(app, {**made, **rotated})).status_code == 202
    assert (await ada.client.delete(url)).status_code == 200
    assert (await push(app, {**made, **rotated})).status_code == 404
    assert (await ada.client.get(f"{url}/deliveries")).json()["code"] == "hook_not_found"


async def test_a_hook_of_what_was_removed_answers_nobody(app: FastAPI, ada: Account) -> None:
    shop = await ada.project()
    made = await hook(ada, shop)

    await ada.client.delete(f"/projects/{shop['id']}")

    assert (await push(app, made)).status_code == 404


async def test_hooks_of_others_are_not_there(ada: Account, eve: Account) -> None:
    shop, own = await ada.project(), await eve.project()
    made = await hook(ada, shop)

    refused = [
        await eve.client.get(f"/projects/{shop['id']}/hooks"),
        await eve.client.post(f"/projects/{shop['id']}/hooks", json={"provider": "github"}),
        await eve.client.delete(f"/projects/{own['id']}/hooks/{made['id']}"),
        await eve.client.post(f"/projects/{own['id']}/hooks/{made['id']}/rotate"),
        await eve.client.get(f"/projects/{own['id']}/hooks/{made['id']}/deliveries"),
    ]

    assert [answer.status_code for answer in refused] == [404] * 5


async def test_a_project_has_so_many_hooks_and_no_more(ada: Account) -> None:
    shop = await ada.project()
    for _ in range(20):
        await hook(ada, shop)

    answer = await ada.client.post(f"/projects/{shop['id']}/hooks", json={"provider": "github"})

    assert (answer.status_code, answer.json()["code"]) == (409, "too_many_hooks")


async def test_pushes_are_paused_and_resumed(app: FastAPI, ada: Account) -> None:
    shop = await ada.project()
    made = await hook(ada, shop)
    url = f"/projects/{shop['id']}/environments/production"

    paused = (await ada.client.patch(url, json={"auto_deploy": False})).json()
    answer = (await push(app, made)).json()
    again = (await ada.client.patch(url, json={"auto_deploy": True})).json()

    assert (paused["auto_deploy"], again["auto_deploy"]) == (False, True)
    assert answer["outcome"] == "paused"
    assert answer["decision"] == (
        "Automatic deployments of production are paused by ada@example.com."
    )
    assert (await push(app, made)).json()["outcome"] == "deployed"


async def test_a_rollback_can_keep_pushes_from_undoing_it(
    app: FastAPI, ada: Account, db: Database
) -> None:
    shop = await ada.project()
    made = await hook(ada, shop)
    (place,) = (await ada.client.get(f"/projects/{shop['id']}/environments")).json()["items"]
    release = uuid4()
    async with db.transaction() as session:
        await session.execute(
            text(
                "insert into releases (id, environment_id, number, commit_sha, commit_message,"
                " plan, artifact, configuration, created_at)"
                " values (:id, :environment, 1, '', '', '{}', '{}', '', now())"
            ),
            {"id": release, "environment": place["id"]},
        )

    back = await ada.client.post(
        f"/environments/{place['id']}/rollback",
        json={"release_id": str(release), "pause_auto_deploy": True},
    )
    answer = (await push(app, made)).json()

    assert back.status_code == 200, back.text
    assert answer["decision"] == (
        "Automatic deployments of production are paused since the rollback by ada@example.com."
    )
