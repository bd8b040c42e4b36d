"""Wrong guesses are counted at doors: an address, a device somebody signed in from before, or the
password asked for once more. A door that saw too many of them is locked for a while.

A stranger locks the address for those who come from anywhere. Whoever comes from a known device
has a door of their own, and a reset by mail makes one.
"""

from datetime import datetime, timedelta
from hashlib import sha256
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from autostack.features.accounts import email as emails
from autostack.features.accounts import repository
from autostack.features.accounts.errors import AccountLocked

MOST = 5
WINDOW = timedelta(minutes=5)
LOCK = timedelta(minutes=30)


def front_door(email: str, device: UUID | None) -> str:
    return emails.digest(email) if device is None else _door("device", device)


def inner_door(user_id: UUID) -> str:
    """For the password asked of somebody who is signed in."""
    return _door("prove", user_id)


def _door(kind: str, one: UUID) -> str:
    """NUL is in no address, so this is the digest of none."""
    return sha256(f"\0{kind}:{one}".encode()).hexdigest()


async def refuse_locked(session: AsyncSession, door: str, *, now: datetime) -> None:
    until = await repository.locked_until(session, door)
    if until is not None and until > now:
        raise AccountLocked(until - now)


async def hold(session: AsyncSession, door: str, *, now: datetime) -> None:
    """Guesses at the same moment must not slip past a lock that came in between."""
    await repository.hold_failures(session, door)
    await refuse_locked(session, door, now=now)


async def note(session: AsyncSession, door: str, *, now: datetime) -> None:
    await repository.forget_old_failures(session, before=now - max(LOCK, WINDOW))
    await repository.count_failure(session, door, now=now, window=WINDOW, most=MOST, lock=LOCK)


async def forget(session: AsyncSession, door: str) -> None:
    await repository.forget_failures(session, door)
