"""Teams own everything. Each user has a personal one from the start."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from autostack.core.errors import NotFound
from autostack.features.events import service as events
from autostack.features.teams import repository, roles
from autostack.features.teams.errors import (
    DeploymentNotFound,
    EnvironmentUnknown,
    LastOwner,
    ProjectNotFound,
    RunNotFound,
    TeamNotFound,
)
from autostack.features.teams.roles import About, Demand, Named, Standing
from autostack.models.team import Membership, Role, Team
from autostack.models.user import User

_MISSING: dict[About, type[NotFound]] = {
    About.TEAM: TeamNotFound,
    About.PROJECT: ProjectNotFound,
    About.ENVIRONMENT: EnvironmentUnknown,
    About.DEPLOYMENT: DeploymentNotFound,
    About.RUN: RunNotFound,
}


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


async def home(session: AsyncSession, user: User) -> UUID:
    """The team of what names none: the personal one; a service account has the one it is of."""
    return user.service_of or (await personal(session, user)).id


async def get(session: AsyncSession, team_id: UUID) -> Team:
    """One whose reader was asked for before."""
    return await session.get_one(Team, team_id)


async def invited(session: AsyncSession, digest: str, email_key: str, *, now: datetime) -> bool:
    """Whether this proves an open invitation of this address; it stays open."""
    return await repository.invited(session, digest, email_key, now=now)


async def leave_all(session: AsyncSession, user: User, *, now: datetime) -> None:
    """For an account that goes; `LastOwner` while a team would be left with nobody to own it."""
    me = frozenset({user.id})
    found = await repository.shared_of(session, user.id)
    alone = [one.name for one in found if await repository.owners(session, one.id) == me]
    if alone:
        raise LastOwner(alone)
    for one in found:
        await repository.leave(session, one.id, user.id)
        await events.emit(session, "team.member_left", team_id=one.id, actor_id=user.id, now=now)


async def of_user(session: AsyncSession, user: User) -> Sequence[tuple[Team, Role]]:
    return await repository.of_user(session, user.id)


async def ids_of_user(
    session: AsyncSession, user_id: UUID, *, least: Role = Role.VIEWER
) -> frozenset[UUID]:
    """The teams in which a user has at least this role."""
    return await repository.ids_of_user(session, user_id, roles.from_on(least))


async def expect(session: AsyncSession, user: User, demand: Demand) -> Standing:
    """Where every call is decided. What is not in the user's teams is not there; `RoleTooLow` for
    what is, but is not for their role.
    """
    named = demand.named or Named(about=About.TEAM, id=await home(session, user))
    standing = await repository.standing(session, user.id, named)
    if standing is None:
        raise _MISSING[named.about]
    roles.check(demand, standing)
    return standing
