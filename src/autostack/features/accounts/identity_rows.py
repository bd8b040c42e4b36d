"""Identities, and sign-ins that were begun, in the database."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from autostack.models.identity import BegunSignIn, Identity
from autostack.models.user import User


async def begin(session: AsyncSession, row: BegunSignIn, *, now: datetime) -> None:
    """Those that nobody finished are forgotten on the way."""
    await session.execute(delete(BegunSignIn).where(BegunSignIn.expires_at <= now))
    session.add(row)
    await session.flush()


async def take(
    session: AsyncSession, digest: str, *, provider: str, browser: str, now: datetime
) -> BegunSignIn | None:
    """Once, in one statement. Whoever has another browser does not use it up."""
    query = delete(BegunSignIn).where(
        BegunSignIn.digest == digest,
        BegunSignIn.provider == provider,
        BegunSignIn.browser == browser,
        BegunSignIn.expires_at > now,
    )
    return await session.scalar(query.returning(BegunSignIn))


async def owner(session: AsyncSession, issuer: str, subject: str) -> tuple[User, Identity] | None:
    """Whoever else asks about the same one waits until this transaction ends."""
    key = func.hashtextextended(f"{issuer}\n{subject}", 0)
    await session.execute(select(func.pg_advisory_xact_lock(key)))
    query = (
        select(User, Identity)
        .join(Identity, Identity.user_id == User.id)
        .where(Identity.issuer == issuer, Identity.subject == subject)
        .where(User.removed_at.is_(None))
    )
    row = (await session.execute(query)).one_or_none()
    return (row[0], row[1]) if row else None


async def person(session: AsyncSession, user_id: UUID) -> User | None:
    query = select(User).where(User.id == user_id, User.removed_at.is_(None))
    return await session.scalar(query)


async def hold(session: AsyncSession, user_id: UUID) -> str | None:
    """The password's hash; nobody else changes the account until this transaction ends."""
    query = select(User.password_hash).where(User.id == user_id).with_for_update()
    return await session.scalar(query)


async def of(session: AsyncSession, user_id: UUID) -> Sequence[Identity]:
    query = select(Identity).where(Identity.user_id == user_id)
    return (await session.scalars(query.order_by(Identity.created_at, Identity.id))).all()


async def remove(session: AsyncSession, identity_id: UUID) -> None:
    await session.execute(delete(Identity).where(Identity.id == identity_id))


async def forget(session: AsyncSession, user_id: UUID) -> None:
    """All of somebody who goes."""
    await session.execute(delete(Identity).where(Identity.user_id == user_id))
