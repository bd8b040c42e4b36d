"""The password once more, before something that would hurt if a stranger did it."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from autostack.core.db import Database
from autostack.core.errors import AutostackError
from autostack.features.accounts.errors import CodeWrong, PasswordWrong
from autostack.features.accounts.service import codes, failures
from autostack.features.accounts.service.values import Accounts
from autostack.models.user import User


async def prove(
    db: Database,
    accounts: Accounts,
    user: User,
    *,
    password: str,
    code: str | None = None,
    with_code: bool = False,
    now: datetime,
) -> None:
    """Refuses unless the password is the user's, and `with_code` the second factor too. Whoever
    found an open session cannot guess here either.
    """
    door = failures.inner_door(user.id)
    async with db.transaction() as session:
        await failures.refuse_locked(session, door, now=now)
    checked = await accounts.passwords.check(password, user.password_hash)
    async with db.transaction() as session:
        await failures.hold(session, door, now=now)
        refusal: AutostackError | None = None if checked.right else PasswordWrong()
        if refusal is None and with_code:
            refusal = await _code_refusal(session, accounts, user, code, now=now)
        if refusal is None:
            await failures.forget(session, door)
        else:
            await failures.note(session, door, now=now)
    if refusal is not None:
        raise refusal


async def _code_refusal(
    session: AsyncSession, accounts: Accounts, user: User, code: str | None, *, now: datetime
) -> AutostackError | None:
    refused = await codes.refusal(session, accounts, user.id, code, now=now)
    return CodeWrong() if refused else None
