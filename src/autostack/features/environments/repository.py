from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from autostack.models.environment import Environment
from autostack.models.user import User


async def of_project(session: AsyncSession, project_id: UUID) -> Sequence[Environment]:
    query = select(Environment).where(
        Environment.project_id == project_id, Environment.removed_at.is_(None)
    )
    query = query.order_by(Environment.created_at, Environment.name)
    return (await session.scalars(query)).all()


async def removed(session: AsyncSession, *, before: datetime) -> Sequence[UUID]:
    """Those that were asked to go that long ago, and are still there."""
    query = select(Environment.id).where(Environment.removed_at < before)
    return (await session.scalars(query)).all()


async def exists(session: AsyncSession, project_id: UUID, name: str) -> bool:
    query = select(Environment.id).where(
        Environment.project_id == project_id, Environment.name == name
    )
    return await session.scalar(query) is not None


async def email_of(session: AsyncSession, user_id: UUID) -> str | None:
    return await session.scalar(select(User.email).where(User.id == user_id))
