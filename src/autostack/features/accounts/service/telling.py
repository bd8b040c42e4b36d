"""Events about an account, in its personal team: its owner reads them, and open streams wake."""

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
) -> None:
    team = await teams.personal(session, user)
    await events.emit(session, kind, team_id=team.id, actor_id=user.id, now=now, data=data)
