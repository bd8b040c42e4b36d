"""Queries over many projects at once: a page of them costs as many as one."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, literal, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from autostack.models.deployment import Deployment
from autostack.models.environment import Environment
from autostack.models.instance import Instance
from autostack.models.route import Route
from autostack.models.traffic import Traffic

Ids = Sequence[UUID]
CLASSES = 5
"""1xx to 5xx; PostgreSQL counts from one."""


async def environments(session: AsyncSession, projects: Ids) -> Sequence[Environment]:
    query = select(Environment).where(
        Environment.project_id.in_(projects), Environment.removed_at.is_(None)
    )
    return (await session.scalars(query.order_by(Environment.created_at, Environment.name))).all()


async def serving(session: AsyncSession, places: Ids) -> dict[UUID, Deployment]:
    """By environment: the deployment that its domains lead to."""
    query = (
        select(Route.environment_id, Deployment)
        .join(Deployment, Deployment.id == Route.deployment_id)
        .where(Route.environment_id.in_(places))
    )
    return {row[0]: row[1] for row in await session.execute(query)}


async def latest(session: AsyncSession, places: Ids) -> dict[UUID, Deployment]:
    """By environment: its newest deployment."""
    query = (
        select(Deployment)
        .ext(distinct_on(Deployment.environment_id))
        .where(Deployment.environment_id.in_(places))
        .order_by(Deployment.environment_id, Deployment.created_at.desc(), Deployment.id.desc())
    )
    return {row.environment_id: row for row in await session.scalars(query)}


async def instances(session: AsyncSession, places: Ids) -> Sequence[Instance]:
    query = select(Instance).where(
        Instance.environment_id.in_(places),
        Instance.deployment_id.is_not(None),
        Instance.freed_at.is_(None),
    )
    return (await session.scalars(query.order_by(Instance.process, Instance.index))).all()


async def requests(
    session: AsyncSession, projects: Ids, *, width: int, after: datetime
) -> dict[UUID, dict[datetime, int]]:
    """By project and hour."""
    classes = sum((Traffic.codes[number] for number in range(1, CLASSES + 1)), literal(0))
    query = (
        select(Environment.project_id, Traffic.at, func.sum(classes))
        .join(Environment, Environment.id == Traffic.environment_id)
        .where(Environment.project_id.in_(projects), Traffic.width == width, Traffic.at >= after)
        .group_by(Environment.project_id, Traffic.at)
    )
    found: dict[UUID, dict[datetime, int]] = {}
    for project_id, at, count in await session.execute(query):
        found.setdefault(project_id, {})[at] = int(count)
    return found
