"""The events stream of one deployment, over a real socket."""

import asyncio
import json
from collections.abc import AsyncGenerator
from uuid import UUID

import httpx
import pytest

from autostack.core.clock import utc_now
from autostack.core.db import Database
from autostack.core.settings import Settings
from autostack.entrypoints.http import Keys
from autostack.features.deployments import service
from autostack.models.deployment import Deployment
from tests.integration.api.conftest import PASSWORD
from tests.integration.api.test_streams import Live, eventually, served


@pytest.fixture
async def open_api(settings: Settings, keys: Keys, database_url: str) -> AsyncGenerator[Live]:
    async with served(settings, keys, database_url) as live:
        body = {"email": "ada@example.com", "password": PASSWORD}
        await eventually(lambda: live.server.started)
        await live.client.post("/auth/register", json=body)
        tokens = (await live.client.post("/auth/login", json=body)).json()
        live.client.headers["Authorization"] = f"Bearer {tokens['access_token']}"
        yield live


async def request(live: Live, name: str) -> str:
    body = {"name": name, "repo_url": "https://git.example.com/a/b.git"}
    project = (await live.client.post("/projects", json=body)).json()
    made = await live.client.post("/deployments", json={"project_id": project["id"]})
    return str(made.json()["id"])


async def tell(db: Database, deployment: str, step: str) -> None:
    async with db.transaction() as session:
        row = await session.get_one(Deployment, UUID(deployment))
        await service.tell(session, row, "deployment.step", now=utc_now(), step=step, outcome=None)


async def read(answer: httpx.Response, count: int) -> list[tuple[str, dict[str, object]]]:
    """The first events: their id, and what they say."""
    found: list[tuple[str, dict[str, object]]] = []
    number = ""
    async with asyncio.timeout(10):
        async for line in answer.aiter_lines():
            if line.startswith("id:"):
                number = line[3:].strip()
            if line.startswith("data:"):
                found.append((number, json.loads(line[5:])))
            if len(found) == count:
                return found
    return found


async def test_it_tells_this_deployment_from_its_request_on_and_no_other(
    open_api: Live, db: Database
) -> None:
    mine, other = await request(open_api, "mine"), await request(open_api, "other")
    await tell(db, other, "build")
    await tell(db, mine, "fetch")

    async with open_api.client.stream("GET", f"/deployments/{mine}/events") as answer:
        before = await read(answer, 2)

    assert [event["kind"] for _, event in before] == ["deployment.requested", "deployment.step"]
    assert {event["deployment_id"] for _, event in before} == {mine}


async def test_who_comes_back_misses_nothing_and_hears_nothing_twice(
    open_api: Live, db: Database
) -> None:
    mine = await request(open_api, "mine")
    path = f"/deployments/{mine}/events"
    async with open_api.client.stream("GET", path) as answer:
        [(last, _)] = await read(answer, 1)
    await tell(db, mine, "fetch")

    headers = {"Last-Event-ID": last}
    async with open_api.client.stream("GET", path, headers=headers) as answer:
        reading = asyncio.create_task(read(answer, 2))
        await asyncio.sleep(0.3)
        await tell(db, mine, "plan")
        found = await reading

    assert [event["data"]["step"] for _, event in found] == ["fetch", "plan"]  # type: ignore[index]
