"""Whether a code of the second factor is right. Each is good once."""

from datetime import datetime
from hashlib import sha256
from uuid import UUID

from pyotp.exceptions import OTPVerificationError
from pyotp.totp import TOTP
from sqlalchemy.ext.asyncio import AsyncSession

from autostack.core.errors import Unauthorized
from autostack.features.accounts import repository
from autostack.features.accounts.errors import SecondFactorInvalid, SecondFactorNeeded
from autostack.features.accounts.service.values import Accounts
from autostack.models.second_factor import SecondFactor

WINDOW = 1
"""Steps of 30 s before and after this one whose codes are taken too: clocks differ."""
_DIGITS = 6


async def refusal(
    session: AsyncSession, accounts: Accounts, user_id: UUID, code: str | None, *, now: datetime
) -> Unauthorized | None:
    """Why an account with a second factor is not let in; None when it is, or has none."""
    factor = await repository.factor(session, user_id)
    if factor is None or factor.confirmed_at is None:
        return None
    if not code:
        return SecondFactorNeeded()
    return None if await takes(session, accounts, factor, code, now=now) else SecondFactorInvalid()


async def takes(
    session: AsyncSession, accounts: Accounts, factor: SecondFactor, code: str, *, now: datetime
) -> bool:
    plain = clean(code)
    if not (plain.isascii() and plain.isdigit() and len(plain) == _DIGITS):
        return await repository.use_recovery_code(session, factor.user_id, digest(plain))
    secret = accounts.vault.decrypt(factor.secret, context=context(factor.user_id)).decode()
    try:
        step = TOTP(secret).verify_and_get_timecode(plain, for_time=now, valid_window=WINDOW)
    except OTPVerificationError:
        return False
    return await repository.advance_factor(session, factor.user_id, step)


def clean(code: str) -> str:
    """As people type them: with blanks, dashes and capitals."""
    return "".join(code.split()).replace("-", "").lower()


def digest(plain: str) -> str:
    return sha256(plain.encode(errors="replace")).hexdigest()


def context(user_id: UUID) -> str:
    return f"totp:{user_id}"
