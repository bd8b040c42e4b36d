"""What administrators do about the accounts of others: on the machine, with nobody signed in, or
over the api, and then `by` somebody.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from autostack.core.db import Database
from autostack.features.accounts import email as emails
from autostack.features.accounts import people_rows, repository
from autostack.features.accounts.errors import (
    AccountNotFound,
    NotAdministrator,
    OwnSecondFactor,
    UserNotFound,
)
from autostack.features.accounts.passwords import Passwords
from autostack.features.accounts.service import failures
from autostack.features.accounts.service.password import make_reset
from autostack.features.accounts.service.second_factor import forget_factor
from autostack.features.accounts.service.signing_in import found, refuse_weak
from autostack.features.accounts.service.telling import tell_of
from autostack.models.user import User
from autostack.web.pages import Paging


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    user: User
    second_factor: bool
    locked_until: datetime | None
    last_seen_at: datetime | None


def check_administrator(user: User) -> None:
    if not user.is_admin:
        raise NotAdministrator


async def people(session: AsyncSession, *, now: datetime) -> Sequence[Person]:
    return await _persons(session, await people_rows.everybody(session), now=now)


async def page_of_people(
    session: AsyncSession, paging: Paging, *, search: str, now: datetime
) -> tuple[Sequence[Person], str | None]:
    """Newest first; `search` is a part of the address."""
    users, cursor = await people_rows.page(session, paging, search=search.strip())
    return await _persons(session, users, now=now), cursor


async def _persons(
    session: AsyncSession, users: Sequence[User], *, now: datetime
) -> Sequence[Person]:
    """As many queries for all as for one."""
    ids = [user.id for user in users]
    guarded = await people_rows.with_factor(session, ids)
    seen = await people_rows.last_seen(session, ids)
    doors = {user.id: _doors(user) for user in users}
    locks = await people_rows.locks(
        session, [one for two in doors.values() for one in two], now=now
    )
    return [
        Person(
            user=user,
            second_factor=user.id in guarded,
            locked_until=max((locks[one] for one in doors[user.id] if one in locks), default=None),
            last_seen_at=seen.get(user.id),
        )
        for user in users
    ]


def _doors(user: User) -> tuple[str, str]:
    """Those that unlocking opens; each known device has another one."""
    return failures.front_door(user.email, None), failures.inner_door(user.id)


async def create_user(
    db: Database,
    passwords: Passwords,
    *,
    email: str,
    password: str,
    is_admin: bool,
    now: datetime,
) -> User:
    """Whatever the registration policy says. The first account always administers."""
    refuse_weak(password, email=email)
    hashed = await passwords.hash(password)
    async with db.transaction() as session:
        first = await repository.begin_registration(session)
        return await found(session, email=email, hashed=hashed, is_admin=is_admin or first, now=now)


async def unlock(
    session: AsyncSession, user: User, *, now: datetime, by: User | None = None
) -> None:
    for door in _doors(user):
        await failures.forget(session, door)
    await tell_of(session, "account.unlocked", user, now=now, by=by)


async def reset_totp(
    session: AsyncSession, user: User, *, now: datetime, by: User | None = None
) -> None:
    """Raises OwnSecondFactor: one's own is turned off with the password and a code of it."""
    if by is not None and by.id == user.id:
        raise OwnSecondFactor
    await forget_factor(session, user, now=now, by=by)


async def reset_password(session: AsyncSession, user: User, *, now: datetime) -> str:
    """What sets a new password once, within the hour."""
    return await make_reset(session, user, now=now)


async def person(session: AsyncSession, user_id: UUID) -> User:
    found = await people_rows.by_id(session, user_id)
    if found is None:
        raise AccountNotFound
    return found


async def named(session: AsyncSession, email: str) -> User:
    user = await repository.by_key(session, emails.key(email))
    if user is None:
        raise UserNotFound
    return user
