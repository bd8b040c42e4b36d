"""Rows of people as administrators see them: all accounts but those of programs."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from autostack.models.login_failure import LoginFailure
from autostack.models.second_factor import SecondFactor
from autostack.models.session import UserSession
from autostack.models.user import User
from autostack.web import pages
from autostack.web.pages import Paging


def _people() -> Select[User]:
    """Service accounts belong to their teams."""
    return select(User).where(User.removed_at.is_(None), User.service_of.is_(None))


async def everybody(session: AsyncSession) -> Sequence[User]:
    return (await session.scalars(_people().order_by(User.created_at, User.id))).all()


async def page(
    session: AsyncSession, paging: Paging, *, search: str
) -> tuple[Sequence[User], str | None]:
    """Newest first; `search` is a part of the address, whatever its case."""
    query = _people()
    if search:
        query = query.where(User.email.icontains(search, autoescape=True))
    return await pages.newest_first(
        session, query, at=User.created_at, row_id=User.id, paging=paging
    )


async def by_id(session: AsyncSession, user_id: UUID) -> User | None:
    return await session.scalar(_people().where(User.id == user_id))


async def with_factor(session: AsyncSession, user_ids: Collection[UUID]) -> frozenset[UUID]:
    """Which of them are asked for a second factor."""
    query = select(SecondFactor.user_id).where(
        SecondFactor.user_id.in_(user_ids), SecondFactor.confirmed_at.is_not(None)
    )
    return frozenset((await session.scalars(query)).all())


async def last_seen(session: AsyncSession, user_ids: Collection[UUID]) -> Mapping[UUID, datetime]:
    """When a sign-in of theirs was used last."""
    query = select(UserSession.user_id, func.max(UserSession.used_at))
    found = query.where(UserSession.user_id.in_(user_ids)).group_by(UserSession.user_id)
    rows = (await session.execute(found)).all()
    return {user_id: at for user_id, at in rows if at}


async def locks(
    session: AsyncSession, digests: Collection[str], *, now: datetime
) -> Mapping[str, datetime]:
    """Which of these doors are locked, and until when."""
    query = select(LoginFailure.email_digest, LoginFailure.locked_until).where(
        LoginFailure.email_digest.in_(digests), LoginFailure.locked_until > now
    )
    rows = (await session.execute(query)).all()
    return {door: until for door, until in rows if until}
