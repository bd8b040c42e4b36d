"""Two workers at once, of different names and on one database: leases decide who acts."""

import asyncio
from collections import Counter
from dataclasses import replace
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select

from autostack.core.clock import utc_now
from autostack.core.crypto import Opener, Sealer, generate
from autostack.core.db import Database
from autostack.engine.release import Status
from autostack.features.deployments import orders, service
from autostack.features.deployments.tasks import Works
from autostack.models.deployment import Deployment
from autostack.models.environment import Environment
from autostack.models.instance import Instance
from autostack.models.project import Project
from tests.integration.deployments.house import House, build
from tests.integration.deployments.working import until, working

PROJECTS = 10


@pytest.fixture
async def house(db: Database, tmp_path: Path) -> House:
    return await build(db, tmp_path)


def works(house: House, worker: str, opener: Opener, sealer: Sealer) -> Works:
    def unseal(environment_id: UUID, sealed: bytes) -> dict[str, str]:
        return orders.unpack(opener.open(sealed, context=orders.context(environment_id)))

    async def forget(_: UUID) -> None:
        return

    return Works(
        db=house.db, site=replace(house.site, open=unseal), tools=house.tools,
        opener=opener, sealer=sealer, worker=worker, forget=forget,
    )  # fmt: skip


async def add_environment(house: House, number: int) -> Environment:
    now = utc_now()
    project = Project(
        id=uuid4(), team_id=house.project.team_id, name=f"shop{number}", slug=f"shop{number}",
        repo_url="https://example.com/shop.git", created_at=now, updated_at=now,
    )  # fmt: skip
    environment = Environment(
        id=uuid4(), project_id=project.id, name="production", hostname=f"shop{number}",
        loopback=f"127.19.0.{number + 1}", created_at=now,
    )  # fmt: skip
    for row in (project, environment):
        async with house.db.transaction() as session:
            session.add(row)
    return environment


async def request(house: House, environment: Environment) -> None:
    async with house.db.transaction() as session:
        project = await session.get_one(Project, environment.project_id)
        place = await session.get_one(Environment, environment.id)
        await service.request(session, project, place, now=utc_now(), by=None)


async def test_of_two_workers_each_deployment_has_one(house: House, database_url: str) -> None:
    private, public = generate()
    opener, sealer = Opener([private]), Sealer(public)
    places = [await add_environment(house, number) for number in range(PROJECTS)]
    one, two = (works(house, name, opener, sealer) for name in ("one", "two"))

    async def are_settled() -> bool:
        async with house.db.transaction() as session:
            query = select(func.count()).where(Deployment.settled_at.is_(None))
            return await session.scalar(query) == 0

    async with working(one, database_url), working(two, database_url):
        await asyncio.sleep(0.5)
        for place in places:
            await request(house, place)
        await until(are_settled, limit=240)

    async with house.db.transaction() as session:
        rows = (await session.scalars(select(Deployment))).all()
        living = await session.scalars(select(Instance).where(Instance.freed_at.is_(None)))
        seats = Counter((row.environment_id, row.process, row.index) for row in living)
    assert {row.status for row in rows} == {Status.SUCCESS}
    assert {row.worker for row in rows} == {"one", "two"}
    assert house.builder.built == PROJECTS
    assert len(house.runtime.ran) == PROJECTS
    assert set(seats.values()) == {1}
    assert Counter(house.runtime.processes()) == {"web": PROJECTS, "worker": PROJECTS}
