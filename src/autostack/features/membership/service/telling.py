"""Events of a team: its members read them, and their open streams wake and ask again."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from autostack.features.events import service as events
from autostack.models.user import User


async def tell(
    session: AsyncSession,
    kind: str,
    *,
    team_id: UUID,
    by: User,
    now: datetime,
    data: dict[str, Any] | None = None,
) -> None:
    await events.emit(session, kind, team_id=team_id, actor_id=by.id, now=now, data=data)
