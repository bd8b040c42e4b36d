from collections.abc import Iterable, Sequence
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import Delete, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from autostack.models.variable import Variable, VariablePast


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
    before = await _last(session, environment_id)
    rows = [
        {
            "id": uuid4(),
            "environment_id": environment_id,
            "name": name,
            "sealed": value,
            "version": before.get(name, 0) + 1,
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


async def _last(session: AsyncSession, environment_id: UUID) -> dict[str, int]:
    """The last version of each variable that was removed."""
    query = select(VariablePast.name, VariablePast.last)
    found = await session.execute(query.where(VariablePast.environment_id == environment_id))
    return {row.name: row.last for row in found}


async def remove(session: AsyncSession, environment_id: UUID, name: str) -> bool:
    query = delete(Variable).where(Variable.environment_id == environment_id, Variable.name == name)
    return await _removed(session, environment_id, query) > 0


async def keep_only(session: AsyncSession, environment_id: UUID, names: Iterable[str]) -> None:
    query = delete(Variable).where(
        Variable.environment_id == environment_id, Variable.name.not_in(list(names))
    )
    await _removed(session, environment_id, query)


async def _removed(session: AsyncSession, environment_id: UUID, query: Delete) -> int:
    """Carry it out, and remember which versions there were."""
    gone = (await session.execute(query.returning(Variable.name, Variable.version))).all()
    if gone:
        rows = [
            {"environment_id": environment_id, "name": name, "last": version, "revoked": 0}
            for name, version in gone
        ]
        statement = insert(VariablePast).values(rows)
        await session.execute(
            statement.on_conflict_do_update(
                index_elements=[VariablePast.environment_id, VariablePast.name],
                set_={"last": statement.excluded.last},
            )
        )
    return len(gone)


async def revoke(session: AsyncSession, environment_id: UUID, name: str, *, now: datetime) -> bool:
    """All it had until it was removed; False when it never was there."""
    statement = (
        update(VariablePast)
        .where(VariablePast.environment_id == environment_id, VariablePast.name == name)
        .values(revoked=VariablePast.last, revoked_at=now)
        .returning(VariablePast.name)
    )
    return await session.scalar(statement) is not None


async def revoked(session: AsyncSession, environment_id: UUID) -> Sequence[VariablePast]:
    query = select(VariablePast).where(
        VariablePast.environment_id == environment_id, VariablePast.revoked > 0
    )
    return (await session.scalars(query.order_by(VariablePast.name))).all()


async def size(session: AsyncSession, environment_id: UUID) -> tuple[int, int]:
    """How many, and how many bytes sealed."""
    query = select(func.count(), func.coalesce(func.sum(func.length(Variable.sealed)), 0))
    row = (await session.execute(query.where(Variable.environment_id == environment_id))).one()
    return int(row[0]), int(row[1])
