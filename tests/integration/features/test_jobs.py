from uuid import uuid4

from sqlalchemy import text

from autostack.core.db import Database
from autostack.features.jobs import service as jobs


async def waiting(db: Database) -> list[tuple[str, str | None, dict[str, object]]]:
    query = "select task_name, lock, args from procrastinate_jobs order by id"
    async with db.transaction() as session:
        return [(row[0], row[1], row[2]) for row in await session.execute(text(query))]


async def test_a_job_is_there_once_the_transaction_is(db: Database) -> None:
    deployment = uuid4()
    async with db.transaction() as session:
        await jobs.enqueue(session, "deployment.run", lock="shop", deployment_id=deployment)
        assert await waiting(db) == []

    assert await waiting(db) == [("deployment.run", "shop", {"deployment_id": str(deployment)})]


async def test_a_rolled_back_request_leaves_no_job(db: Database) -> None:
    async with db.transaction() as session:
        await jobs.enqueue(session, "deployment.run")
        await session.rollback()

    assert await waiting(db) == []


async def test_a_job_that_already_waits_is_not_doubled_and_harms_nothing(db: Database) -> None:
    async with db.transaction() as session:
        await jobs.enqueue(session, "instances.look", queueing_lock="look")
    async with db.transaction() as session:
        await jobs.enqueue(session, "instances.look", queueing_lock="look")
        await jobs.enqueue(session, "deployment.run")

    assert [name for name, _, _ in await waiting(db)] == ["instances.look", "deployment.run"]
