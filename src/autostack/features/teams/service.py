"""Teams own everything. Each user has a personal one from the start."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from autostack.features.teams import repository
from autostack.models.team import Membership, Role, Team
from autostack.models.user import User


async def found_personal(session: AsyncSession, user: User, *, now: datetime) -> Team:
    """The team a new user starts with."""
    team = Team(id=uuid4(), name="Personal", personal_to=user.id, created_at=now)
    session.add(team)
    await session.flush()
    session.add(Membership(team_id=team.id, user_id=user.id, role=Role.OWNER))
    await session.flush()
    return team


async def personal(session: AsyncSession, user: User) -> Team:
    team = await repository.personal(session, user.id)
    assert team is not None
    return team


async def of_user(session: AsyncSession, user: User) -> Sequence[Team]:
    return await repository.of_user(session, user.id)


async def ids_of_user(session: AsyncSession, user_id: UUID) -> frozenset[UUID]:
    """What authorization reads, and nothing else."""
    return await repository.ids_of_user(session, user_id)
