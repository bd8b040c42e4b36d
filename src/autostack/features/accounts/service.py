"""Accounts and their sessions."""

import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from autostack.core.db import Database
from autostack.features.accounts import email as emails
from autostack.features.accounts import repository, tokens
from autostack.features.accounts.errors import (
    AccountLocked,
    CredentialsInvalid,
    EmailTaken,
    NotSignedIn,
    RegistrationClosed,
    SessionEnded,
    SessionNotFound,
    SetupCodeNeeded,
)
from autostack.features.accounts.passwords import Passwords
from autostack.features.accounts.tokens import Claim, Kind, Signer
from autostack.features.events import service as events
from autostack.features.teams import service as teams
from autostack.models.session import UserSession
from autostack.models.user import User

FAILURES = 5
FAILURE_WINDOW = timedelta(minutes=5)
LOCK = timedelta(minutes=30)
_USED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Who may register. `setup_code` None with `needs_code` lets nobody be the first."""

    open: bool
    needs_code: bool = False
    setup_code: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Accounts:
    """What accounts work with, made once."""

    signer: Signer
    passwords: Passwords
    policy: Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a sign-in comes from, shown to its owner."""

    address: str
    user_agent: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    user: User
    session: UserSession
    refresh: str = field(repr=False)

    @property
    def claim(self) -> Claim:
        return Claim(user_id=self.user.id, session_id=self.session.id)


async def register(
    db: Database,
    accounts: Accounts,
    *,
    email: str,
    password: str,
    setup_code: str | None,
    now: datetime,
) -> User:
    """A new account with its personal team. The first one of a platform administers it."""
    hashed = await accounts.passwords.hash(password)
    async with db.transaction() as session:
        first = await repository.begin_registration(session)
        _admit(accounts.policy, first=first, code=setup_code)
        if await repository.by_key(session, emails.key(email)):
            raise EmailTaken
        user = User(
            id=uuid4(),
            email=email,
            email_key=emails.key(email),
            password_hash=hashed,
            is_admin=first,
            created_at=now,
            updated_at=now,
        )
        session.add(user)
        await session.flush()
        team = await teams.found_personal(session, user, now=now)
        await events.emit(session, "account.registered", team_id=team.id, actor_id=user.id, now=now)
    return user


def _admit(policy: Policy, *, first: bool, code: str | None) -> None:
    if not first:
        if not policy.open:
            raise RegistrationClosed
        return
    if policy.needs_code and not _same(code or "", policy.setup_code or ""):
        raise SetupCodeNeeded


def _same(given: str, wanted: str) -> bool:
    return bool(wanted) and hmac.compare_digest(
        given.strip().encode(errors="replace"), wanted.encode()
    )


async def sign_in(
    db: Database,
    accounts: Accounts,
    *,
    email: str,
    password: str,
    origin: Origin,
    now: datetime,
) -> SignedIn:
    """A new session. Failures are counted in a transaction of their own, so they stay."""
    digest = emails.digest(email)
    async with db.transaction() as session:
        await _refuse_locked(session, digest, now=now)
        user = await repository.by_key(session, emails.key(email))
    right = await accounts.passwords.matches(password, user.password_hash if user else None)
    async with db.transaction() as session:
        # Guesses at the same moment must not slip past a lock that came in between.
        await repository.hold_failures(session, digest)
        await _refuse_locked(session, digest, now=now)
        if user is not None and right:
            await repository.forget_failures(session, digest)
            return await _open_session(session, user, origin, now=now)
        await _note_failure(session, digest, now=now)
    raise CredentialsInvalid


async def _refuse_locked(session: AsyncSession, digest: str, *, now: datetime) -> None:
    until = await repository.locked_until(session, digest)
    if until is not None and until > now:
        raise AccountLocked(until - now)


async def _note_failure(session: AsyncSession, digest: str, *, now: datetime) -> None:
    await repository.forget_old_failures(session, before=now - max(LOCK, FAILURE_WINDOW))
    await repository.count_failure(
        session, digest, now=now, window=FAILURE_WINDOW, most=FAILURES, lock=LOCK
    )


async def _open_session(
    session: AsyncSession, user: User, origin: Origin, *, now: datetime
) -> SignedIn:
    session_id = uuid4()
    refresh = tokens.make_refresh(session_id)
    row = UserSession(
        id=session_id,
        user_id=user.id,
        refresh_digest=tokens.digest(refresh),
        user_agent=origin.user_agent[:300],
        address=origin.address,
        created_at=now,
        used_at=now,
        expires_at=now + tokens.SESSION_LIFE,
    )
    session.add(row)
    team = await teams.personal(session, user)
    await events.emit(session, "account.signed_in", team_id=team.id, actor_id=user.id, now=now)
    return SignedIn(user=user, session=row, refresh=refresh)


async def refresh(db: Database, token: str, *, now: datetime) -> SignedIn:
    """A new pair for the one refresh token that is valid now; an older one ends its session."""
    session_id = tokens.session_of(token)
    if session_id is None:
        raise SessionEnded
    async with db.transaction() as session:
        row = await repository.lock_session(session, session_id)
        renewed = await _renew(session, row, token, now=now) if row else None
    if renewed is None:
        raise SessionEnded
    return renewed


async def _renew(
    session: AsyncSession, row: UserSession, token: str, *, now: datetime
) -> SignedIn | None:
    """None ends it: the row's change is committed before the refusal is said."""
    if row.revoked_at is not None or row.expires_at <= now:
        return None
    if not hmac.compare_digest(row.refresh_digest, tokens.digest(token)):
        row.revoked_at = now
        return None
    user = await session.get(User, row.user_id)
    assert user is not None
    renewed = tokens.make_refresh(row.id)
    row.refresh_digest = tokens.digest(renewed)
    row.used_at, row.expires_at = now, now + tokens.SESSION_LIFE
    return SignedIn(user=user, session=row, refresh=renewed)


async def sign_out(session: AsyncSession, token: str, *, now: datetime) -> None:
    """End the session of a refresh token, old or new; a session that is gone is no error."""
    session_id = tokens.session_of(token)
    row = await repository.lock_session(session, session_id) if session_id else None
    if row is not None and row.revoked_at is None:
        row.revoked_at = now


async def who(
    session: AsyncSession, signer: Signer, token: str, kind: Kind, *, now: datetime
) -> tuple[User, UserSession]:
    """The user of a token whose session still stands."""
    claim = signer.read(token, kind, now=now)
    found = await repository.signed_in(session, claim.session_id, now=now) if claim else None
    if claim is None or found is None or found[0].id != claim.user_id:
        raise NotSignedIn
    user, row = found
    if now - row.used_at > _USED_EVERY:
        row.used_at = now
    return user, row


async def stands(session: AsyncSession, session_id: UUID, *, now: datetime) -> bool:
    """Whether a session is still valid; long streams ask again and again."""
    return await repository.signed_in(session, session_id, now=now) is not None


async def sessions_of(session: AsyncSession, user: User, *, now: datetime) -> Sequence[UserSession]:
    return await repository.sessions_of(session, user.id, now=now)


async def revoke(session: AsyncSession, user: User, session_id: UUID, *, now: datetime) -> None:
    if not await repository.revoke(session, user.id, session_id, now=now):
        raise SessionNotFound
