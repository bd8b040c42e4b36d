"""What holds the disk: for its owner one project, for the administrator the whole server."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select

from autostack.core.clock import utc_now
from autostack.core.db import Database
from autostack.core.space import GB, Space
from autostack.features.disk import service
from autostack.models.disk_sample import DiskSample
from tests.integration.api.conftest import Account, Register

HELD = {"releases": 3 * GB, "caches": GB}


async def measured(db: Database, project: Any, *, samples: int = 1) -> None:  # noqa: ANN401 - JSON
    now = utc_now()
    async with db.transaction() as session:
        await service.write_usage(session, {UUID(project["id"]): HELD}, now=now)
        for hour in reversed(range(samples)):
            seen = Space(100 * GB, 40 * GB + hour * GB)
            at = now - timedelta(hours=hour)
            await service.write_sample(session, seen, {"toolchains": GB}, now=at)


async def test_a_project_that_was_not_measured_yet_says_so(ada: Account) -> None:
    project = await ada.project()

    shown = (await ada.client.get(f"/projects/{project['id']}/disk")).json()

    assert (shown["total"], shown["measured_at"]) == (0, None)


async def test_an_owner_sees_what_a_project_holds_and_nobody_else_does(
    ada: Account, register: Register, db: Database
) -> None:
    project = await ada.project()
    await measured(db, project)
    eve = await register("eve@example.com")

    shown = (await ada.client.get(f"/projects/{project['id']}/disk")).json()
    hidden = await eve.client.get(f"/projects/{project['id']}/disk")

    assert shown["total"] == 4 * GB
    assert (shown["releases"], shown["caches"], shown["logs"]) == (3 * GB, GB, 0)
    assert shown["measured_at"]
    assert hidden.status_code == 404


async def test_the_administrator_sees_the_whole_server(ada: Account, db: Database) -> None:
    project = await ada.project()
    await measured(db, project, samples=48)

    shown = (await ada.client.get("/disk")).json()

    assert [(one["name"], one["total"]) for one in shown["projects"]] == [("Shop", 4 * GB)]
    assert shown["parts"] == {"toolchains": GB}
    assert 0 < shown["floor"] < shown["total"]
    assert shown["forecast"]["rate"] == pytest.approx(24 * GB, rel=0.01)
    assert "it is full in" in shown["forecast"]["words"]


async def test_without_a_history_nothing_is_foretold(ada: Account) -> None:
    shown = (await ada.client.get("/disk")).json()

    assert shown["forecast"]["days"] is None
    assert shown["forecast"]["words"].startswith("Too little history")
    assert shown["projects"] == []


@pytest.mark.attack("Z11")
async def test_others_do_not_see_the_server(ada: Account, register: Register) -> None:
    eve = await register("eve@example.com")

    refused = await eve.client.get("/disk")

    assert ada.id
    assert refused.status_code == 403
    assert refused.json()["code"] == "administrator_only"
    assert "--project" in refused.json()["hint"]


async def test_samples_are_one_an_hour_for_eight_days(db: Database) -> None:
    now = utc_now().replace(minute=30)
    async with db.transaction() as session:
        for minutes in range(0, 9 * 24 * 60, 20):
            at = now - timedelta(days=9) + timedelta(minutes=minutes)
            await service.write_sample(session, Space(GB, GB), {}, now=at)
        count = await session.scalar(select(func.count()).select_from(DiskSample))

    assert count is not None
    assert 8 * 24 - 1 <= count <= 8 * 24 + 1
