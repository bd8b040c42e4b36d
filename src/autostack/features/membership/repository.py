from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from autostack.models.invitation import Invitation
from autostack.models.project import Project
from autostack.models.team import Membership, Role, Team
from autostack.models.user import User

MOST_SHOWN = 500


async def lock(session: AsyncSession, team_id: UUID) -> Team:
    """Changes of who is in a team come one by one, so that an owner stays."""
    return await session.get_one(Team, team_id, with_for_update=True, populate_existing=True)


async def count_owned(session: AsyncSession, user_id: UUID) -> int:
    query = select(func.count()).select_from(Membership)
    mine = (Membership.user_id == user_id, Membership.role == Role.OWNER)
    return await session.scalar(query.where(*mine)) or 0


async def has_projects(session: AsyncSession, team_id: UUID) -> bool:
    """Also those that are still being removed: something of theirs may run."""
    return bool(await session.scalar(select(select(Project.id).where(_of(team_id)).exists())))


def _of(team_id: UUID) -> ColumnElement[bool]:
    return Project.team_id == team_id


async def members(session: AsyncSession, team_id: UUID) -> Sequence[tuple[User, Role]]:
    query = select(User, Membership.role).join(Membership, Membership.user_id == User.id)
    query = query.where(Membership.team_id == team_id).order_by(User.email, User.id)
    return [(row[0], row[1]) for row in await session.execute(query.limit(MOST_SHOWN))]


async def member(
    session: AsyncSession, team_id: UUID, user_id: UUID
) -> tuple[User, Membership] | None:
    query = select(User, Membership).join(Membership, Membership.user_id == User.id)
    row = (await session.execute(query.where(*_one(team_id, user_id)))).first()
    return (row[0], row[1]) if row else None


async def other_owner(session: AsyncSession, team_id: UUID, user_id: UUID) -> bool:
    query = select(Membership.user_id).where(
        Membership.team_id == team_id,
        Membership.role == Role.OWNER,
        Membership.user_id != user_id,
    )
    return await session.scalar(query.limit(1)) is not None


async def add(session: AsyncSession, team_id: UUID, user_id: UUID, role: Role) -> bool:
    """False when they are a member already."""
    made = insert(Membership).values(team_id=team_id, user_id=user_id, role=role)
    added = made.on_conflict_do_nothing().returning(Membership.user_id)
    return await session.scalar(added) is not None


async def set_role(session: AsyncSession, team_id: UUID, user_id: UUID, role: Role) -> None:
    await session.execute(update(Membership).where(*_one(team_id, user_id)).values(role=role))


async def remove(session: AsyncSession, team_id: UUID, user_id: UUID) -> None:
    await session.execute(delete(Membership).where(*_one(team_id, user_id)))


def _one(team_id: UUID, user_id: UUID) -> tuple[ColumnElement[bool], ...]:
    return Membership.team_id == team_id, Membership.user_id == user_id


async def service_named(session: AsyncSession, team_id: UUID, name: str) -> bool:
    query = select(User.id).where(User.service_of == team_id, User.email == name)
    return await session.scalar(query) is not None


async def invitations(
    session: AsyncSession, team_id: UUID, *, now: datetime
) -> Sequence[Invitation]:
    query = select(Invitation).where(Invitation.team_id == team_id, Invitation.expires_at > now)
    newest = query.order_by(Invitation.created_at.desc(), Invitation.id)
    return (await session.scalars(newest)).all()


async def replace_invitation(session: AsyncSession, made: Invitation, *, now: datetime) -> None:
    """The newest one to an address is the only one; those that are over go on the way."""
    old = or_(Invitation.email_key == made.email_key, Invitation.expires_at <= now)
    await session.execute(delete(Invitation).where(Invitation.team_id == made.team_id, old))
    session.add(made)
    await session.flush()


async def invitation(session: AsyncSession, invitation_id: UUID) -> Invitation | None:
    return await session.get(Invitation, invitation_id, with_for_update=True)


async def take_invitation(
    session: AsyncSession, digest: str, *, now: datetime
) -> Invitation | None:
    """One statement: of two at the same moment one finds nothing."""
    proof = or_(Invitation.digest == digest, Invitation.mail_digest == digest)
    query = delete(Invitation).where(proof, Invitation.expires_at > now)
    return await session.scalar(query.returning(Invitation))


async def revoke_invitation(
    session: AsyncSession, team_id: UUID, invitation_id: UUID
) -> Invitation | None:
    query = delete(Invitation).where(Invitation.id == invitation_id, Invitation.team_id == team_id)
    return await session.scalar(query.returning(Invitation))


async def revoke_invitations_of(session: AsyncSession, team_id: UUID, user_id: UUID) -> None:
    await session.execute(
        delete(Invitation).where(Invitation.team_id == team_id, Invitation.invited_by == user_id)
    )
