"""Invitations: to one address, good once, for seven days."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from autostack.features.accounts import email as emails
from autostack.features.accounts import tokens
from autostack.features.jobs import service as jobs
from autostack.features.membership import repository
from autostack.features.membership.errors import (
    AlreadyMember,
    InvitationInvalid,
    InvitationNotFound,
    InvitationOfAnother,
    TooManyInvitations,
)
from autostack.features.membership.service.founding import shared
from autostack.features.membership.service.members import check_grant
from autostack.features.membership.service.telling import tell
from autostack.models.invitation import Invitation
from autostack.models.team import Role, Team
from autostack.models.user import User

SEND = "team.send_invitation"
LIFE = timedelta(days=7)
MOST = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Invited:
    row: Invitation
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What the worker writes: to whom, about what, and what its link carries."""

    email: str
    team: str
    role: Role
    token: str = field(repr=False)


async def invite(
    session: AsyncSession,
    team_id: UUID,
    *,
    email: str,
    role: Role,
    by: User,
    as_: Role,
    by_mail: bool,
    now: datetime,
) -> Invited:
    """It takes the place of an earlier one to the same address. The letter's link is another
    token than the inviter's, made by the worker: none lies in a job.
    """
    check_grant(role, by=as_)
    await shared(session, team_id)
    key = emails.key(email)
    if any(member.email_key == key for member, _ in await repository.members(session, team_id)):
        raise AlreadyMember
    if len(await repository.invitations(session, team_id, now=now)) >= MOST:
        raise TooManyInvitations(MOST)
    token = tokens.make_link()
    made = Invitation(
        id=uuid4(),
        team_id=team_id,
        invited_by=by.id,
        email=email,
        email_key=key,
        role=role,
        digest=tokens.digest(token),
        created_at=now,
        expires_at=now + LIFE,
    )
    await repository.replace_invitation(session, made, now=now)
    if by_mail:
        await jobs.enqueue(session, SEND, invitation_id=made.id)
    await _tell(session, "team.invited", made, by=by, now=now)
    return Invited(row=made, token=token)


async def invitations(
    session: AsyncSession, team_id: UUID, *, now: datetime
) -> Sequence[Invitation]:
    return await repository.invitations(session, team_id, now=now)


async def revoke_invitation(
    session: AsyncSession, team_id: UUID, invitation_id: UUID, *, by: User, now: datetime
) -> None:
    row = await repository.revoke_invitation(session, team_id, invitation_id)
    if row is None:
        raise InvitationNotFound
    await _tell(session, "team.invitation_revoked", row, by=by, now=now)


async def accept(
    session: AsyncSession, *, token: str, by: User, now: datetime
) -> tuple[Team, Role]:
    """It is used up with the membership or not at all: a refusal takes back what was taken."""
    row = await repository.take_invitation(session, tokens.digest(token), now=now)
    if row is None:
        raise InvitationInvalid
    if row.email_key != by.email_key:
        raise InvitationOfAnother
    team = await repository.lock(session, row.team_id)
    if not await repository.add(session, team.id, by.id, row.role):
        raise AlreadyMember
    await _tell(session, "team.member_joined", row, by=by, now=now)
    return team, row.role


async def write_letter(
    session: AsyncSession, invitation_id: UUID, *, now: datetime
) -> Letter | None:
    """For the worker; None when it was used or revoked meanwhile."""
    row = await repository.invitation(session, invitation_id)
    if row is None or row.expires_at <= now:
        return None
    token = tokens.make_link()
    row.mail_digest = tokens.digest(token)
    team = await session.get_one(Team, row.team_id)
    return Letter(email=row.email, team=team.name, role=row.role, token=token)


async def _tell(
    session: AsyncSession, kind: str, row: Invitation, *, by: User, now: datetime
) -> None:
    about = {"email": row.email, "role": row.role.value}
    await tell(session, kind, team_id=row.team_id, by=by, now=now, data=about)
