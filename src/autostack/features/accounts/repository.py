from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, and_, case, delete, func, literal, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from autostack.models.login_failure import LoginFailure
from autostack.models.session import UserSession
from autostack.models.user import User

_REGISTER_LOCK = 7_151_003
"""Registrations go one by one, so that exactly one account is the first."""


async def begin_registration(session: AsyncSession) -> bool:
    """Whether this is the first account; nobody else registers until this transaction ends."""
    await session.execute(select(func.pg_advisory_xact_lock(_REGISTER_LOCK)))
    return not await session.scalar(select(select(User.id).exists()))


async def by_key(session: AsyncSession, key: str) -> User | None:
    return await session.scalar(select(User).where(User.email_key == key))


async def signed_in(
    session: AsyncSession, session_id: UUID, *, now: datetime
) -> tuple[User, UserSession] | None:
    query = (
        select(User, UserSession)
        .join(UserSession, UserSession.user_id == User.id)
        .where(UserSession.id == session_id, *_living(now))
    )
    row = (await session.execute(query)).first()
    return (row[0], row[1]) if row else None


async def lock_session(session: AsyncSession, session_id: UUID) -> UserSession | None:
    query = select(UserSession).where(UserSession.id == session_id).with_for_update()
    return await session.scalar(query)


async def sessions_of(
    session: AsyncSession, user_id: UUID, *, now: datetime
) -> Sequence[UserSession]:
    query = select(UserSession).where(UserSession.user_id == user_id, *_living(now))
    return (await session.scalars(query.order_by(UserSession.used_at.desc()).limit(100))).all()


async def revoke(session: AsyncSession, user_id: UUID, session_id: UUID, *, now: datetime) -> bool:
    query = (
        update(UserSession)
        .where(UserSession.id == session_id, UserSession.user_id == user_id, *_living(now))
        .values(revoked_at=now)
        .returning(UserSession.id)
    )
    return await session.scalar(query) is not None


async def hold_failures(session: AsyncSession, email_digest: str) -> None:
    """Verdicts about one address come one by one, also when it has no row yet."""
    key = func.hashtextextended(email_digest, 0)
    await session.execute(select(func.pg_advisory_xact_lock(key)))


async def locked_until(session: AsyncSession, email_digest: str) -> datetime | None:
    query = select(LoginFailure.locked_until).where(LoginFailure.email_digest == email_digest)
    return await session.scalar(query)


async def count_failure(
    session: AsyncSession,
    email_digest: str,
    *,
    now: datetime,
    window: timedelta,
    most: int,
    lock: timedelta,
) -> None:
    """One statement, so that failures at the same moment are all counted."""
    fresh = or_(
        LoginFailure.first_at < now - window,
        and_(LoginFailure.locked_until.is_not(None), LoginFailure.locked_until <= now),
    )
    count = case((fresh, 1), else_=LoginFailure.count + 1)
    statement = insert(LoginFailure).values(
        email_digest=email_digest, first_at=now, count=1, locked_until=None
    )
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=[LoginFailure.email_digest],
            set_={
                "first_at": case((fresh, now), else_=LoginFailure.first_at),
                "count": count,
                "locked_until": case(
                    (fresh, None),
                    (LoginFailure.locked_until.is_not(None), LoginFailure.locked_until),
                    (count >= most, literal(now + lock)),
                    else_=None,
                ),
            },
        )
    )


async def forget_failures(session: AsyncSession, email_digest: str) -> None:
    await session.execute(delete(LoginFailure).where(LoginFailure.email_digest == email_digest))


async def forget_old_failures(session: AsyncSession, *, before: datetime) -> None:
    """Addresses somebody made up do not pile up."""
    old = or_(LoginFailure.locked_until.is_(None), LoginFailure.locked_until < before)
    await session.execute(delete(LoginFailure).where(LoginFailure.first_at < before, old))


def _living(now: datetime) -> tuple[ColumnElement[bool], ...]:
    return UserSession.revoked_at.is_(None), UserSession.expires_at > now
