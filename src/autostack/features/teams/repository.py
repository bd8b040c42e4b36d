from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    Uuid,
    and_,
    bindparam,
    delete,
    false,
    func,
    or_,
    select,
)
from sqlalchemy.ext.asyncio import AsyncSession

from autostack.features.teams.roles import About, Named, Standing
from autostack.models.deployment import Deployment
from autostack.models.environment import Environment
from autostack.models.invitation import Invitation
from autostack.models.project import Project
from autostack.models.run import Run
from autostack.models.team import Membership, Role, Team


async def of_user(session: AsyncSession, user_id: UUID) -> Sequence[tuple[Team, Role]]:
    query = select(Team, Membership.role).join(Membership, Membership.team_id == Team.id)
    query = query.where(Membership.user_id == user_id).order_by(Team.created_at, Team.id)
    return [(row[0], row[1]) for row in await session.execute(query)]


async def ids_of_user(
    session: AsyncSession, user_id: UUID, roles: Sequence[Role]
) -> frozenset[UUID]:
    query = select(Membership.team_id).where(
        Membership.user_id == user_id, Membership.role.in_(roles)
    )
    return frozenset(await session.scalars(query))


async def personal(session: AsyncSession, user_id: UUID) -> Team | None:
    return await session.scalar(select(Team).where(Team.personal_to == user_id))


async def invited(session: AsyncSession, digest: str, email_key: str, *, now: datetime) -> bool:
    proof = or_(Invitation.digest == digest, Invitation.mail_digest == digest)
    query = select(Invitation.id).where(
        proof, Invitation.email_key == email_key, Invitation.expires_at > now
    )
    return await session.scalar(query) is not None


async def shared_of(session: AsyncSession, user_id: UUID) -> Sequence[Team]:
    """Teams of several people the user is in, locked in one order."""
    query = select(Team).join(Membership, Membership.team_id == Team.id)
    query = query.where(Membership.user_id == user_id, Team.personal_to.is_(None))
    return (await session.scalars(query.order_by(Team.id).with_for_update(of=Team))).all()


async def owners(session: AsyncSession, team_id: UUID) -> frozenset[UUID]:
    query = select(Membership.user_id).where(
        Membership.team_id == team_id, Membership.role == Role.OWNER
    )
    return frozenset(await session.scalars(query))


async def leave(session: AsyncSession, team_id: UUID, user_id: UUID) -> None:
    for table, column in ((Membership, Membership.user_id), (Invitation, Invitation.invited_by)):
        await session.execute(delete(table).where(table.team_id == team_id, column == user_id))


async def standing(session: AsyncSession, user_id: UUID, named: Named) -> Standing | None:
    """What the user is in the team that owns this; None when it is not there, or not theirs."""
    about = named.about
    place = named.place if about is About.PROJECT else None
    query = _IN_PLACE if place is not None and _is_name(place) else _WAYS[about]
    row = (await session.execute(query, {"user": user_id, "id": named.id, "place": place})).first()
    if row is None:
        return None
    return Standing(team_id=row[0], team=row[1], role=row[2], protected=row[3])


def _is_name(text: str) -> bool:
    """What no environment is called need not be asked for; the database refuses some texts."""
    return text.isascii() and text.isprintable()


# Asked at nearly every request, so that putting them together counts: once, here.
_PROTECTED: ColumnElement[bool] = func.coalesce(Environment.protected, false())
_ID = bindparam("id", type_=Uuid())


def _in_team(protected: ColumnElement[bool]) -> Select[UUID, str, Role, bool]:
    mine = and_(Membership.team_id == Team.id, Membership.user_id == bindparam("user"))
    return select(Team.id, Team.name, Membership.role, protected).join(Membership, mine)


def _in_project(protected: ColumnElement[bool]) -> Select[UUID, str, Role, bool]:
    query = _in_team(protected).join(Project, Project.team_id == Team.id)
    return query.where(Project.removed_at.is_(None))


def _in_environment() -> Select[UUID, str, Role, bool]:
    query = _in_project(_PROTECTED).join(Environment, Environment.project_id == Project.id)
    return query.where(Environment.removed_at.is_(None))


_PLACE = and_(
    Environment.project_id == Project.id,
    Environment.name == bindparam("place"),
    Environment.removed_at.is_(None),
)
_IN_PLACE = _in_project(_PROTECTED).outerjoin(Environment, _PLACE).where(Project.id == _ID)
_WAYS: dict[About, Select[UUID, str, Role, bool]] = {
    About.TEAM: _in_team(false()).where(Team.id == _ID),
    About.PROJECT: _in_project(false()).where(Project.id == _ID),
    About.ENVIRONMENT: _in_environment().where(Environment.id == _ID),
    About.DEPLOYMENT: _in_project(_PROTECTED)
    .join(Deployment, Deployment.project_id == Project.id)
    .outerjoin(Environment, Environment.id == Deployment.environment_id)
    .where(Deployment.id == _ID),
    About.RUN: _in_environment()
    .join(Run, Run.environment_id == Environment.id)
    .where(Run.id == _ID),
}
