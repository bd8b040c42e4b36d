"""Every query about the steps of a deployment."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from autostack.engine.release import Outcome
from autostack.engine.release import Step as StepName
from autostack.models.step import Step


async def begin(
    session: AsyncSession, deployment_id: UUID, name: StepName, *, now: datetime
) -> Step | None:
    """The row of an open step; None when it was done before."""
    statement = insert(Step).values(
        id=uuid4(), deployment_id=deployment_id, name=name, attempt=1, started_at=now
    )
    again = {"attempt": Step.attempt + 1, "ended_at": None, "outcome": None}
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=[Step.deployment_id, Step.name],
            set_=again,
            where=Step.outcome.is_distinct_from(Outcome.DONE),
        )
    )
    row = await find(session, deployment_id, name)
    return row if row is None or row.outcome is None else None


async def find(session: AsyncSession, deployment_id: UUID, name: StepName) -> Step | None:
    query = select(Step).where(Step.deployment_id == deployment_id, Step.name == name)
    return await session.scalar(query.execution_options(populate_existing=True))


async def of(session: AsyncSession, deployment_id: UUID) -> Sequence[Step]:
    rows = await session.scalars(select(Step).where(Step.deployment_id == deployment_id))
    return sorted(rows, key=lambda row: list(StepName).index(row.name))


async def close_open(
    session: AsyncSession, deployment_id: UUID, outcome: Outcome, *, now: datetime
) -> None:
    await session.execute(
        update(Step)
        .where(Step.deployment_id == deployment_id, Step.outcome.is_(None))
        .values(outcome=outcome, ended_at=func.greatest(now, Step.started_at))
    )


async def has_begun_switch(session: AsyncSession, deployment_id: UUID) -> bool:
    return await find(session, deployment_id, StepName.SWITCH) is not None
