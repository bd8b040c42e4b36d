"""How projects stand, and what happens to them with the whole of what it happened to."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from autostack.core.db import Database
from autostack.engine.release import Status
from autostack.engine.tally import NONE, Tally
from autostack.features.traffic import service as traffic
from autostack.models.deployment import Deployment
from autostack.models.release import Release
from autostack.models.route import Route
from tests.clock import FakeClock
from tests.integration.api.conftest import Account


async def deployed(ada: Account, db: Database, clock: FakeClock) -> Any:  # noqa: ANN401 - JSON
    """A project whose first deployment serves and whose second one waits."""
    project = await ada.project()
    body = {"project_id": project["id"]}
    first = (await ada.client.post("/deployments", json=body)).json()
    async with db.transaction() as session:
        await serve(session, UUID(first["id"]), clock)
    clock.advance(timedelta(minutes=1))
    second = (await ada.client.post("/deployments", json=body)).json()
    return project, first, second


async def serve(session: AsyncSession, deployment_id: UUID, clock: FakeClock) -> None:
    row = await session.get_one(Deployment, deployment_id)
    release = Release(
        id=uuid4(),
        environment_id=row.environment_id,
        number=1,
        commit_sha="a" * 40,
        plan={},
        artifact={},
        configuration=b"",
        created_at=clock(),
    )
    session.add(release)
    await session.flush()
    row.status, row.release_id = Status.SUCCESS, release.id
    session.add(
        Route(
            environment_id=row.environment_id,
            generation=1,
            release_id=release.id,
            deployment_id=row.id,
            targets=[],
            changed_at=clock(),
        )
    )
    seen = Tally(codes=(0, 40, 0, 2, 0), gateway=0, latency=NONE.latency)
    await traffic.record(session, {release.id: seen}, now=clock())


async def test_a_project_shows_what_serves_beside_what_was_tried_last(
    ada: Account, db: Database, clock: FakeClock
) -> None:
    project, first, second = await deployed(ada, db, clock)

    one = (await ada.client.get(f"/projects/{project['id']}/overview")).json()
    listed = (await ada.client.get("/overview")).json()

    (place,) = one["environments"]
    assert place["environment"]["name"] == "production"
    assert (place["serving"]["id"], place["latest"]["id"]) == (first["id"], second["id"])
    assert place["instances"] == []
    assert len(one["requests"]) == 24
    assert sum(one["requests"]) == 42
    assert [row["id"] for row in one.pop("recent")] == [second["id"], first["id"]]
    assert listed == {"items": [one], "next_cursor": None}


async def test_a_project_shows_its_five_newest_deployments_of_all_environments(
    ada: Account, clock: FakeClock
) -> None:
    project, other = await ada.project(), await ada.project("Other")
    await ada.client.post(f"/projects/{project['id']}/environments", json={"name": "staging"})
    wanted = [(project, name) for name in ("production", "staging") * 3]
    for one, name in [*wanted, (other, "production")]:
        clock.advance(timedelta(minutes=1))
        body = {"project_id": one["id"], "environment": name}
        assert (await ada.client.post("/deployments", json=body)).status_code == 200

    shown = (await ada.client.get(f"/projects/{project['id']}/overview")).json()["recent"]

    assert [(one["number"], one["environment"]) for one in shown] == [
        (6, "staging"),
        (5, "production"),
        (4, "staging"),
        (3, "production"),
        (2, "staging"),
    ]
    assert {one["project_id"] for one in shown} == {project["id"]}


async def test_a_project_that_was_never_deployed_has_nothing_that_serves(ada: Account) -> None:
    project = await ada.project()

    one = (await ada.client.get(f"/projects/{project['id']}/overview")).json()

    (place,) = one["environments"]
    assert (place["serving"], place["latest"], sum(one["requests"])) == (None, None, 0)


@pytest.mark.attack("Z03")
async def test_the_overview_of_others_is_not_there(ada: Account, eve: Account) -> None:
    project = await ada.project()

    answer = await eve.client.get(f"/projects/{project['id']}/overview")

    assert answer.status_code == 404
    assert (await eve.client.get("/overview")).json()["items"] == []


async def test_many_projects_come_in_pages(ada: Account) -> None:
    names = [f"Shop {number}" for number in range(7)]
    for name in names:
        await ada.project(name)

    first = (await ada.client.get("/overview?limit=5")).json()
    rest = (await ada.client.get(f"/overview?limit=5&cursor={first['next_cursor']}")).json()

    shown = [one["project"]["name"] for one in first["items"] + rest["items"]]
    assert sorted(shown) == names
    assert (len(first["items"]), rest["next_cursor"]) == (5, None)
