"""Making accounts, and the way from a password to a session."""

import hmac
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from autostack.core.db import Database
from autostack.core.errors import AutostackError
from autostack.features.accounts import email as emails
from autostack.features.accounts import repository, tokens, weak
from autostack.features.accounts.errors import (
    CredentialsInvalid,
    EmailTaken,
    PasswordTooCommon,
    RegistrationClosed,
    SecondFactorInvalid,
    SetupCodeNeeded,
)
from autostack.features.accounts.passwords import Checked
from autostack.features.accounts.service import codes, failures, sessions
from autostack.features.accounts.service.values import Accounts, Origin, Policy, SignedIn
from autostack.features.events import service as events
from autostack.features.teams import service as teams
from autostack.models.user import User


async def register(
    db: Database,
    accounts: Accounts,
    *,
    email: str,
    password: str,
    setup_code: str | None,
    invitation: str | None = None,
    here: bool,
    now: datetime,
) -> User:
    """A new account with its personal team. The first one of a platform administers it. `here`
    says that somebody asks on this machine, with no proxy in between.
    """
    refuse_weak(password, email=email)
    hashed = await accounts.passwords.hash(password)
    async with db.transaction() as session:
        first = await repository.begin_registration(session)
        invited = await _invited(session, invitation, email, now=now)
        admit(accounts.policy, first=first, code=setup_code, here=here, invited=invited)
        return await found(session, email=email, hashed=hashed, is_admin=first, now=now)


async def found(
    session: AsyncSession, *, email: str, hashed: str | None, is_admin: bool, now: datetime
) -> User:
    """The account itself; who may have one was decided before."""
    if await repository.by_key(session, emails.key(email)):
        raise EmailTaken
    user = User(
        id=uuid4(),
        email=email,
        email_key=emails.key(email),
        password_hash=hashed,
        is_admin=is_admin,
        created_at=now,
        updated_at=now,
    )
    session.add(user)
    await session.flush()
    team = await teams.found_personal(session, user, now=now)
    await events.emit(session, "account.registered", team_id=team.id, actor_id=user.id, now=now)
    return user


def refuse_weak(password: str, *, email: str) -> None:
    if reason := weak.why(password, email=email):
        raise PasswordTooCommon(reason)


async def _invited(session: AsyncSession, token: str | None, email: str, *, now: datetime) -> bool:
    """It stays open: whoever registered by it signs in, and accepts it."""
    if token is None:
        return False
    return await teams.invited(session, tokens.digest(token), emails.key(email), now=now)


def admit(
    policy: Policy, *, first: bool, code: str | None, here: bool, invited: bool = False
) -> None:
    if not first:
        asked = policy.invited and invited
        if not (policy.open or (policy.open_here and here) or asked):
            raise RegistrationClosed
        return
    if (policy.needs_code or not here) and not _same(code or "", policy.setup_code or ""):
        raise SetupCodeNeeded


def _same(given: str, wanted: str) -> bool:
    return bool(wanted) and hmac.compare_digest(
        given.strip().encode(errors="replace"), wanted.encode()
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Attempt:
    """One try: whom it is about, at which door, and what was found of the password."""

    user: User | None
    door: str
    device: UUID | None
    checked: Checked
    code: str | None
    origin: Origin


async def sign_in(
    db: Database,
    accounts: Accounts,
    *,
    email: str,
    password: str,
    code: str | None = None,
    origin: Origin,
    now: datetime,
) -> SignedIn:
    """A new session. Failures are committed before the refusal is said, so they stay."""
    async with db.transaction() as session:
        user = await repository.by_key(session, emails.key(email))
        device = accounts.device_of(origin, user, now=now)
        door = failures.front_door(email, device)
        await failures.refuse_locked(session, door, now=now)
    checked = await accounts.passwords.check(password, user.password_hash if user else None)
    attempt = _Attempt(
        user=user, door=door, device=device, checked=checked, code=code, origin=origin
    )
    async with db.transaction() as session:
        await failures.hold(session, door, now=now)
        verdict = await _judge(session, accounts, attempt, now=now)
    if isinstance(verdict, AutostackError):
        raise verdict
    return verdict


async def _judge(
    session: AsyncSession, accounts: Accounts, attempt: _Attempt, *, now: datetime
) -> SignedIn | AutostackError:
    user = attempt.user
    if user is None or not await _right(session, user, attempt.checked):
        await _note_failure(session, attempt, now=now)
        return CredentialsInvalid()
    refusal = await codes.refusal(session, accounts, user.id, attempt.code, now=now)
    if refusal is not None:
        if isinstance(refusal, SecondFactorInvalid):
            await _note_failure(session, attempt, now=now)
        return refusal
    await failures.forget(session, attempt.door)
    device = accounts.device_token(user, attempt.device, now=now)
    return await sessions.begin(session, user, attempt.origin, device=device, now=now)


async def _note_failure(session: AsyncSession, attempt: _Attempt, *, now: datetime) -> None:
    """Of no team: it takes as long for an address without an account."""
    await failures.note(session, attempt.door, now=now)
    actor = attempt.user.id if attempt.user else None
    await events.emit(session, "account.sign_in_failed", team_id=None, actor_id=actor, now=now)


async def _right(session: AsyncSession, user: User, checked: Checked) -> bool:
    """The password was checked without a connection: it must still be this account's."""
    if not checked.right:
        return False
    held = await repository.hold_password(session, user.id)
    if held is None or held != user.password_hash:
        return False
    if checked.renewed is not None:
        await repository.set_password(session, user.id, checked.renewed)
    return True
