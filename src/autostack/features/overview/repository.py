"""Queries over many projects at once: a page of them costs as many as one."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CollectionAggregate,
    Integer,
    Uuid,
    any_,
    bindparam,
    cast,
    extract,
    func,
    literal,
    select,
)
from sqlalchemy.ext.asyncio import AsyncSession

from autostack.models.deployment import Deployment
from autostack.models.environment import Environment
from autostack.models.instance import Instance
from autostack.models.route import Route
from autostack.models.traffic import Traffic

Id = UUID | None
Ids = Sequence[UUID]
CLASSES = 5
"""1xx to 5xx; PostgreSQL counts from one."""
RECENT = 5
"""What a project's own page shows of its deployments."""


async def places(session: AsyncSession, projects: Ids) -> list[tuple[Environment, Id, Id]]:
    """Each environment, with the ids of the deployment its domains lead to and of its newest."""
    rows = await session.execute(_PLACES, {"projects": projects})
    return [(row[0], row[1], row[2]) for row in rows]


async def deployments(session: AsyncSession, ids: Ids) -> dict[UUID, Deployment]:
    rows = await session.scalars(_DEPLOYMENTS, {"ids": ids})
    return {row.id: row for row in rows}


async def newest(session: AsyncSession, project_id: UUID) -> Sequence[Deployment]:
    return (await session.scalars(_RECENT, {"project": project_id})).all()


async def instances(session: AsyncSession, places: Ids) -> Sequence[Instance]:
    return (await session.scalars(_INSTANCES, {"places": places})).all()


async def requests(
    session: AsyncSession, projects: Ids, *, width: int, after: datetime, number: int
) -> dict[UUID, list[int]]:
    """By project: how many in each of that many spans of `width` seconds from `after` on."""
    until = after + timedelta(seconds=width * number)
    asked = {"projects": projects, "width": width, "after": after, "until": until}
    found = {one: [0] * number for one in projects}
    for project_id, places, counts in await session.execute(_REQUESTS, asked):
        for place, count in zip(places, counts, strict=True):
            found[project_id][place] = count
    return found


def _among(name: str) -> CollectionAggregate[bool]:
    """One value for the driver, however many they are, and so one statement for the server."""
    return any_(bindparam(name, type_=ARRAY(Uuid)))


# Asked by every page of the dashboard, so that putting them together counts: once, here.
_NEWEST = (
    select(Deployment.id)
    .where(Deployment.environment_id == Environment.id)
    .order_by(Deployment.created_at.desc(), Deployment.id.desc())
    .limit(1)
    .scalar_subquery()
)
_PLACES = (
    select(Environment, Route.deployment_id, _NEWEST)
    .outerjoin(Route, Route.environment_id == Environment.id)
    .where(Environment.project_id == _among("projects"), Environment.removed_at.is_(None))
    .order_by(Environment.created_at, Environment.name)
)
_DEPLOYMENTS = select(Deployment).where(Deployment.id == _among("ids"))
_RECENT = (
    select(Deployment)
    .where(Deployment.project_id == bindparam("project", type_=Uuid))
    .order_by(Deployment.created_at.desc(), Deployment.id.desc())
    .limit(RECENT)
)
_INSTANCES = (
    select(Instance)
    .where(
        Instance.environment_id == _among("places"),
        Instance.deployment_id.is_not(None),
        Instance.freed_at.is_(None),
    )
    .order_by(Instance.process, Instance.index)
)
_CLASSES = sum((Traffic.codes[number] for number in range(1, CLASSES + 1)), literal(0))
_SPANS = (
    select(
        Environment.project_id,
        cast(extract("epoch", Traffic.at - bindparam("after")) / bindparam("width"), Integer).label(
            "place"
        ),
        cast(func.sum(_CLASSES), BigInteger).label("count"),
    )
    .join(Environment, Environment.id == Traffic.environment_id)
    .where(
        Environment.project_id == _among("projects"),
        Traffic.width == bindparam("width"),
        Traffic.at >= bindparam("after"),
        Traffic.at < bindparam("until"),
    )
    .group_by(Environment.project_id, Traffic.at)
    .subquery()
)
# A row a project: a row each hour would be most of what the driver makes of the whole answer.
_REQUESTS = select(
    _SPANS.c.project_id, func.array_agg(_SPANS.c.place), func.array_agg(_SPANS.c.count)
).group_by(_SPANS.c.project_id)
