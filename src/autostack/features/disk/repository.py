"""Every query about what is stored: releases and who refers to them, and what was measured."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete, exists, func, literal, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from autostack.core.space import Space
from autostack.engine.keep import Shelf, Stored
from autostack.engine.release import Status
from autostack.engine.release import Step as StepName
from autostack.models.deployment import Deployment, Kind
from autostack.models.disk_sample import DiskSample
from autostack.models.disk_usage import DiskUsage
from autostack.models.environment import Environment
from autostack.models.instance import Instance
from autostack.models.plan import PlanRequest
from autostack.models.project import Project
from autostack.models.release import Release
from autostack.models.route import Route
from autostack.models.step import Step

PARTS = ("releases", "caches", "logs", "images", "uploads", "mirrors")
"""What a project's bytes are told apart by."""
KEPT = timedelta(days=8)
AT_ONCE = 5000
"""Ids asked for in one query."""


async def crowded(session: AsyncSession, *, more_than: int) -> dict[UUID, int]:
    """Environments that store more releases than that, and how many."""
    query = (
        select(Release.environment_id, func.count())
        .where(Release.removed_at.is_(None))
        .group_by(Release.environment_id)
        .having(func.count() > more_than)
    )
    return {row[0]: row[1] for row in await session.execute(query)}


async def busy(session: AsyncSession) -> frozenset[UUID]:
    """Environments with a deployment that has something left to do."""
    query = select(Deployment.environment_id).where(Deployment.settled_at.is_(None)).distinct()
    return frozenset((await session.scalars(query)).all())


async def hold(session: AsyncSession, environment_id: UUID) -> None:
    """Whoever wants to bring one of them back waits until this transaction is over."""
    query = select(Release.id).where(
        Release.environment_id == environment_id, Release.removed_at.is_(None)
    )
    await session.execute(query.order_by(Release.number).with_for_update(key_share=True))


async def shelf(session: AsyncSession, environment_id: UUID) -> Shelf:
    stored = await session.execute(
        select(Release.id, Release.number).where(
            Release.environment_id == environment_id, Release.removed_at.is_(None)
        )
    )
    served = await _served(session, environment_id)
    route = select(Route.release_id).where(Route.environment_id == environment_id)
    return Shelf(
        stored=tuple(
            Stored(id=found, number=number, served_at=served.get(found)) for found, number in stored
        ),
        routed=await session.scalar(route),
        referred=await _referred(session, environment_id),
    )


async def _served(session: AsyncSession, environment_id: UUID) -> dict[UUID, datetime]:
    query = (
        select(Deployment.release_id, func.max(Deployment.finished_at))
        .where(
            Deployment.environment_id == environment_id,
            Deployment.status == Status.SUCCESS,
            Deployment.kind != Kind.STOP,
            Deployment.release_id.is_not(None),
            Deployment.finished_at.is_not(None),
        )
        .group_by(Deployment.release_id)
    )
    rows = (await session.execute(query)).all()
    return {found: at for found, at in rows if found is not None and at is not None}


async def _referred(session: AsyncSession, environment_id: UUID) -> frozenset[UUID]:
    """By living instances, by what is not settled, and as what that goes back to."""
    living = select(Instance.release_id).where(
        Instance.environment_id == environment_id, Instance.freed_at.is_(None)
    )
    at_work = (Deployment.environment_id == environment_id) & Deployment.settled_at.is_(None)
    wanted = select(Deployment.release_id).where(at_work, Deployment.release_id.is_not(None))
    switches = (
        select(Step.kept)
        .join(Deployment, Deployment.id == Step.deployment_id)
        .where(at_work, Step.name == StepName.SWITCH, Step.kept.is_not(None))
    )
    ids = (await session.scalars(living.union(wanted))).all()
    return frozenset([*ids, *_befores((await session.scalars(switches)).all())])


def _befores(kept: Sequence[dict[str, Any] | None]) -> Iterator[UUID]:
    for facts in kept:
        before = (facts or {}).get("before")
        if before:
            yield UUID(before["release"])


async def mark(session: AsyncSession, ids: Sequence[UUID], *, now: datetime) -> Sequence[Release]:
    """Those of them that are removed from now on. What the pure decision must never give is
    refused here a second time.
    """
    living = exists().where(Instance.release_id == Release.id, Instance.freed_at.is_(None))
    wanted = exists().where(Deployment.release_id == Release.id, Deployment.settled_at.is_(None))
    routed = exists().where(Route.release_id == Release.id)
    result = await session.scalars(
        update(Release)
        .where(Release.id.in_(ids), Release.removed_at.is_(None), ~living, ~wanted, ~routed)
        .values(removed_at=now)
        .returning(Release)
    )
    return result.all()


async def stored_artifacts(session: AsyncSession, ids: Sequence[UUID]) -> frozenset[UUID]:
    """Which builds of these deployments some release still stores."""
    query = select(Release.artifact["id"].astext).where(
        Release.removed_at.is_(None),
        Release.artifact["id"].astext.in_([str(one) for one in ids]),
    )
    return frozenset(UUID(one) for one in await session.scalars(query))


async def settled(session: AsyncSession, ids: Sequence[UUID]) -> frozenset[UUID]:
    """Which of these are deployments with nothing left to do."""
    query = select(Deployment.id).where(Deployment.id.in_(ids), Deployment.settled_at.is_not(None))
    return frozenset((await session.scalars(query)).all())


async def all_environments(session: AsyncSession) -> Sequence[UUID]:
    """With anything stored."""
    query = select(Release.environment_id).where(Release.removed_at.is_(None)).distinct()
    return (await session.scalars(query)).all()


async def owner(session: AsyncSession, environment_id: UUID) -> Project | None:
    query = (
        select(Project)
        .join(Environment, Environment.project_id == Project.id)
        .where(Environment.id == environment_id)
    )
    return await session.scalar(query)


async def created(session: AsyncSession, ids: Sequence[UUID]) -> dict[UUID, datetime]:
    query = select(Release.id, Release.created_at).where(Release.id.in_(ids))
    return {row[0]: row[1] for row in await session.execute(query)}


async def has_images(session: AsyncSession) -> bool:
    query = select(exists().where(Release.artifact["kind"].astext == "image"))
    return bool(await session.scalar(query))


async def idle_projects(session: AsyncSession) -> Sequence[UUID]:
    """Where no deployment has anything left to do."""
    at_work = exists().where(Deployment.project_id == Project.id, Deployment.settled_at.is_(None))
    return (await session.scalars(select(Project.id).where(~at_work))).all()


async def unknown(session: AsyncSession, keys: Sequence[UUID]) -> frozenset[UUID]:
    """Keys of repositories that no project and no question for a plan has."""
    known = select(Project.id).where(Project.id.in_(keys))
    asked = select(PlanRequest.id).where(PlanRequest.id.in_(keys))
    return frozenset(keys) - frozenset((await session.scalars(known.union(asked))).all())


async def strangers(session: AsyncSession, ids: Sequence[UUID]) -> frozenset[UUID]:
    """Those that no living row names."""
    query = select(Instance.id).where(Instance.id.in_(ids), Instance.freed_at.is_(None))
    return frozenset(ids) - frozenset((await session.scalars(query)).all())


async def owners(
    session: AsyncSession, *, deployments: Sequence[UUID], instances: Sequence[UUID]
) -> dict[UUID, UUID]:
    """Whose project each of these deployments and instances is."""
    by_deployment = select(Deployment.id, Deployment.project_id)
    by_instance = select(Instance.id, Deployment.project_id).join(
        Deployment, Deployment.id == Instance.deployment_id
    )
    found: dict[UUID, UUID] = {}
    for query, key, ids in (
        (by_deployment, Deployment.id, deployments),
        (by_instance, Instance.id, instances),
    ):
        for at in range(0, len(ids), AT_ONCE):
            rows = await session.execute(query.where(key.in_(ids[at : at + AT_ONCE])))
            found.update((row[0], row[1]) for row in rows)
    return found


async def write_usage(
    session: AsyncSession, usage: Mapping[UUID, Mapping[str, int]], *, now: datetime
) -> None:
    """Of every project there is; one that goes meanwhile waits for us."""
    projects = await session.scalars(select(Project.id).with_for_update(read=True, key_share=True))
    rows = [
        {"project_id": one, **dict.fromkeys(PARTS, 0), **usage.get(one, {}), "measured_at": now}
        for one in projects
    ]
    if not rows:
        return
    statement = insert(DiskUsage)
    replaced = {name: statement.excluded[name] for name in (*PARTS, "measured_at")}
    await session.execute(
        statement.on_conflict_do_update(index_elements=[DiskUsage.project_id], set_=replaced), rows
    )


async def write_sample(
    session: AsyncSession, seen: Space, parts: Mapping[str, int], *, now: datetime
) -> None:
    """The newest of its hour stays; those that no forecast needs go."""
    values = {"measured_at": now, "total": seen.total, "free": seen.free, "parts": dict(parts)}
    hour = now.replace(minute=0, second=0, microsecond=0)
    statement = insert(DiskSample).values(hour=hour, **values)
    await session.execute(
        statement.on_conflict_do_update(index_elements=[DiskSample.hour], set_=values)
    )
    await session.execute(delete(DiskSample).where(DiskSample.hour < now - KEPT))


async def usage_of(session: AsyncSession, project_id: UUID) -> DiskUsage | None:
    return await session.get(DiskUsage, project_id)


async def largest(session: AsyncSession, *, limit: int) -> Sequence[tuple[Project, DiskUsage]]:
    total = sum((getattr(DiskUsage, name) for name in PARTS), literal(0))
    query = (
        select(Project, DiskUsage)
        .join(DiskUsage, DiskUsage.project_id == Project.id)
        .where(Project.removed_at.is_(None))
        .order_by(total.desc(), Project.name)
        .limit(limit)
    )
    return [(row[0], row[1]) for row in await session.execute(query)]


async def samples(session: AsyncSession, *, since: datetime) -> Sequence[DiskSample]:
    query = select(DiskSample).where(DiskSample.hour >= since).order_by(DiskSample.hour)
    return (await session.scalars(query)).all()
