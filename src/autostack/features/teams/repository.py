from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from autostack.models.team import Membership, Team


async def of_user(session: AsyncSession, user_id: UUID) -> Sequence[Team]:
    query = select(Team).join(Membership).where(Membership.user_id == user_id)
    return (await session.scalars(query.order_by(Team.created_at, Team.id))).all()


async def ids_of_user(session: AsyncSession, user_id: UUID) -> frozenset[UUID]:
    query = select(Membership.team_id).where(Membership.user_id == user_id)
    return frozenset(await session.scalars(query))


async def personal(session: AsyncSession, user_id: UUID) -> Team | None:
    return await session.scalar(select(Team).where(Team.personal_to == user_id))
