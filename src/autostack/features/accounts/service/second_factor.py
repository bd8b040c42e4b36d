"""Codes of an authenticator (TOTP, RFC 6238), and recovery codes for the day it is lost."""

import secrets
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import pyotp
from pyotp.totp import TOTP
from sqlalchemy.ext.asyncio import AsyncSession

from autostack.core.db import Database
from autostack.features.accounts import repository
from autostack.features.accounts.errors import CodeWrong, SecondFactorOff, SecondFactorOn
from autostack.features.accounts.service import codes
from autostack.features.accounts.service.proving import prove
from autostack.features.accounts.service.telling import tell, tell_of
from autostack.features.accounts.service.values import Accounts
from autostack.models.second_factor import SecondFactor
from autostack.models.user import User

ISSUER = "AutoStack"
RECOVERY_CODES = 10
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
_GROUPS, _GROUP = 4, 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Enrolment:
    """For the authenticator: as text to type, and as an address to make a picture of."""

    secret: str = field(repr=False)
    uri: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Factor:
    """`recovery_codes` says how many are left."""

    on: bool
    recovery_codes: int


async def factor_of(session: AsyncSession, user: User) -> Factor:
    found = await repository.factor(session, user.id)
    on = found is not None and found.confirmed_at is not None
    left = await repository.count_recovery_codes(session, user.id) if on else 0
    return Factor(on=on, recovery_codes=left)


async def begin_totp(
    db: Database, accounts: Accounts, user: User, *, password: str, now: datetime
) -> Enrolment:
    """A fresh secret. It asks for nothing before a first code of it was shown."""
    await prove(db, accounts, user, password=password, now=now)
    secret = pyotp.random_base32()
    kept = accounts.vault.encrypt(secret.encode(), context=codes.context(user.id))
    async with db.transaction() as session:
        if not await repository.set_pending_factor(session, user.id, kept, now=now):
            raise SecondFactorOn
    uri = TOTP(secret).provisioning_uri(name=user.email, issuer_name=ISSUER)
    return Enrolment(secret=secret, uri=uri)


async def confirm_totp(
    session: AsyncSession, accounts: Accounts, user: User, *, code: str, now: datetime
) -> list[str]:
    """Turn it on; the recovery codes are shown this once."""
    factor = await _pending(session, user)
    if not await codes.takes(session, accounts, factor, code, now=now):
        raise CodeWrong
    factor.confirmed_at = now
    await tell(session, "account.second_factor_on", user, now=now)
    return await _fresh_codes(session, user.id)


async def _pending(session: AsyncSession, user: User) -> SecondFactor:
    factor = await repository.factor(session, user.id)
    if factor is None:
        raise SecondFactorOff
    if factor.confirmed_at is not None:
        raise SecondFactorOn
    return factor


async def remove_totp(
    db: Database, accounts: Accounts, user: User, *, password: str, code: str, now: datetime
) -> None:
    await _prove_both(db, accounts, user, password=password, code=code, now=now)
    async with db.transaction() as session:
        await forget_factor(session, user, now=now)


async def forget_factor(
    session: AsyncSession, user: User, *, now: datetime, by: User | None = None
) -> None:
    """Also for an administrator (`by`), when phone and recovery codes are lost."""
    await repository.remove_factor(session, user.id)
    await tell_of(session, "account.second_factor_off", user, now=now, by=by)


async def new_recovery_codes(
    db: Database, accounts: Accounts, user: User, *, password: str, code: str, now: datetime
) -> list[str]:
    """The old ones are good for nothing any more."""
    await _prove_both(db, accounts, user, password=password, code=code, now=now)
    async with db.transaction() as session:
        await tell(session, "account.recovery_codes_made", user, now=now)
        return await _fresh_codes(session, user.id)


async def _prove_both(
    db: Database, accounts: Accounts, user: User, *, password: str, code: str, now: datetime
) -> None:
    async with db.transaction() as session:
        if not (await factor_of(session, user)).on:
            raise SecondFactorOff
    await prove(db, accounts, user, password=password, code=code, with_code=True, now=now)


async def _fresh_codes(session: AsyncSession, user_id: UUID) -> list[str]:
    made = [_recovery_code() for _ in range(RECOVERY_CODES)]
    digests = [codes.digest(codes.clean(one)) for one in made]
    await repository.replace_recovery_codes(session, user_id, digests)
    return made


def _recovery_code() -> str:
    """Eighty bits in letters nobody confuses."""
    groups = ("".join(secrets.choice(_LETTERS) for _ in range(_GROUP)) for _ in range(_GROUPS))
    return "-".join(groups)
