"""Another address for an account, once its owner has shown that letters to it arrive."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from autostack.core.db import Database
from autostack.features.accounts import email as emails
from autostack.features.accounts import repository, tokens
from autostack.features.accounts.errors import EmailTaken, LinkInvalid, MailNotConfigured
from autostack.features.accounts.service.password import LINK_LIFE
from autostack.features.accounts.service.proving import prove
from autostack.features.accounts.service.telling import tell
from autostack.features.accounts.service.values import Accounts
from autostack.features.jobs import service as jobs
from autostack.models.user import User

SEND_CONFIRMATION = "account.send_confirmation"
SEND_NOTICE = "account.send_notice"


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """A letter to send. Without a token the address is another account's, which it says."""

    email: str
    token: str | None = field(repr=False)


async def request_email_change(
    db: Database, accounts: Accounts, user: User, *, email: str, password: str, now: datetime
) -> None:
    """Ask the new address; until somebody answers there, nothing changes."""
    if not accounts.mail:
        raise MailNotConfigured
    await prove(db, accounts, user, password=password, now=now)
    async with db.transaction() as session:
        await repository.set_email_change(
            session, user.id, email, now=now, expires_at=now + LINK_LIFE
        )
        await jobs.enqueue(session, SEND_CONFIRMATION, user_id=user.id)
        await tell(session, "account.email_requested", user, now=now)


async def begin_email_change(
    session: AsyncSession, user_id: UUID, *, now: datetime
) -> Confirmation | None:
    """For the worker: whom to write to, and what the link carries."""
    wish = await repository.email_change(session, user_id)
    if wish is None:
        return None
    owner = await repository.by_key(session, emails.key(wish.email))
    if owner is not None and owner.id != user_id:
        await session.delete(wish)
        return Confirmation(email=wish.email, token=None)
    token = tokens.make_link()
    wish.digest, wish.expires_at = tokens.digest(token), now + LINK_LIFE
    return Confirmation(email=wish.email, token=token)


async def withdraw_email_link(session: AsyncSession, user_id: UUID) -> None:
    """For the worker: the letter could not be sent."""
    wish = await repository.email_change(session, user_id)
    if wish is not None:
        wish.digest = None


async def confirm_email(session: AsyncSession, *, token: str, now: datetime) -> User:
    """The address becomes the account's; the old one is told, and can reset nothing any more."""
    wish = await repository.take_email_change(session, tokens.digest(token), now=now)
    user = await session.get(User, wish.user_id) if wish else None
    if wish is None or user is None:
        raise LinkInvalid
    before = user.email
    try:
        async with session.begin_nested():
            user.email, user.email_key, user.updated_at = wish.email, emails.key(wish.email), now
    except IntegrityError:
        raise EmailTaken from None
    await repository.forget_resets(session, user.id)
    await jobs.enqueue(session, SEND_NOTICE, email=before)
    await tell(session, "account.email_changed", user, now=now, data={"from": before})
    return user
