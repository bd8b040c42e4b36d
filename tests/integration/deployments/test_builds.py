"""What a build is given, and how often it may be begun."""

import asyncio
from uuid import UUID, uuid4

import pytest
from sqlalchemy import update

from autostack.core.clock import utc_now
from autostack.core.db import Database
from autostack.engine.errors import StepGivenUp
from autostack.engine.release import Status
from autostack.engine.release import Step as StepName
from autostack.features.deployments.journal import work
from autostack.features.deployments.journal.postgres import MOST_ATTEMPTS
from autostack.models.project import Project
from autostack.models.step import Step
from tests.integration.deployments.house import House


async def seat(db: Database, project_id: UUID) -> int:
    async with db.transaction() as session:
        project = await session.get_one(Project, project_id)
        return await work.seat_for_builds(session, project)


async def add_project(house: House) -> UUID:
    one = uuid4()
    made = Project(
        id=one,
        team_id=house.project.team_id,
        name=f"p{one}",
        slug=f"p{one}",
        repo_url="https://example.com/other.git",
        created_at=utc_now(),
        updated_at=utc_now(),
    )
    async with house.db.transaction() as session:
        session.add(made)
    return one


async def test_two_projects_never_build_as_the_same_user(house: House) -> None:
    projects = [await add_project(house) for _ in range(4)]

    seats = await asyncio.gather(*(seat(house.db, one) for one in projects))

    assert sorted(seats) == [0, 1, 2, 3]


async def test_a_project_keeps_its_user_also_when_asked_twice_at_once(house: House) -> None:
    first = await asyncio.gather(*(seat(house.db, house.project.id) for _ in range(4)))
    await seat(house.db, await add_project(house))

    assert {*first, await seat(house.db, house.project.id)} == {0}


@pytest.mark.parametrize(("times", "ends"), [(MOST_ATTEMPTS - 1, "success"), (20, "failed")])
async def test_a_step_that_ends_its_worker_each_time_is_given_up(
    house: House, times: int, ends: str
) -> None:
    deployment = await house.request()
    lease = await house.claim(deployment)
    assert lease is not None
    async with house.journal(deployment, lease).step(StepName.BUILD):
        pass
    async with house.db.transaction() as session:
        await session.execute(update(Step).values(attempt=times, outcome=None))

    assert await house.run(deployment, house.journal(deployment, lease)) is Status(ends)

    row = await house.row(deployment)
    if ends == "failed":
        assert row.error_message == str(StepGivenUp("build", MOST_ATTEMPTS))
        assert "cut off 20 times" in str(row.error_message)
        assert house.builder.built == 0
