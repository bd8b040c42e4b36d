from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from autostack.engine.tally import NONE, Tally
from autostack.models.release import Release
from autostack.models.traffic import Traffic


async def places(session: AsyncSession, releases: Sequence[UUID]) -> dict[UUID, UUID]:
    """The environment of each release that still has one."""
    query = select(Release.id, Release.environment_id).where(Release.id.in_(releases))
    return {row.id: row.environment_id for row in await session.execute(query)}


async def add(
    session: AsyncSession,
    environment_id: UUID,
    release_id: UUID,
    *,
    at: datetime,
    width: int,
    tally: Tally,
) -> None:
    """To what the row holds already; there is one writer."""
    key = (environment_id, width, at, release_id)
    row = await session.get(Traffic, key)
    new = tally + (_tally(row) if row else NONE)
    values = {"codes": list(new.codes), "gateway": new.gateway, "latency": list(new.latency)}
    identity = {
        "environment_id": environment_id, "width": width, "at": at, "release_id": release_id
    }  # fmt: skip
    query = insert(Traffic).values(**identity, **values)
    await session.execute(
        query.on_conflict_do_update(index_elements=list(identity), set_=values),
        execution_options={"populate_existing": True},
    )
    if row is not None:
        session.expire(row)


async def since(
    session: AsyncSession,
    environment_id: UUID,
    *,
    width: int,
    after: datetime,
    release_id: UUID | None = None,
) -> list[tuple[datetime, Tally]]:
    query = select(Traffic).where(
        Traffic.environment_id == environment_id, Traffic.width == width, Traffic.at >= after
    )
    if release_id is not None:
        query = query.where(Traffic.release_id == release_id)
    rows = await session.scalars(query.order_by(Traffic.at))
    return [(row.at, _tally(row)) for row in rows]


async def forget(session: AsyncSession, *, width: int, before: datetime) -> None:
    await session.execute(delete(Traffic).where(Traffic.width == width, Traffic.at < before))


def _tally(row: Traffic) -> Tally:
    return Tally(codes=tuple(row.codes), gateway=row.gateway, latency=tuple(row.latency))
