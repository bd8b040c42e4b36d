"""The door to PostgreSQL survives a server that was restarted."""

from sqlalchemy import text

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
