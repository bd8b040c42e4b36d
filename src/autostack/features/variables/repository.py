from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from autostack.models.variable import Variable


async def of_environment(session: AsyncSession, environment_id: UUID) -> Sequence[Variable]:
    query = select(Variable).where(Variable.environment_id == environment_id)
    return (await session.scalars(query.order_by(Variable.name))).all()


async def put(
    session: AsyncSession,
    environment_id: UUID,
    sealed: Iterable[tuple[str, bytes]],
    *,
    by: UUID,
    now: datetime,
) -> None:
    rows = [
        {
            "id": uuid4(),
            "environment_id": environment_id,
            "name": name,
            "sealed": value,
            "version": 1,
            "updated_at": now,
            "updated_by": by,
        }
        for name, value in sealed
    ]
    statement = insert(Variable).values(rows)
    new = statement.excluded
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=[Variable.environment_id, Variable.name],
            set_={
                "sealed": new.sealed,
                "version": Variable.version + 1,
                "updated_at": new.updated_at,
                "updated_by": new.updated_by,
            },
        )
    )


async def remove(session: AsyncSession, environment_id: UUID, name: str) -> bool:
    query = delete(Variable).where(Variable.environment_id == environment_id, Variable.name == name)
    return await session.scalar(query.returning(Variable.id)) is not None


async def keep_only(session: AsyncSession, environment_id: UUID, names: Iterable[str]) -> None:
    query = delete(Variable).where(
        Variable.environment_id == environment_id, Variable.name.not_in(list(names))
    )
    await session.execute(query)


async def size(session: AsyncSession, environment_id: UUID) -> tuple[int, int]:
    """How many, and how many bytes sealed."""
    query = select(func.count(), func.coalesce(func.sum(func.length(Variable.sealed)), 0))
    row = (await session.execute(query.where(Variable.environment_id == environment_id))).one()
    return int(row[0]), int(row[1])
