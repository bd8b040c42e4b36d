"""Teams of several people: made, renamed and deleted."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from autostack.features.membership import repository
from autostack.features.membership.errors import PersonalTeam, TeamNotEmpty, TooManyTeams
from autostack.features.membership.service.telling import tell
from autostack.models.team import Role, Team
from autostack.models.user import User

MOST = 50


async def found(session: AsyncSession, *, name: str, by: User, now: datetime) -> Team:
    """Whoever makes it owns it."""
    if await repository.count_owned(session, by.id) >= MOST:
        raise TooManyTeams(MOST)
    team = Team(id=uuid4(), name=name, personal_to=None, created_at=now)
    session.add(team)
    await session.flush()
    await repository.add(session, team.id, by.id, Role.OWNER)
    await tell(session, "team.created", team_id=team.id, by=by, now=now, data={"name": name})
    return team


async def rename(
    session: AsyncSession, team_id: UUID, *, name: str, by: User, now: datetime
) -> Team:
    team = await repository.lock(session, team_id)
    team.name = name
    await tell(session, "team.renamed", team_id=team_id, by=by, now=now, data={"name": name})
    return team


async def dissolve(session: AsyncSession, team_id: UUID, *, by: User, now: datetime) -> None:
    """An empty one, with its memberships, invitations and service accounts."""
    team = await shared(session, team_id)
    if await repository.has_projects(session, team_id):
        raise TeamNotEmpty
    await tell(session, "team.removed", team_id=team_id, by=by, now=now, data={"name": team.name})
    await session.delete(team)
    await session.flush()


async def shared(session: AsyncSession, team_id: UUID) -> Team:
    """The team, locked; `PersonalTeam` for one that has no room for others."""
    team = await repository.lock(session, team_id)
    if team.personal_to is not None:
        raise PersonalTeam
    return team
