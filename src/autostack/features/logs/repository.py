from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from autostack.models.instance import Instance


async def newest_instances(
    session: AsyncSession,
    environment_id: UUID,
    *,
    process: str | None,
    instance_id: UUID | None,
    limit: int,
) -> Sequence[Instance]:
    """Living ones and those whose last words may still be kept."""
    query = select(Instance).where(
        Instance.environment_id == environment_id, Instance.deployment_id.is_not(None)
    )
    if process is not None:
        query = query.where(Instance.process == process)
    if instance_id is not None:
        query = query.where(Instance.id == instance_id)
    query = query.order_by(Instance.created_at.desc(), Instance.id).limit(limit)
    return (await session.scalars(query)).all()
