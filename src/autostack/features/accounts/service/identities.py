"""Accounts elsewhere that sign somebody in here."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from autostack.features.accounts import identity_rows
from autostack.features.accounts.errors import IdentityNotFound, LastWayIn
from autostack.features.accounts.service.telling import tell
from autostack.models.identity import Identity
from autostack.models.user import User


async def identities_of(session: AsyncSession, user: User) -> Sequence[Identity]:
    return await identity_rows.of(session, user.id)


async def unlink(session: AsyncSession, user: User, identity_id: UUID, *, now: datetime) -> None:
    """The user's row is held, so that two at once do not each leave the other as the last."""
    hashed = await identity_rows.hold(session, user.id)
    known = await identity_rows.of(session, user.id)
    found = next((one for one in known if one.id == identity_id), None)
    if found is None:
        raise IdentityNotFound
    if hashed is None and len(known) == 1:
        raise LastWayIn
    await identity_rows.remove(session, found.id)
    data = {"provider": found.provider}
    await tell(session, "account.identity_removed", user, now=now, data=data)
