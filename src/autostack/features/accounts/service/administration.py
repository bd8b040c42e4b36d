"""What the administrator of the machine does about accounts, without signing in to one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from autostack.core.db import Database
from autostack.features.accounts import email as emails
from autostack.features.accounts import repository
from autostack.features.accounts.errors import UserNotFound
from autostack.features.accounts.passwords import Passwords
from autostack.features.accounts.service import failures
from autostack.features.accounts.service.password import make_reset
from autostack.features.accounts.service.second_factor import forget_factor
from autostack.features.accounts.service.signing_in import found, refuse_weak
from autostack.features.accounts.service.telling import tell
from autostack.models.user import User


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    user: User
    second_factor: bool
    locked_until: datetime | None


async def people(session: AsyncSession, *, now: datetime) -> Sequence[Person]:
    return [await _person(session, user, now=now) for user in await repository.users(session)]


async def _person(session: AsyncSession, user: User, *, now: datetime) -> Person:
    factor = await repository.factor(session, user.id)
    until = await repository.locked_until(session, failures.front_door(user.email, None))
    return Person(
        user=user,
        second_factor=factor is not None and factor.confirmed_at is not None,
        locked_until=until if until and until > now else None,
    )


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


async def unlock(session: AsyncSession, email: str, *, now: datetime) -> None:
    user = await _named(session, email)
    for door in (failures.front_door(email, None), failures.inner_door(user.id)):
        await failures.forget(session, door)
    await tell(session, "account.unlocked", user, now=now)


async def reset_totp(session: AsyncSession, email: str, *, now: datetime) -> None:
    await forget_factor(session, await _named(session, email), now=now)


async def reset_password(session: AsyncSession, email: str, *, now: datetime) -> str:
    """What sets a new password once, within the hour."""
    return await make_reset(session, await _named(session, email), now=now)


async def _named(session: AsyncSession, email: str) -> User:
    user = await repository.by_key(session, emails.key(email))
    if user is None:
        raise UserNotFound
    return user
