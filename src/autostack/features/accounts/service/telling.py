"""Events about an account, in its own team: its owner reads them, and open streams wake."""

from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from autostack.features.events import service as events
from autostack.features.teams import service as teams
from autostack.models.user import User


async def tell(
    session: AsyncSession,
    kind: str,
    user: User,
    *,
    now: datetime,
    data: dict[str, Any] | None = None,
    by: User | None = None,
) -> None:
    """`by` is who did it to the account of another."""
    team_id = await teams.home(session, user)
    actor = (by or user).id
    await events.emit(session, kind, team_id=team_id, actor_id=actor, now=now, data=data)


async def tell_of(
    session: AsyncSession, kind: str, user: User, *, now: datetime, by: User | None
) -> None:
    """What may be done to one's own account or, `by` an administrator, to another's: then it
    says to whose.
    """
    data = {"member": user.email, "user_id": str(user.id)} if by else None
    await tell(session, kind, user, now=now, by=by, data=data)
