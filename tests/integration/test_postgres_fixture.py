"""The fixtures themselves: each test has a database of its own, with every table in it."""

import pytest
from sqlalchemy import text

from autostack.core.db import Database
from autostack.models.registry import metadata


@pytest.mark.parametrize("turn", [1, 2])
async def test_every_test_starts_with_empty_tables(db: Database, turn: int) -> None:
    async with db.transaction() as session:
        tables = set(await session.scalars(text("select tablename from pg_tables")))
        teams = await session.scalar(text("select count(*) from teams"))
        jobs = await session.scalar(text("select count(*) from procrastinate_jobs"))
        await session.execute(
            text("insert into teams (id, name, created_at) values (gen_random_uuid(), 'x', now())")
        )

    assert set(metadata.tables) <= tables
    assert (teams, jobs) == (0, 0), turn
