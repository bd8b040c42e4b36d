"""Where an account is signed in, for how long, and how that ends."""

import hmac
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from autostack.core.db import Database
from autostack.features.accounts import repository, tokens
from autostack.features.accounts.errors import NotSignedIn, SessionEnded, SessionNotFound
from autostack.features.accounts.service.telling import tell
from autostack.features.accounts.service.values import Origin, SignedIn
from autostack.features.accounts.tokens import Kind, Signer
from autostack.models.session import UserSession
from autostack.models.user import User

_USED_EVERY = timedelta(minutes=1)


async def begin(
    session: AsyncSession, user: User, origin: Origin, *, device: str, now: datetime
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
    await tell(session, "account.signed_in", user, now=now)
    return SignedIn(user=user, session=row, refresh=refresh, device=device)


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
    if row is None or row.revoked_at is not None:
        return
    row.revoked_at = now
    user = await session.get(User, row.user_id)
    assert user is not None
    await _tell_ended(session, user, now=now)


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
    await _tell_ended(session, user, now=now)


async def revoke_others(
    session: AsyncSession, user: User, *, but: UUID | None, now: datetime
) -> int:
    """Sign out everywhere else; how many sessions that ended."""
    ended = await repository.revoke_others(session, user.id, but=but, now=now)
    if ended:
        await _tell_ended(session, user, now=now)
    return ended


async def _tell_ended(session: AsyncSession, user: User, *, now: datetime) -> None:
    """Open streams wake and look again whether their session still stands."""
    await tell(session, "account.session_ended", user, now=now)
