"""Accounts, looked after on the machine itself: who can read the database may do all this."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from autostack.core.clock import utc_now
from autostack.core.db import Database
from autostack.core.settings import Settings
from autostack.entrypoints.postgres import database_url
from autostack.features.accounts import email as emails
from autostack.features.accounts import letters, service
from autostack.features.accounts.errors import EmailInvalid
from autostack.features.accounts.passwords import Passwords
from autostack.migrations import runner

PATIENCE = 5.0


async def listed(settings: Settings) -> list[dict[str, Any]]:
    async with database(settings) as db, db.transaction() as session:
        return [_shown(one) for one in await service.people(session, now=utc_now())]


async def created(settings: Settings, email: str, password: str, *, is_admin: bool) -> str:
    """The address as it is kept."""
    async with database(settings) as db:
        user = await service.create_user(
            db,
            Passwords(),
            email=_checked(email),
            password=password,
            is_admin=is_admin,
            now=utc_now(),
        )
        return user.email


async def unlocked(settings: Settings, email: str) -> None:
    async with database(settings) as db, db.transaction() as session:
        await service.unlock(session, await service.named(session, email), now=utc_now())


async def without_totp(settings: Settings, email: str) -> None:
    async with database(settings) as db, db.transaction() as session:
        await service.reset_totp(session, await service.named(session, email), now=utc_now())


async def reset(settings: Settings, email: str) -> tuple[str, str]:
    """The link for a browser, and the code for the command line."""
    async with database(settings) as db, db.transaction() as session:
        user = await service.named(session, email)
        token = await service.reset_password(session, user, now=utc_now())
    return letters.reset_link(settings.web_address, token), token


@asynccontextmanager
async def database(settings: Settings) -> AsyncGenerator[Database]:
    """That of this machine, once it answers."""
    url = database_url(settings)
    runner.wait(url, seconds=PATIENCE)
    db = Database(url)
    try:
        yield db
    finally:
        await db.close()


def _checked(email: str) -> str:
    try:
        return emails.check(email)
    except ValueError:
        raise EmailInvalid from None


def _shown(one: service.Person) -> dict[str, Any]:
    return {
        "id": str(one.user.id),
        "email": one.user.email,
        "is_admin": one.user.is_admin,
        "second_factor": one.second_factor,
        "locked_until": _time(one.locked_until),
        "created_at": _time(one.user.created_at),
    }


def _time(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
