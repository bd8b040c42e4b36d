"""Logs over the api: pages, streams, whose they are."""

import asyncio
import json
import socket
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from autostack.core.clock import Clock, utc_now
from autostack.core.db import Database
from autostack.core.logs import places
from autostack.core.logs.records import LINE, Record, encode
from autostack.core.logs.segments import Segments
from autostack.core.logs.sink import FileSink
from autostack.core.settings import Settings
from autostack.engine.release import Status, Step
from autostack.features.deployments import service as deployments
from autostack.models.deployment import Deployment
from autostack.models.instance import Instance
from autostack.models.release import Release
from tests.integration.api.conftest import Account

SSE = {"Accept": "text/event-stream"}


@dataclass
class Running:
    """A deployment with a log, and instances that print."""

    settings: Settings
    db: Database
    id: str
    environment: str
    release: UUID

    @property
    def sink(self) -> FileSink:
        return FileSink(self.settings.layout.deployment_output(UUID(self.id)))

    async def is_now(self, status: Status) -> None:
        async with self.db.transaction() as session:
            found = await session.get_one(Deployment, UUID(self.id))
            found.status = status
            await deployments.tell(session, found, "deployment.status", now=utc_now())

    async def instance(self, process: str, index: int) -> "Printer":
        key = uuid4()
        async with self.db.transaction() as session:
            session.add(self._row(key, process, index))
        folder = f"{places.instance_segments(str(self.settings.home))}/{key}"
        return Printer(key, folder)

    def _row(self, key: UUID, process: str, index: int) -> Instance:
        return Instance(
            id=key,
            environment_id=UUID(self.environment),
            deployment_id=UUID(self.id),
            release_id=self.release,
            process=process,
            index=index,
            runtime="process",
            command=[],
            uid=1_900_000_000 + key.int % 1000,
            address=f"10.0.0.{index}",
            port=key.int % 60_000,
            created_at=datetime.now(UTC),
        )


class Printer:
    """Writes segments as the collector does."""

    def __init__(self, key: UUID, folder: str) -> None:
        self.id = str(key)
        self._segments = Segments(folder, roll_at=400)
        self._segments.resume()
        self._end = 0

    def prints(self, text: str, *, at: int | None = None) -> None:
        stamp = int(time.time() * 1000) if at is None else at
        self._end += len(text) + 1
        line = encode(Record(self._end, stamp, LINE, text.encode()))
        self._segments.append(line, inode=1, start=0, at=stamp)


@pytest.fixture
def clock() -> Clock:
    """Lines are stamped with the time of the machine; so is what reads them."""
    return utc_now


@pytest.fixture
async def running(ada: Account, settings: Settings, db: Database) -> Running:
    project = await ada.project()
    places_of = await ada.client.get(f"/projects/{project['id']}/environments")
    environment = places_of.json()["items"][0]["id"]
    made = await ada.client.post("/deployments", json={"project_id": project["id"]})
    assert made.status_code == 200, made.text
    release = uuid4()
    async with db.transaction() as session:
        session.add(
            Release(
                id=release,
                environment_id=UUID(environment),
                number=1,
                commit_sha="a" * 40,
                plan={},
                artifact={},
                configuration=b"",
                created_at=datetime.now(UTC),
            )
        )
    # Nobody works here: the deployment stands as it was asked for.
    return Running(settings, db, made.json()["id"], environment, release)


def texts(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [item["text"] for item in answer.json()["items"]]


def events(body: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = []
    for block in body.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if line[:1] != ":")
        if "data" in fields:
            found.append(fields)
    return found


async def test_a_log_comes_in_pages(ada: Account, running: Running) -> None:
    log = running.sink
    for number in range(25):
        log.say(f"line {number}", step=Step.BUILD)

    first = await ada.client.get(f"/deployments/{running.id}/logs", params={"limit": 10})
    cursor = first.json()["next_cursor"]
    second = await ada.client.get(
        f"/deployments/{running.id}/logs", params={"limit": 100, "cursor": cursor}
    )
    last = await ada.client.get(f"/deployments/{running.id}/logs", params={"tail": 2})
    before = await ada.client.get(
        f"/deployments/{running.id}/logs",
        params={"before": last.json()["items"][0]["id"], "limit": 3},
    )

    assert texts(first) + texts(second) == [f"line {number}" for number in range(25)]
    assert second.json()["next_cursor"] is None
    assert texts(last) == ["line 23", "line 24"]
    assert texts(before) == ["line 20", "line 21", "line 22"]
    item = first.json()["items"][0]
    assert (item["step"], item["level"]) == ("build", "info")


async def test_a_deployment_that_has_not_begun_has_an_empty_log(
    ada: Account, running: Running
) -> None:
    assert texts(await ada.client.get(f"/deployments/{running.id}/logs")) == []


@pytest.mark.attack("Z03", "Z05")
async def test_nobody_else_reads_a_log(
    eve: Account, client: httpx.AsyncClient, running: Running
) -> None:
    running.sink.say("secret plans", step=Step.BUILD)
    paths = [f"/deployments/{running.id}/logs", f"/environments/{running.environment}/logs"]

    for path in paths:
        for headers in ({}, SSE):
            assert (await eve.client.get(path, headers=headers)).status_code == 404
            assert (await client.get(path, headers=headers)).status_code == 401


@pytest.mark.parametrize("place", ["x", "-1", "1" * 40, "1-2-3", "1-zz-1-1-1", "٣"])
async def test_a_place_that_is_none_is_refused_in_words(
    ada: Account, running: Running, place: str
) -> None:
    for path in (f"/deployments/{running.id}/logs", f"/environments/{running.environment}/logs"):
        for headers in ({}, SSE):
            answer = await ada.client.get(path, params={"cursor": place}, headers=headers)
            assert answer.status_code == 422
            assert answer.json()["code"] == "log_place_invalid"


async def test_the_stream_of_a_finished_deployment_has_everything_and_ends(
    ada: Account, running: Running
) -> None:
    for number in range(1200):
        running.sink.say(f"line {number}", step=Step.BUILD)
    await running.is_now(Status.FAILED)

    answer = await ada.client.get(f"/deployments/{running.id}/logs", headers=SSE)

    found = events(answer.text)
    assert [json.loads(one["data"])["text"] for one in found[:-1]] == [
        f"line {number}" for number in range(1200)
    ]
    assert found[-1] == {"event": "end", "data": '{"status":"failed"}'}


async def test_a_stream_can_bring_many_lines_in_one_event(ada: Account, running: Running) -> None:
    for number in range(12_000):
        running.sink.say(f"line {number}.", step=Step.BUILD)
    await running.is_now(Status.SUCCESS)
    url = f"/deployments/{running.id}/logs?batch=true"

    answer = await ada.client.get(url, headers=SSE)
    behind = answer.text.split("id: ")[1].split()[0]
    rest = await ada.client.get(url, headers={**SSE, "Last-Event-ID": behind})

    found = [json.loads(one["data"]) for one in events(answer.text)[:-1]]
    texts = [line["text"] for lines in found for line in lines]
    assert texts == [f"line {number}." for number in range(12_000)]
    assert len(found) == 3
    assert found[0][-1]["text"] not in rest.text
    assert found[1][0]["text"] in rest.text


async def test_many_lines_are_packed_for_whoever_unpacks_them(
    ada: Account, running: Running
) -> None:
    running.sink.say("one of many", step=Step.BUILD)
    await running.is_now(Status.SUCCESS)
    url = f"/deployments/{running.id}/logs?batch=true"

    packed = await ada.client.get(url, headers={**SSE, "Accept-Encoding": "br, gzip"})
    plain = await ada.client.get(url, headers={**SSE, "Accept-Encoding": "identity"})

    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert "one of many" in plain.text
    assert packed.text == plain.text


async def test_a_stream_goes_on_behind_the_last_event_id(ada: Account, running: Running) -> None:
    for number in range(10):
        running.sink.say(f"line {number}", step=Step.BUILD)
    await running.is_now(Status.CANCELED)
    whole = events((await ada.client.get(f"/deployments/{running.id}/logs", headers=SSE)).text)

    rest = await ada.client.get(
        f"/deployments/{running.id}/logs", headers={**SSE, "Last-Event-ID": whole[6]["id"]}
    )

    assert events(rest.text) == whole[7:]


@asynccontextmanager
async def served(app: FastAPI) -> AsyncGenerator[str]:
    """The api on a real socket: streams only stream there."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(
            uvicorn.Config(app, lifespan="off", log_level="error", ws="none", http="h11")
        )
        task = asyncio.create_task(server.serve([listener]))
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            app.state.streams.close()
            server.should_exit = True
            await task


@asynccontextmanager
async def streaming(
    app: FastAPI, account: Account, path: str, **params: str
) -> AsyncGenerator[AsyncIterator[Any]]:
    """Parsed data of events, as they arrive."""
    async with served(app) as base, httpx.AsyncClient(base_url=base, timeout=10) as client:
        headers = {**SSE, "Authorization": account.client.headers["Authorization"]}
        async with client.stream("GET", path, headers=headers, params=params) as answer:
            assert answer.status_code == 200

            async def data() -> AsyncIterator[Any]:
                async for line in answer.aiter_lines():
                    if line.startswith("data: "):
                        yield json.loads(line.removeprefix("data: "))

            yield data()


async def test_a_line_is_seen_within_a_third_of_a_second(
    app: FastAPI, ada: Account, running: Running
) -> None:
    waits: list[float] = []
    log = running.sink
    log.say("first", step=Step.FETCH)
    async with streaming(app, ada, f"/deployments/{running.id}/logs") as found:
        assert (await anext(found))["text"] == "first"
        for number in range(10):
            began = time.monotonic()
            log.output(f"line {number}\n".encode(), step=Step.BUILD)
            assert (await anext(found))["text"] == f"line {number}"
            waits.append(time.monotonic() - began)
        await running.is_now(Status.SUCCESS)
        assert await asyncio.wait_for(anext(found), 10) == {"status": "success"}

    assert sorted(waits)[5] < 0.3


@pytest.mark.attack("Z07")
async def test_a_stream_ends_when_its_reader_signs_out(
    app: FastAPI, ada: Account, running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autostack.features.logs.follow.RECHECK", 0.1)
    running.sink.say("first", step=Step.FETCH)
    async with streaming(app, ada, f"/deployments/{running.id}/logs") as found:
        await anext(found)
        await ada.client.post("/auth/logout", json={"refresh_token": ada.refresh_token})

        async with asyncio.timeout(5):
            assert [one async for one in found] == []


async def test_lines_of_all_instances_are_merged_by_time(ada: Account, running: Running) -> None:
    one, two = await running.instance("web", 0), await running.instance("worker", 0)
    for number in range(60):
        (one, two)[number % 2].prints(f"line {number}", at=1_000_000 + number // 4)
    path = f"/environments/{running.environment}/logs"

    newest = await ada.client.get(path, params={"tail": 7})
    every = await ada.client.get(path)
    ahead: list[str] = []
    cursor = "0-0-0-0"
    while cursor:
        page = await ada.client.get(path, params={"cursor": cursor, "limit": 7})
        ahead += texts(page)
        cursor = page.json()["next_cursor"]
    back: list[str] = []
    page = newest
    while texts(page):
        back = texts(page) + back
        params = {"limit": "9", "before": page.json()["items"][0]["id"]}
        page = await ada.client.get(path, params=params)

    assert sorted(texts(every), key=lambda text: int(text[5:])) == [f"line {n}" for n in range(60)]
    assert ahead == texts(every)
    assert back == texts(every)
    assert texts(newest) == texts(every)[-7:]
    stamps = [datetime.fromisoformat(item["at"]) for item in every.json()["items"]]
    assert stamps == sorted(stamps)


async def test_lines_are_filtered_by_process_instance_and_time(
    ada: Account, running: Running
) -> None:
    one, two = await running.instance("web", 0), await running.instance("worker", 0)
    one.prints("from web", at=1_000)
    two.prints("from worker", at=2_000)
    path = f"/environments/{running.environment}/logs"

    async def ask(**params: str) -> list[str]:
        return texts(await ada.client.get(path, params=params))

    assert await ask(process="web") == ["from web"]
    assert await ask(instance_id=two.id) == ["from worker"]
    assert await ask(since="1970-01-01T00:00:01.500Z") == ["from worker"]


async def test_every_line_is_streamed_once_over_reconnects(
    app: FastAPI, ada: Account, running: Running
) -> None:
    one, two = await running.instance("web", 0), await running.instance("web", 1)
    path = f"/environments/{running.environment}/logs"

    async def print_on() -> None:
        for number in range(150):
            (one, two)[number % 2].prints(f"line {number}")
            await asyncio.sleep(0.005)

    seen: list[str] = []
    async with served(app) as base, httpx.AsyncClient(base_url=base, timeout=10) as client:
        printing = asyncio.create_task(print_on())
        last = "0-0-0-0"
        while len(seen) < 150:
            headers = {**SSE, "Authorization": ada.client.headers["Authorization"]}
            headers["Last-Event-ID"] = last
            async with client.stream("GET", path, headers=headers) as answer:
                async for line in answer.aiter_lines():
                    if line.startswith("id: "):
                        last = line.removeprefix("id: ")
                    elif line.startswith("data: "):
                        seen.append(json.loads(line.removeprefix("data: "))["text"])
                        if len(seen) % 20 == 0 or len(seen) == 150:
                            break
        await printing

    assert sorted(seen, key=lambda text: int(text[5:])) == [f"line {n}" for n in range(150)]


async def test_a_followed_environment_shows_the_lines_of_a_new_instance(
    app: FastAPI, ada: Account, running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autostack.features.logs.follow.RECHECK", 0.1)
    old = await running.instance("web", 0)
    old.prints("long ago")
    path = f"/environments/{running.environment}/logs"
    async with streaming(app, ada, path, tail="5") as found:
        assert (await anext(found))["text"] == "long ago"
        new = await running.instance("web", 1)
        new.prints("hello")

        line = await asyncio.wait_for(anext(found), 5)

    assert (line["text"], line["instance_id"]) == ("hello", new.id)


def test_the_store_is_where_the_collector_writes(settings: Settings) -> None:
    assert Path(places.instance_segments(str(settings.home))).is_relative_to(settings.layout.logs)
