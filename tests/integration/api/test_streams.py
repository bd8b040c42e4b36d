"""Streams over a real socket: they live, they end, and a stopping server waits for nobody."""

import asyncio
import json
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import httpx
import pytest
import uvicorn

from autostack.core.settings import Settings
from autostack.entrypoints.http import Keys, Server, assemble
from autostack.web.sse import Streams
from tests.integration.api.conftest import PASSWORD


@dataclass(frozen=True, slots=True)
class Live:
    server: Server
    serving: "asyncio.Task[None]"
    client: httpx.AsyncClient
    streams: Streams


@asynccontextmanager
async def served(settings: Settings, keys: Keys, url: str) -> AsyncGenerator[Live]:
    streams = Streams(heartbeat=timedelta(milliseconds=100))
    app = assemble(settings, keys, url=url, streams=streams)
    listener = socket.create_server(("127.0.0.1", 0))
    address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    config = uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=20)
    server = Server(config)
    with listener:
        serving = asyncio.create_task(server.serve([listener]))
        async with httpx.AsyncClient(base_url=address, timeout=10) as client:
            yield Live(server, serving, client, streams)
        server.should_exit = True
        await asyncio.wait_for(serving, 10)


@pytest.fixture
async def live(settings: Settings, keys: Keys, database_url: str) -> AsyncGenerator[Live]:
    async with served(settings, keys, database_url) as live:
        body = {"email": "ada@example.com", "password": PASSWORD}
        await eventually(lambda: live.server.started)
        await live.client.post("/auth/register", json=body)
        tokens = (await live.client.post("/auth/login", json=body)).json()
        live.client.headers["Authorization"] = f"Bearer {tokens['access_token']}"
        yield live


async def make_project(live: Live, name: str) -> None:
    body = {"name": name, "repo_url": "https://git.example.com/a/b.git"}
    assert (await live.client.post("/projects", json=body)).status_code == 200


async def eventually(holds: Callable[[], bool]) -> None:
    for _ in range(500):
        if holds():
            return
        await asyncio.sleep(0.01)
    raise AssertionError


async def until(lines: AsyncIterator[str], start: str) -> str:
    async with asyncio.timeout(5):
        async for line in lines:
            if line.startswith(start):
                return line
    raise AssertionError(start)


async def test_what_happens_arrives_while_one_watches(live: Live) -> None:
    async with live.client.stream("GET", "/events") as stream:
        lines = stream.aiter_lines()
        await until(lines, "retry:")
        await until(lines, ": beat")
        await make_project(live, "Shop")
        event = await until(lines, "event:")
        data = json.loads((await until(lines, "data:")).removeprefix("data:"))

    assert stream.headers["content-type"].startswith("text/event-stream")
    assert event == "event: project.created"
    assert data["kind"] == "project.created"


async def test_a_client_that_comes_back_gets_what_it_missed(live: Live) -> None:
    async with live.client.stream("GET", "/events") as stream:
        lines = stream.aiter_lines()
        await until(lines, ": beat")
        await make_project(live, "One")
        last = (await until(lines, "id:")).removeprefix("id:").strip()
    await make_project(live, "Two")

    async with live.client.stream("GET", "/events", headers={"Last-Event-ID": last}) as stream:
        data = await until(stream.aiter_lines(), "data:")

    assert "project.created" in data


async def test_an_event_can_bring_the_whole_deployment_it_is_about(live: Live) -> None:
    body = {"name": "Shop", "repo_url": "https://git.example.com/a/b.git"}
    project = (await live.client.post("/projects", json=body)).json()
    async with live.client.stream("GET", "/overview/events") as stream:
        lines = stream.aiter_lines()
        await until(lines, ": beat")
        asked = {"project_id": project["id"]}
        made = (await live.client.post("/deployments", json=asked)).json()
        await until(lines, "event: deployment.requested")
        data = json.loads((await until(lines, "data:")).removeprefix("data:"))
        await live.client.delete(f"/projects/{project['id']}")
        await until(lines, "event: project.removed")
        gone = json.loads((await until(lines, "data:")).removeprefix("data:"))

    assert data["deployment_id"] == made["id"]
    assert data["deployment"] == {**made, "steps": [], "cancel_requested_at": None}
    assert gone["deployment"] is None


async def test_a_client_that_leaves_is_noticed(live: Live) -> None:
    async with live.client.stream("GET", "/events") as stream:
        await until(stream.aiter_lines(), ": beat")
        assert live.streams.open == 1

    await eventually(lambda: live.streams.open == 0)


async def test_a_made_up_last_event_id_is_refused_before_any_byte(live: Live) -> None:
    answer = await live.client.get("/events", headers={"Last-Event-ID": "x"})

    assert (answer.status_code, answer.json()["code"]) == (422, "event_id_invalid")


async def test_a_stopping_server_ends_its_streams_at_once(live: Live) -> None:
    async with live.client.stream("GET", "/events") as stream:
        lines = stream.aiter_lines()
        await until(lines, ": beat")
        live.server.should_exit = True
        async with asyncio.timeout(5):
            await live.serving
            rest = [line async for line in lines]

    assert not [line for line in rest if line.startswith("data:")]
