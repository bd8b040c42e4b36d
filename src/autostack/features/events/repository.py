from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Text,
    and_,
    cast,
    func,
    insert,
    literal,
    select,
    tuple_,
)
from sqlalchemy.ext.asyncio import AsyncSession

from autostack.core.asking import ADDRESS, TOKEN
from autostack.features.events.hub import CHANNEL
from autostack.models.event import Event
from autostack.models.project import Project
from autostack.models.team import Membership
from autostack.models.user import User

_OWN_XID = cast(cast(func.pg_current_xact_id(), Text), BigInteger)
# Older transactions may still commit; what lies below this is complete and stays so.
_HORIZON = cast(cast(func.pg_snapshot_xmin(func.pg_current_snapshot()), Text), BigInteger)


async def add(
    session: AsyncSession,
    kind: str,
    *,
    team_id: UUID | None,
    project_id: UUID | None,
    deployment_id: UUID | None,
    actor_id: UUID | None,
    data: dict[str, Any],
    at: datetime,
) -> None:
    row = insert(Event).values(
        xid=_OWN_XID,
        kind=kind,
        team_id=team_id,
        project_id=project_id,
        deployment_id=deployment_id,
        actor_id=actor_id,
        data=data,
        at=at,
        address=ADDRESS.get(),
        token_id=TOKEN.get(),
    )
    await session.execute(row)
    if team_id is None:
        return  # no stream carries it
    told = literal(f"{team_id}:") + cast(func.pg_current_xact_id(), Text)
    await session.execute(select(func.pg_notify(CHANNEL, told)))


async def after(
    session: AsyncSession,
    position: tuple[int, int],
    *,
    teams: Sequence[UUID],
    deployment_id: UUID | None,
    limit: int,
) -> Sequence[Event]:
    """Complete events behind a position, in the order in which everybody sees them. Those of a
    deployment also from before its project came to these teams.
    """
    query = select(Event).where(
        tuple_(Event.xid, Event.id) > position,
        Event.xid < _HORIZON,
        Event.team_id.in_(teams) if deployment_id is None else Event.deployment_id == deployment_id,
    )
    return (await session.scalars(query.order_by(Event.xid, Event.id).limit(limit))).all()


async def history(
    session: AsyncSession,
    conditions: Sequence[ColumnElement[bool]],
    *,
    reader: UUID | None,
    limit: int,
) -> Sequence[tuple[Event, str | None, str | None]]:
    """Newest first, each with the address its actor and the name its project have now. A project
    that is out of the reader's teams by now is not named; no reader is one who sees all.
    """
    here = and_(Project.id == Event.project_id, Project.removed_at.is_(None))
    if reader is not None:
        theirs = select(Membership.team_id).where(Membership.user_id == reader)
        here = and_(here, Project.team_id.in_(theirs))
    query = select(Event, User.email, Project.name).where(*conditions)
    query = query.outerjoin(User, User.id == Event.actor_id).outerjoin(Project, here)
    rows = await session.execute(query.order_by(Event.id.desc()).limit(limit))
    return [(row[0], row[1] or None, row[2]) for row in rows]


async def end(session: AsyncSession) -> tuple[int, int]:
    """The position behind everything that is complete now."""
    horizon = await session.scalar(select(_HORIZON))
    assert horizon is not None
    return horizon - 1, 2**63 - 1
