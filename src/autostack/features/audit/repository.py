"""What a search may be narrowed to: projects and people by name."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from autostack.models.project import Project
from autostack.models.team import Membership
from autostack.models.user import User

MOST_SHOWN = 1000
Named = Sequence[tuple[UUID, str]]


async def projects(session: AsyncSession, *, reader: UUID | None) -> Named:
    """Of the reader's teams; no reader is one who sees all."""
    query = select(Project.id, Project.name).where(Project.removed_at.is_(None))
    if reader is not None:
        theirs = select(Membership.team_id).where(Membership.user_id == reader)
        query = query.where(Project.team_id.in_(theirs))
    return await _named(session, query.order_by(Project.name, Project.id))


async def people(session: AsyncSession, *, teams: frozenset[UUID] | None) -> Named:
    """Who is in these teams, programs too; None is everybody."""
    query = select(User.id, User.email).where(User.removed_at.is_(None))
    if teams is not None:
        members = select(Membership.user_id).where(Membership.team_id.in_(sorted(teams)))
        query = query.where(User.id.in_(members))
    return await _named(session, query.order_by(User.email, User.id))


async def _named(session: AsyncSession, query: Select[UUID, str]) -> Named:
    return [(row[0], row[1]) for row in await session.execute(query.limit(MOST_SHOWN))]
