"""Commands over the api; no worker runs here, so they wait."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from autostack.core.clock import utc_now
from autostack.core.db import Database
from autostack.core.logs.sink import FileSink
from autostack.core.settings import Settings
from autostack.engine import facts
from autostack.engine.once import STEP, RunStatus
from autostack.engine.plan import Family, Plan, Process
from autostack.engine.release import Artifact
from autostack.features.runs.service import MOST
from autostack.models.release import Release
from autostack.models.route import Route
from autostack.models.run import Run
from tests.clock import FakeClock
from tests.integration.api.conftest import Account

WEB = Plan(family=Family.PYTHON, processes=(Process(name="web", command=("serve",)),))
FILES = Plan(family=Family.STATIC, publish="dist")
COMMAND = {"command": ["python", "manage.py", "migrate"]}


@dataclass
class Place:
    """An environment of Ada's with something live."""

    client: httpx.AsyncClient
    id: str
    release: str

    async def run(self, body: object = COMMAND) -> httpx.Response:
        return await self.client.post(f"/environments/{self.id}/runs", json=body)

    async def asked(self, body: object = COMMAND) -> Any:  # noqa: ANN401 - JSON
        answer = await self.run(body)
        assert answer.status_code == 200, answer.text
        return answer.json()


async def live(ada: Account, db: Database, plan: Plan) -> Place:
    project = await ada.project()
    made = await ada.client.post("/deployments", json={"project_id": project["id"]})
    deployment, place = UUID(made.json()["id"]), UUID(made.json()["environment_id"])
    artifact = Artifact(id="one", kind="directory", location="/artifacts/one")
    release = uuid4()
    async with db.transaction() as session:
        session.add(
            Release(
                id=release,
                environment_id=place,
                number=1,
                commit_sha="a" * 40,
                plan=facts.dump(plan),
                artifact=facts.dump(artifact),
                configuration=b"",
                created_at=utc_now(),
            )
        )
    async with db.transaction() as session:
        session.add(
            Route(
                environment_id=place,
                generation=1,
                release_id=release,
                deployment_id=deployment,
                targets=[],
                changed_at=utc_now(),
            )
        )
    return Place(ada.client, str(place), str(release))


@pytest.fixture
async def place(ada: Account, db: Database) -> Place:
    return await live(ada, db, WEB)


async def set_status(db: Database, run_id: str, status: RunStatus) -> None:
    async with db.transaction() as session:
        (await session.get_one(Run, UUID(run_id))).status = status


async def test_a_command_is_accepted_and_waits(place: Place) -> None:
    made = await place.asked()

    assert (made["status"], made["exit_code"], made["timeout"]) == ("pending", None, 3600)
    assert made["command"] == COMMAND["command"]
    assert (made["environment_id"], made["release_id"]) == (place.id, place.release)
    assert (await place.client.get(f"/runs/{made['id']}")).json() == made


async def test_a_text_is_split_as_a_shell_does(place: Place) -> None:
    made = await place.asked({"command": "python -c 'print(1, 2)'", "timeout": 60})

    assert made["command"] == ["python", "-c", "print(1, 2)"]
    assert made["timeout"] == 60


@pytest.mark.parametrize(
    "body",
    [
        {"command": []},
        {"command": ""},
        {"command": ["", "x"]},
        {"command": "echo 'open"},
        {"command": ["a\0b"]},
        {"command": ["x" * 40_000]},
        {"command": ["x"] * 1001},
        {"command": ["ls"], "timeout": 0},
        {"command": ["ls"], "timeout": 86_401},
        {},
    ],
    ids=str,
)
async def test_what_makes_no_sense_is_refused(place: Place, body: object) -> None:
    assert (await place.run(body)).status_code == 422


async def test_the_newest_comes_first_in_pages(place: Place, clock: FakeClock) -> None:
    made: list[str] = []
    for _ in range(3):
        made.append((await place.asked())["id"])
        clock.advance(timedelta(seconds=1))

    first = (await place.client.get(f"/environments/{place.id}/runs?limit=2")).json()
    at = f"/environments/{place.id}/runs?limit=2&cursor={first['next_cursor']}"
    rest = (await place.client.get(at)).json()

    assert [one["id"] for one in first["items"] + rest["items"]] == made[::-1]
    assert rest["next_cursor"] is None


async def test_a_waiting_run_is_canceled_at_once_and_once_only(place: Place) -> None:
    made = await place.asked()

    answer = await place.client.post(f"/runs/{made['id']}/cancel")
    again = await place.client.post(f"/runs/{made['id']}/cancel")

    assert (answer.status_code, answer.json()["status"]) == (200, "canceled")
    assert (again.status_code, again.json()["code"]) == (409, "run_finished")


async def test_a_running_one_is_asked_to_end(place: Place, db: Database) -> None:
    made = await place.asked()
    await set_status(db, made["id"], RunStatus.RUNNING)

    answer = (await place.client.post(f"/runs/{made['id']}/cancel")).json()

    assert answer["status"] == "running"
    assert answer["cancel_requested_at"] is not None


@pytest.mark.attack("Q01")
async def test_only_so_many_run_at_once_however_they_are_asked_for(
    place: Place, db: Database
) -> None:
    answers = await asyncio.gather(*(place.run() for _ in range(MOST + 3)))
    refused = [one for one in answers if one.status_code == 409]
    accepted = [one.json() for one in answers if one.status_code == 200]

    assert len(accepted) == MOST
    assert {one.json()["code"] for one in refused} == {"too_many_runs"}
    await set_status(db, accepted[0]["id"], RunStatus.DONE)
    await place.asked()


async def test_where_nothing_was_deployed_nothing_can_run(ada: Account) -> None:
    project = await ada.project()
    found = await ada.client.get(f"/projects/{project['id']}/environments")
    place = found.json()["items"][0]["id"]

    answer = await ada.client.post(f"/environments/{place}/runs", json=COMMAND)

    assert (answer.status_code, answer.json()["code"]) == (409, "nothing_deployed")
    assert answer.json()["hint"] == "Deploy it first."


async def test_a_static_site_runs_no_commands(ada: Account, db: Database) -> None:
    answer = await (await live(ada, db, FILES)).run()

    assert (answer.status_code, answer.json()["code"]) == (409, "static_release")


@pytest.mark.attack("Z03")
async def test_what_others_run_is_not_there(place: Place, eve: Account) -> None:
    made = await place.asked()

    answers = [
        await eve.client.post(f"/environments/{place.id}/runs", json=COMMAND),
        await eve.client.get(f"/environments/{place.id}/runs"),
        await eve.client.get(f"/runs/{made['id']}"),
        await eve.client.get(f"/runs/{made['id']}/logs"),
        await eve.client.get(f"/runs/{made['id']}/logs", headers={"Accept": "text/event-stream"}),
        await eve.client.post(f"/runs/{made['id']}/cancel"),
    ]

    assert [answer.status_code for answer in answers] == [404] * len(answers)
    assert (await place.client.get(f"/runs/{made['id']}")).json()["status"] == "pending"


async def test_a_log_comes_in_pages_and_as_a_stream_that_goes_on(
    place: Place, db: Database, settings: Settings
) -> None:
    made = await place.asked()
    sink = FileSink(settings.layout.run_output(UUID(made["id"])))
    for number in range(3):
        sink.output(f"line {number}\n".encode(), step=STEP)
    sink.close()
    await set_status(db, made["id"], RunStatus.FAILED)
    at = f"/runs/{made['id']}/logs"

    page = (await place.client.get(f"{at}?limit=1")).json()
    behind = {"Accept": "text/event-stream", "Last-Event-ID": page["items"][0]["id"]}
    stream = (await place.client.get(at, headers=behind)).text

    assert [line["text"] for line in page["items"]] == ["line 0"]
    assert page["next_cursor"] == page["items"][0]["id"]
    assert "line 0" not in stream
    assert stream.index("line 1") < stream.index("line 2") < stream.index("event: end")
    assert '{"status":"failed"}' in stream.replace(" ", "")


async def test_a_run_of_a_removed_project_is_not_there(ada: Account, place: Place) -> None:
    made = await place.asked()
    [project] = (await ada.client.get("/projects")).json()["items"]

    await ada.client.delete(f"/projects/{project['id']}")

    assert (await ada.client.get(f"/runs/{made['id']}")).status_code == 404


async def test_no_log_yet_is_an_empty_page(place: Place, tmp_path: Path) -> None:
    made = await place.asked()

    page = (await place.client.get(f"/runs/{made['id']}/logs")).json()

    assert page == {"items": [], "next_cursor": None}
    assert not (tmp_path / "logs" / "spool" / "runs").exists()
