"""The door to PostgreSQL survives a server that was restarted."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from autostack.core.db import Database

END_ALL = text(
    "select count(pg_terminate_backend(pid)) from pg_stat_activity"
    " where datname = current_database() and pid <> pg_backend_pid()"
)


async def test_connections_the_server_closed_are_replaced_before_they_are_used(
    db: Database, database_url: str
) -> None:
    async with db.transaction() as first, db.transaction() as second:
        await first.execute(text("select 1"))
        await second.execute(text("select 1"))
    other = Database(database_url)
    async with other.transaction() as session:
        ended = await session.scalar(END_ALL)
    await other.close()

    for _ in range(3):
        async with db.transaction() as session:
            assert await session.scalar(text("select 1")) == 1
    assert ended == 2


async def test_a_connection_is_no_longer_used_when_the_server_may_soon_end_it(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = Database(database_url)
    async with base.transaction() as session:
        before = await session.scalar(text("select pg_backend_pid()"))
    monkeypatch.setattr("autostack.core.db._STALE", 0.0)

    async with base.transaction() as session:
        after = await session.scalar(text("select pg_backend_pid()"))
    await base.close()

    assert before != after


@pytest.mark.attack("S10")
async def test_an_error_does_not_tell_the_values_it_was_about(db: Database) -> None:
    with pytest.raises(DBAPIError) as caught:
        async with db.transaction() as session:
            await session.execute(text("select 1/0, :password"), {"password": "hunter2"})

    assert "hunter2" not in str(caught.value)
