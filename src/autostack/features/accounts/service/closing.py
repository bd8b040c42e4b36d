"""An account goes at once for everybody who asks; its rows go with the last of its projects."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from autostack.features.accounts import identity_rows, repository
from autostack.features.accounts.errors import LastAdministrator
from autostack.features.accounts.service.telling import tell
from autostack.models.user import User


async def close(session: AsyncSession, user: User, *, now: datetime) -> None:
    """Nobody can sign in to it any more, and its address is free."""
    if user.is_admin and not await repository.another_admin(session, user.id):
        raise LastAdministrator
    await tell(session, "account.removed", user, now=now)
    await repository.close(session, user.id, now=now)
    await identity_rows.forget(session, user.id)


async def purge(session: AsyncSession) -> None:
    """Forget those that are closed and own no project any more."""
    await repository.purge(session)
