from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from autostack.models.environment import Environment
from autostack.models.hook import Delivery, Hook, Provider
from autostack.models.project import Project
from autostack.web.pages import Paging, newest_first


async def addressed(
    session: AsyncSession, provider: Provider, digest: str
) -> tuple[Hook, Project, Environment] | None:
    """Of nothing that was asked to go."""
    query = (
        select(Hook, Project, Environment)
        .join(Project, Project.id == Hook.project_id)
        .join(Environment, Environment.id == Hook.environment_id)
        .where(Hook.digest == digest, Hook.provider == provider)
        .where(Project.removed_at.is_(None), Environment.removed_at.is_(None))
    )
    row = (await session.execute(query)).one_or_none()
    return None if row is None else (row[0], row[1], row[2])


async def hold(session: AsyncSession, hook_id: UUID) -> bool:
    """Deliveries of one hook are handled one after the other. False when it is gone."""
    query = select(Hook.id).where(Hook.id == hook_id).with_for_update()
    return await session.scalar(query) is not None


async def count(session: AsyncSession, project_id: UUID) -> int:
    query = select(func.count()).select_from(Hook).where(Hook.project_id == project_id)
    return await session.scalar(query) or 0


async def of_project(session: AsyncSession, project_id: UUID) -> Sequence[tuple[Hook, str]]:
    """Oldest first, each with its environment's name."""
    query = (
        select(Hook, Environment.name)
        .join(Environment, Environment.id == Hook.environment_id)
        .where(Hook.project_id == project_id, Environment.removed_at.is_(None))
        .order_by(Hook.created_at, Hook.id)
    )
    return [(row[0], row[1]) for row in await session.execute(query)]


async def get(session: AsyncSession, project_id: UUID, hook_id: UUID) -> Hook | None:
    query = select(Hook).where(Hook.project_id == project_id, Hook.id == hook_id)
    return await session.scalar(query)


async def remove(session: AsyncSession, hook_id: UUID) -> None:
    await session.execute(delete(Hook).where(Hook.id == hook_id))


async def handled(
    session: AsyncSession, hook_id: UUID, *, key: str, body_digest: str | None
) -> Delivery | None:
    """A delivery with this key, or where it is given with this very body."""
    same = Delivery.key == key
    if body_digest is not None:
        same = or_(same, Delivery.body_digest == body_digest)
    query = select(Delivery).where(Delivery.hook_id == hook_id, same)
    return await session.scalar(query.order_by(Delivery.at).limit(1))


async def deliveries(
    session: AsyncSession, hook_id: UUID, paging: Paging
) -> tuple[Sequence[Delivery], str | None]:
    query = select(Delivery).where(Delivery.hook_id == hook_id)
    return await newest_first(session, query, at=Delivery.at, row_id=Delivery.id, paging=paging)


async def forget(session: AsyncSession, hook_id: UUID, *, but: int, before: datetime) -> None:
    """All but the newest, and what is older than that."""
    newest = (
        select(Delivery.id)
        .where(Delivery.hook_id == hook_id)
        .order_by(Delivery.at.desc(), Delivery.id.desc())
        .limit(but)
    )
    gone = or_(Delivery.at < before, Delivery.id.not_in(newest))
    await session.execute(delete(Delivery).where(Delivery.hook_id == hook_id, gone))
