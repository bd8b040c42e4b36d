"""Tokens for programs: what each may do, and how long."""

import re
from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text

from autostack.core.db import Database
from autostack.features.accounts import reach
from autostack.features.accounts.service.api_tokens import checksum
from tests.clock import FakeClock
from tests.integration.api.conftest import Account, speak


class Maker:
    """Makes tokens of one account, and clients that hold nothing else."""

    def __init__(self, app: FastAPI, account: Account, stack: AsyncExitStack) -> None:
        self._app, self._account, self._stack = app, account, stack

    async def __call__(self, scope: str, **fields: object) -> httpx.AsyncClient:
        made = await self.made(scope, **fields)
        header = {"Authorization": f"Bearer {made['token']}"}
        return await self._stack.enter_async_context(speak(self._app, "203.0.113.5", **header))

    async def made(self, scope: str, **fields: object) -> Any:  # noqa: ANN401 - JSON
        body = {"name": "CI", "scope": scope, **fields}
        answer = await self._account.client.post("/auth/tokens", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture
async def token(app: FastAPI, ada: Account) -> AsyncGenerator[Maker]:
    async with AsyncExitStack() as stack:
        yield Maker(app, ada, stack)


async def deploy(client: httpx.AsyncClient, project: Any) -> int:  # noqa: ANN401 - JSON
    answer = await client.post("/deployments", json={"project_id": project["id"]})
    return answer.status_code


async def test_each_scope_may_what_its_name_says(ada: Account, token: Maker) -> None:
    shop = await ada.project()
    change = f"/projects/{shop['id']}"
    found: dict[str, list[int]] = {}

    for scope in ("read", "deploy", "admin"):
        client = await token(scope)
        found[scope] = [
            (await client.get(f"/projects/{shop['id']}")).status_code,
            (await client.get("/auth/me")).status_code,
            await deploy(client, shop),
            (await client.patch(change, json={"description": scope})).status_code,
            (await client.get("/auth/sessions")).status_code,
        ]

    assert found == {
        "read": [200, 200, 403, 403, 403],
        "deploy": [200, 200, 200, 403, 403],
        "admin": [200, 200, 200, 200, 403],
    }


@pytest.mark.attack("Z13")
async def test_a_refusal_names_the_scope_and_changes_nothing(ada: Account, token: Maker) -> None:
    shop = await ada.project()
    client = await token("read")

    answer = await client.request("DELETE", f"/projects/{shop['id']}")

    assert answer.json()["code"] == "token_forbids"
    assert "'read'" in answer.json()["detail"]
    assert (await ada.client.get(f"/projects/{shop['id']}")).status_code == 200


def operations(app: FastAPI) -> list[tuple[str, str, str]]:
    """Name, method and a path with ids of nothing, of every call."""
    return [
        (operation["operationId"], method.upper(), re.sub(r"\{\w+\}", str(uuid4()), path))
        for path, methods in app.openapi()["paths"].items()
        for method, operation in methods.items()
    ]


async def test_no_token_touches_the_account(app: FastAPI, token: Maker) -> None:
    client = await token("admin")
    public = {"register", "login", "refresh", "logout", "open_session", "confirm_email"}
    public |= {"request_password_reset", "confirm_password_reset", "me"}
    public |= {"list_providers", "begin_oauth", "finish_oauth", "open_oauth_session"}
    walked = 0

    for name, method, path in operations(app):
        if path.startswith("/auth/") and name not in public:
            answer = await client.request(method, path, json={})
            assert answer.status_code == 403, (method, path, answer.text)
            walked += 1

    assert walked >= 12


@pytest.mark.attack("A51")
async def test_a_read_token_changes_nothing_anywhere(app: FastAPI, token: Maker) -> None:
    client = await token("read")
    walked = 0

    for name, method, path in operations(app):
        signed = name == "receive_webhook"
        if method not in reach.SAFE and not path.startswith("/auth/") and not signed:
            answer = await client.request(method, path, json={})
            assert answer.status_code == 403, (method, path, answer.text)
            walked += 1

    assert walked >= 20


async def test_every_operation_of_the_lists_exists(app: FastAPI) -> None:
    names = {name for name, _, _ in operations(app)}

    known = reach.DEPLOY | reach.ANY_PROJECT | reach.BY_BODY | reach.BY_QUERY
    assert known <= names


async def test_a_token_for_one_project_reaches_no_other(ada: Account, token: Maker) -> None:
    shop, other = await ada.project("Shop"), await ada.project("Other")
    client = await token("admin", project_id=shop["id"])
    queued = await ada.client.post("/deployments", json={"project_id": other["id"]})
    foreign = queued.json()["id"]

    assert await deploy(client, shop) == 200
    assert (await client.get(f"/projects/{shop['id']}/environments")).status_code == 200
    listed = (await client.get("/projects")).json()["items"]
    assert [one["id"] for one in listed] == [shop["id"]]

    refused = [
        await deploy(client, other),
        (await client.get(f"/projects/{other['id']}")).status_code,
        (await client.get(f"/deployments/{foreign}")).status_code,
        (await client.get(f"/deployments?project_id={other['id']}")).status_code,
        (await client.get("/deployments")).status_code,
        (await client.get("/disk")).status_code,
        (await client.get("/events")).status_code,
        (await client.get(f"/projects/{uuid4()}")).status_code,
        (await client.get("/deployments/no-id")).status_code,
    ]
    assert refused == [403] * len(refused)


async def test_a_parameter_nobody_reads_opens_nothing(ada: Account, token: Maker) -> None:
    shop, other = await ada.project("Shop"), await ada.project("Other")
    client = await token("admin", project_id=shop["id"])
    own = {"project_id": shop["id"]}
    new = {"name": "New", "repo_url": "https://git.example.com/a/b.git", **own}

    refused = [
        await client.post("/projects", json=new, params=own),
        await client.get("/disk", params=own),
        await client.get("/events", params=own),
        await client.get(f"/projects/{other['id']}", params=own),
        await client.post("/deployments", json={"project_id": other["id"]}, params=own),
    ]

    assert [one.status_code for one in refused] == [403] * len(refused)


async def test_a_token_is_for_a_project_of_ones_own(ada: Account, eve: Account) -> None:
    shop = await ada.project()
    body = {"name": "CI", "scope": "read", "project_id": shop["id"]}

    answer = await eve.client.post("/auth/tokens", json=body)

    assert (answer.status_code, answer.json()["code"]) == (404, "project_unknown")


async def test_a_token_ends_with_its_time_and_when_it_is_revoked(
    ada: Account, eve: Account, token: Maker, clock: FakeClock
) -> None:
    short = await token("read", days=1)
    made = await token.made("read")
    header = {"Authorization": f"Bearer {made['token']}"}
    path = f"/auth/tokens/{made['id']}"
    assert (await eve.client.delete(path)).status_code == 404

    revoked = await ada.client.delete(path)
    again = await ada.client.delete(path)

    assert (revoked.status_code, again.status_code) == (200, 404)
    assert (await short.get("/auth/me")).status_code == 200
    assert (await short.get("/auth/me", headers=header)).status_code == 401
    clock.advance(timedelta(days=1, seconds=1))
    assert (await short.get("/auth/me")).status_code == 401


async def test_the_last_use_is_shown_and_the_token_never_again(
    ada: Account, token: Maker, clock: FakeClock, db: Database
) -> None:
    made = await token.made("read")
    before = (await ada.client.get("/auth/tokens")).json()["items"][0]
    client = await token("read")
    clock.advance(timedelta(minutes=5))
    await client.get("/projects", headers={"Authorization": f"Bearer {made['token']}"})

    listed = await ada.client.get("/auth/tokens")
    after = next(one for one in listed.json()["items"] if one["id"] == made["id"])

    assert before["used_at"] is None
    assert after["used_at"].startswith("2026-01-01T00:05")
    assert after["used_from"] == "203.0.113.5"
    assert made["token"] not in listed.text
    assert made["token"].startswith(after["hint"])
    async with db.transaction() as session:
        stored = str((await session.execute(text("table api_tokens"))).all())
        stored += str((await session.execute(text("table events"))).all())
    assert made["token"] not in stored


async def test_scanners_can_tell_a_token_from_other_text(token: Maker) -> None:
    made = (await token.made("read"))["token"]

    assert re.fullmatch(r"as_[0-9A-Za-z]{42}", made)
    assert checksum(made[3:-6]) == made[-6:]


@pytest.mark.parametrize(
    "body", [{"scope": "root"}, {"days": 0}, {"days": 9999}, {"name": ""}, {"project_id": "x"}]
)
async def test_a_senseless_token_is_refused(ada: Account, body: dict[str, object]) -> None:
    whole = {"name": "CI", "scope": "read", **body}

    assert (await ada.client.post("/auth/tokens", json=whole)).status_code == 422


@pytest.mark.parametrize("made_up", ["as_", "as_" + "0" * 42, "as_é", "AS_x"])
@pytest.mark.usefixtures("ada")
async def test_a_made_up_token_is_nobodys(client: httpx.AsyncClient, made_up: str) -> None:
    raw = [(b"Authorization", f"Bearer {made_up}".encode("latin-1"))]

    assert (await client.get("/auth/me", headers=raw)).status_code == 401


@pytest.mark.attack("Z19")
async def test_the_tokens_of_a_removed_account_are_dead(
    ada: Account, eve: Account, app: FastAPI
) -> None:
    body = {"name": "CI", "scope": "admin"}
    made = (await eve.client.post("/auth/tokens", json=body)).json()["token"]
    await eve.project()
    await eve.client.post("/auth/account/remove", json={"password": "testpassword123"})

    async with speak(app, Authorization=f"Bearer {made}") as client:
        assert (await client.get("/projects")).status_code == 401
    assert (await ada.client.get("/auth/me")).status_code == 200
