"""New passwords: by the old one, or by a link sent to the account's address."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from autostack.core.db import Database
from autostack.features.accounts import email as emails
from autostack.features.accounts import repository, tokens
from autostack.features.accounts.errors import LinkInvalid, MailNotConfigured
from autostack.features.accounts.service import failures
from autostack.features.accounts.service.proving import prove
from autostack.features.accounts.service.sessions import revoke_others
from autostack.features.accounts.service.signing_in import refuse_weak
from autostack.features.accounts.service.telling import tell
from autostack.features.accounts.service.values import Accounts, Origin
from autostack.features.jobs import service as jobs
from autostack.models.user import User

SEND_RESET = "account.send_reset"
LINK_LIFE = timedelta(hours=1)
LINKS_AT_ONCE = 3
"""Letters one account gets in an hour, however often somebody asks."""


async def change_password(
    db: Database,
    accounts: Accounts,
    user: User,
    *,
    current: str,
    new: str,
    session_id: UUID,
    now: datetime,
) -> None:
    """Every other session ends, and so do links that could set a password."""
    refuse_weak(new, email=user.email)
    await prove(db, accounts, user, password=current, now=now)
    hashed = await accounts.passwords.hash(new)
    async with db.transaction() as session:
        await _set(session, user, hashed, keep=session_id, now=now)
        await tell(session, "account.password_changed", user, now=now)


async def _set(
    session: AsyncSession, user: User, hashed: str, *, keep: UUID | None, now: datetime
) -> None:
    await repository.set_password(session, user.id, hashed, now=now)
    await repository.forget_resets(session, user.id)
    await revoke_others(session, user, but=keep, now=now)


async def request_reset(session: AsyncSession, accounts: Accounts, email: str) -> None:
    """Whether there is such an account is the worker's to find out: the answer, and the time it
    takes, is the same.
    """
    if not accounts.mail:
        raise MailNotConfigured
    await jobs.enqueue(session, SEND_RESET, email=email)


async def begin_reset(
    session: AsyncSession, email: str, *, now: datetime
) -> tuple[User, str] | None:
    """For the worker: the account, and what its link carries. None is no account, or enough
    letters for this hour.
    """
    user = await repository.by_key(session, emails.key(email))
    if user is None:
        return None
    if await repository.count_resets(session, user.id, since=now - LINK_LIFE) >= LINKS_AT_ONCE:
        return None
    return user, await make_reset(session, user, now=now)


async def make_reset(session: AsyncSession, user: User, *, now: datetime) -> str:
    token = tokens.make_link()
    await repository.add_reset(
        session, tokens.digest(token), user.id, now=now, expires_at=now + LINK_LIFE
    )
    await tell(session, "account.reset_requested", user, now=now)
    return token


async def withdraw_reset(session: AsyncSession, token: str) -> None:
    """For the worker: the letter could not be sent."""
    await repository.forget_reset(session, tokens.digest(token))


async def finish_reset(
    db: Database, accounts: Accounts, *, token: str, new: str, origin: Origin, now: datetime
) -> str:
    """Set the password by a link's token. All sessions end and a lock is lifted; the answer makes
    this a known device, so that whoever locked the account cannot do it to its owner again.
    """
    digest = tokens.digest(token)
    async with db.transaction() as session:
        user = await repository.of_reset(session, digest, now=now)
    if user is None:
        raise LinkInvalid
    refuse_weak(new, email=user.email)
    hashed = await accounts.passwords.hash(new)
    async with db.transaction() as session:
        # Taken in one statement: of two at the same moment one finds nothing.
        if not await repository.take_reset(session, digest, now=now):
            raise LinkInvalid
        await _set(session, user, hashed, keep=None, now=now)
        for door in (failures.front_door(user.email, None), failures.inner_door(user.id)):
            await failures.forget(session, door)
        await tell(session, "account.password_reset", user, now=now)
    device = accounts.device_of(origin, user, now=now)
    return accounts.device_token(user, device, now=now)
