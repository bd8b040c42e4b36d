"""Who is in a team, and as what. An owner always stays."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from autostack.features.membership import repository
from autostack.features.membership.errors import MemberNotFound, OwnersOnly, ServiceRole
from autostack.features.membership.service.founding import shared
from autostack.features.membership.service.telling import tell
from autostack.features.teams import roles
from autostack.features.teams.errors import LastOwner
from autostack.models.team import Membership, Role
from autostack.models.user import User


async def members(session: AsyncSession, team_id: UUID) -> Sequence[tuple[User, Role]]:
    return await repository.members(session, team_id)


def check_grant(role: Role, *, by: Role) -> None:
    """An owner's place is given and taken by owners alone."""
    if role is Role.OWNER and by is not Role.OWNER:
        raise OwnersOnly


async def change_role(
    session: AsyncSession,
    team_id: UUID,
    user_id: UUID,
    role: Role,
    *,
    by: User,
    as_: Role,
    now: datetime,
) -> tuple[User, Role]:
    """What a member may do counts from the next call on, also in open streams."""
    member, known = await _reached(session, team_id, user_id, as_=as_)
    check_grant(role, by=as_)
    if member.service_of is not None and roles.at_least(role, Role.ADMIN):
        raise ServiceRole
    if known.role is Role.OWNER and role is not Role.OWNER:
        await _keep_an_owner(session, team_id, user_id)
    if not roles.at_least(role, known.role):
        await repository.revoke_invitations_of(session, team_id, user_id)
    await repository.set_role(session, team_id, user_id, role)
    about = {"member": member.email, "user_id": str(user_id), "role": role.value}
    await tell(session, "team.member_changed", team_id=team_id, by=by, now=now, data=about)
    return member, role


async def remove_member(
    session: AsyncSession, team_id: UUID, user_id: UUID, *, by: User, as_: Role, now: datetime
) -> None:
    """Its sessions and tokens reach the team no more; a service account is gone for good."""
    member, known = await _reached(session, team_id, user_id, as_=as_)
    await _end(session, team_id, member, known)
    about = {"member": member.email, "user_id": str(user_id)}
    await tell(session, "team.member_removed", team_id=team_id, by=by, now=now, data=about)


async def leave(session: AsyncSession, team_id: UUID, *, by: User, now: datetime) -> None:
    member, known = await _reached(session, team_id, by.id, as_=Role.OWNER)
    await _end(session, team_id, member, known)
    await tell(session, "team.member_left", team_id=team_id, by=by, now=now)


async def _reached(
    session: AsyncSession, team_id: UUID, user_id: UUID, *, as_: Role
) -> tuple[User, Membership]:
    await shared(session, team_id)
    found = await repository.member(session, team_id, user_id)
    if found is None:
        raise MemberNotFound
    check_grant(found[1].role, by=as_)
    return found


async def _end(session: AsyncSession, team_id: UUID, member: User, known: Membership) -> None:
    if known.role is Role.OWNER:
        await _keep_an_owner(session, team_id, member.id)
    await repository.revoke_invitations_of(session, team_id, member.id)
    await repository.remove(session, team_id, member.id)
    if member.service_of is not None:
        await session.delete(member)
        await session.flush()


async def _keep_an_owner(session: AsyncSession, team_id: UUID, user_id: UUID) -> None:
    if not await repository.other_owner(session, team_id, user_id):
        team = await repository.lock(session, team_id)
        raise LastOwner([team.name])
