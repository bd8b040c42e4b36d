from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from autostack.models.instance import Instance

ALLOCATION_LOCK = 0x41535F504C414345


async def lock_allocation(session: AsyncSession) -> None:
    """One allocation at a time; the unique indexes hold even without it."""
    await session.execute(select(func.pg_advisory_xact_lock(ALLOCATION_LOCK)))


async def taken(session: AsyncSession) -> Sequence[tuple[int, str, int]]:
    """uid, address and port of all living instances."""
    rows = await session.execute(
        select(Instance.uid, Instance.address, Instance.port).where(Instance.freed_at.is_(None))
    )
    return [(uid, address, port) for uid, address, port in rows]


async def latest(session: AsyncSession) -> Instance | None:
    query = select(Instance).order_by(Instance.created_at.desc(), Instance.uid.desc()).limit(1)
    return await session.scalar(query)


async def of_deployment(session: AsyncSession, deployment_id: UUID) -> Sequence[Instance]:
    query = select(Instance).where(Instance.deployment_id == deployment_id)
    return (await session.scalars(query.order_by(Instance.process, Instance.index))).all()


async def living(session: AsyncSession, environment_id: UUID) -> Sequence[Instance]:
    query = select(Instance).where(
        Instance.environment_id == environment_id, Instance.freed_at.is_(None)
    )
    return (await session.scalars(query.order_by(Instance.process, Instance.index))).all()


async def locked(session: AsyncSession, environment_id: UUID) -> Sequence[Instance]:
    query = (
        select(Instance)
        .where(Instance.environment_id == environment_id, Instance.freed_at.is_(None))
        .order_by(Instance.created_at.desc(), Instance.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return (await session.scalars(query)).all()


async def ever(session: AsyncSession, environment_id: UUID) -> Sequence[UUID]:
    query = select(Instance.id).where(Instance.environment_id == environment_id)
    return (await session.scalars(query)).all()


async def all_living(session: AsyncSession) -> Sequence[Instance]:
    return (await session.scalars(select(Instance).where(Instance.freed_at.is_(None)))).all()


async def by_ids(session: AsyncSession, ids: Sequence[UUID]) -> Sequence[Instance]:
    query = select(Instance).where(Instance.id.in_(ids), Instance.freed_at.is_(None))
    return (await session.scalars(query)).all()


async def free(session: AsyncSession, ids: Sequence[UUID], *, now: datetime) -> None:
    await session.execute(
        update(Instance)
        .where(Instance.id.in_(ids), Instance.freed_at.is_(None))
        .values(freed_at=now, wanted=False, state="stopped")
    )
