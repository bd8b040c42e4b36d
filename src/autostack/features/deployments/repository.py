"""Every query about deployments, releases and routes."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import cache
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    CursorResult,
    Result,
    Select,
    exists,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from autostack.engine.release import Status
from autostack.models.deployment import Deployment, Kind
from autostack.models.environment import Environment
from autostack.models.idempotency import IdempotencyKey
from autostack.models.instance import Instance
from autostack.models.project import Project
from autostack.models.release import Release
from autostack.models.route import Route
from autostack.models.team import Membership
from autostack.web.pages import Paging, newest_first

RUNNING = (Status.BUILDING, Status.DEPLOYING)
UNFINISHED = (Status.PENDING, *RUNNING)
SERVED = (Status.SUCCESS, Status.FAILED)
LEASE = timedelta(seconds=30)
BUILD_SEAT_LOCK = 0x41535F4255494C44


def _changed(result: Result[Any]) -> int:
    assert isinstance(result, CursorResult)
    return result.rowcount


async def get(session: AsyncSession, deployment_id: UUID) -> Deployment | None:
    return await session.get(Deployment, deployment_id)


async def readable(session: AsyncSession, user_id: UUID, deployment_id: UUID) -> Deployment | None:
    """Ownership lives in the query: another team's deployment is not there."""
    query = (
        select(Deployment)
        .join(Project, Project.id == Deployment.project_id)
        .where(Deployment.id == deployment_id, *_theirs(user_id))
    )
    return await session.scalar(query)


async def readable_environment(
    session: AsyncSession, user_id: UUID, environment_id: UUID
) -> Environment | None:
    query = (
        select(Environment)
        .join(Project, Project.id == Environment.project_id)
        .where(
            Environment.id == environment_id,
            Environment.removed_at.is_(None),
            *_theirs(user_id),
        )
    )
    return await session.scalar(query)


def _theirs(user_id: UUID) -> tuple[ColumnElement[bool], ...]:
    teams = select(Membership.team_id).where(Membership.user_id == user_id)
    return Project.team_id.in_(teams), Project.removed_at.is_(None)


async def page(
    session: AsyncSession,
    user_id: UUID,
    paging: Paging,
    *,
    project_id: UUID | None,
    environment_id: UUID | None,
) -> tuple[Sequence[Deployment], str | None]:
    """Newest first."""
    query = (
        select(Deployment)
        .join(Project, Project.id == Deployment.project_id)
        .where(*_theirs(user_id))
    )
    if project_id is not None:
        query = query.where(Deployment.project_id == project_id)
    if environment_id is not None:
        query = query.where(Deployment.environment_id == environment_id)
    return await newest_first(
        session, query, at=Deployment.created_at, row_id=Deployment.id, paging=paging
    )


async def unfinished(session: AsyncSession, environment_id: UUID) -> Sequence[Deployment]:
    query = select(Deployment).where(
        Deployment.environment_id == environment_id, Deployment.status.in_(UNFINISHED)
    )
    return (await session.scalars(query)).all()


async def end_settling(session: AsyncSession, environment_id: UUID, *, now: datetime) -> None:
    """Whoever holds the lease of one that serves loses it with the next write."""
    await session.execute(
        update(Deployment)
        .where(
            Deployment.environment_id == environment_id,
            Deployment.status.in_(SERVED),
            Deployment.settled_at.is_(None),
        )
        .values(settled_at=now, lease=None, lease_expires_at=None)
    )


async def all_deployments(session: AsyncSession, environment_id: UUID) -> Sequence[UUID]:
    query = select(Deployment.id).where(Deployment.environment_id == environment_id)
    return (await session.scalars(query)).all()


async def environments_of(session: AsyncSession, project_id: UUID) -> Sequence[UUID]:
    query = select(Environment.id).where(Environment.project_id == project_id)
    return (await session.scalars(query)).all()


async def next_number(session: AsyncSession, project_id: UUID) -> int:
    """Locks the project's row, so that two requests do not get the same number.

    Not against references: PostgreSQL looks at those of a row that is changed twice in one
    transaction, as the line of builds does with deployments we are about to wait for.
    """
    query = select(Project.id).where(Project.id == project_id)
    await session.execute(query.with_for_update(key_share=True))
    highest = select(func.max(Deployment.number)).where(Deployment.project_id == project_id)
    return (await session.scalar(highest) or 0) + 1


async def supersede_waiting(
    session: AsyncSession, environment_id: UUID, *, now: datetime
) -> Sequence[UUID]:
    result = await session.execute(
        update(Deployment)
        .where(Deployment.environment_id == environment_id, Deployment.status == Status.PENDING)
        .values(status=Status.SUPERSEDED, finished_at=now, settled_at=now, updated_at=now)
        .returning(Deployment.id)
    )
    return result.scalars().all()


async def waiting(session: AsyncSession, environment_id: UUID) -> UUID | None:
    query = select(Deployment.id).where(
        Deployment.environment_id == environment_id, Deployment.status == Status.PENDING
    )
    return await session.scalar(query)


async def claim(session: AsyncSession, deployment_id: UUID, *, worker: str) -> UUID | None:
    """Take a waiting deployment, or one whose worker is gone; None when it cannot be had."""
    lease = uuid4()
    free = or_(Deployment.lease_expires_at.is_(None), Deployment.lease_expires_at < func.now())
    takable = or_(Deployment.status == Status.PENDING, Deployment.status.in_(RUNNING) & free)
    statement = (
        update(Deployment)
        .where(Deployment.id == deployment_id, takable)
        .values(
            lease=lease,
            lease_expires_at=func.now() + LEASE,
            worker=worker,
            status=func.replace(Deployment.status, Status.PENDING, Status.BUILDING),
            started_at=func.coalesce(Deployment.started_at, func.now()),
            updated_at=func.now(),
        )
    )
    try:
        async with session.begin_nested():
            taken = _changed(await session.execute(statement))
    except IntegrityError:
        return None  # another one of this environment runs
    return lease if taken else None


async def claim_settle(session: AsyncSession, deployment_id: UUID, *, worker: str) -> UUID | None:
    lease = uuid4()
    free = or_(Deployment.lease_expires_at.is_(None), Deployment.lease_expires_at < func.now())
    result = await session.execute(
        update(Deployment)
        .where(
            Deployment.id == deployment_id,
            Deployment.status.in_(SERVED),
            Deployment.settled_at.is_(None),
            free,
        )
        .values(lease=lease, lease_expires_at=func.now() + LEASE, worker=worker)
    )
    return lease if _changed(result) else None


async def renew(session: AsyncSession, deployment_id: UUID, lease: UUID) -> bool:
    result = await session.execute(
        update(Deployment)
        .where(Deployment.id == deployment_id, Deployment.lease == lease)
        .values(lease_expires_at=func.now() + LEASE)
    )
    return _changed(result) == 1


async def hand_back(session: AsyncSession, deployment_id: UUID, lease: UUID) -> None:
    await session.execute(
        update(Deployment)
        .where(Deployment.id == deployment_id, Deployment.lease == lease)
        .values(lease=None, lease_expires_at=None)
    )


async def release_leases_of(session: AsyncSession, worker: str) -> int:
    """The worker of that name is known to be dead; how many it held."""
    freed = await session.execute(
        update(Deployment)
        .where(Deployment.worker == worker, Deployment.lease.is_not(None))
        .values(lease=None, lease_expires_at=None)
    )
    return _changed(freed)


async def held(session: AsyncSession, deployment_id: UUID, lease: UUID) -> Deployment | None:
    """The row, locked, while the lease is ours."""
    query = select(Deployment).where(Deployment.id == deployment_id, Deployment.lease == lease)
    return await session.scalar(query.with_for_update())


async def cancel_asked(session: AsyncSession, deployment_id: UUID, lease: UUID) -> bool | None:
    """None when the lease is not ours any more."""
    query = select(Deployment.cancel_requested_at).where(
        Deployment.id == deployment_id, Deployment.lease == lease
    )
    row = (await session.execute(query)).first()
    return None if row is None else row[0] is not None


async def abandoned(session: AsyncSession) -> Sequence[tuple[UUID, Status]]:
    """Deployments with work left that no living worker holds."""
    return [(row[0], row[1]) for row in await session.execute(_abandoned())]


@cache
def _abandoned() -> Select[UUID, Status]:
    """Built once: it is asked every few seconds, and building it takes longer than the answer."""
    free = or_(Deployment.lease_expires_at.is_(None), Deployment.lease_expires_at < func.now())
    other = aliased(Deployment)
    blocked = exists().where(
        other.environment_id == Deployment.environment_id, other.status.in_(RUNNING)
    )
    # The others wait for their turn, which whoever gives it says.
    may_go = or_(Deployment.kind != Kind.DEPLOY, Deployment.admitted_at.is_not(None))
    left = or_(
        (Deployment.status == Status.PENDING) & ~blocked & may_go,
        Deployment.status.in_(RUNNING),
        Deployment.status.in_(SERVED) & Deployment.settled_at.is_(None),
    )
    query = select(Deployment.id, Deployment.status).where(free, left)
    return query.order_by(Deployment.number)


async def lock_build_seats(session: AsyncSession) -> None:
    """One is given at a time; the unique index holds even without it."""
    await session.execute(select(func.pg_advisory_xact_lock(BUILD_SEAT_LOCK)))


async def build_seats(session: AsyncSession) -> frozenset[int]:
    query = select(Project.build_seat).where(Project.build_seat.is_not(None))
    return frozenset(seat for seat in await session.scalars(query) if seat is not None)


async def release_of(session: AsyncSession, release_id: UUID) -> Release | None:
    return await session.get(Release, release_id)


async def next_release_number(session: AsyncSession, environment_id: UUID) -> int:
    highest = select(func.max(Release.number)).where(Release.environment_id == environment_id)
    return (await session.scalar(highest) or 0) + 1


async def releases(
    session: AsyncSession, environment_id: UUID, *, before: int | None, limit: int | None
) -> Sequence[Release]:
    query = select(Release).where(Release.environment_id == environment_id)
    if before is not None:
        query = query.where(Release.number < before)
    return (await session.scalars(query.order_by(Release.number.desc()).limit(limit))).all()


async def release_before(
    session: AsyncSession, environment_id: UUID, number: int
) -> Release | None:
    """The newest of those that served: one that failed is nothing to go back to."""
    served = exists().where(
        Deployment.release_id == Release.id, Deployment.status == Status.SUCCESS
    )
    query = select(Release).where(
        Release.environment_id == environment_id,
        Release.number < number,
        Release.removed_at.is_(None),
        served,
    )
    return await session.scalar(query.order_by(Release.number.desc()).limit(1))


async def older_instances(session: AsyncSession, deployment: Deployment) -> Sequence[Instance]:
    query = (
        select(Instance)
        .join(Deployment, Deployment.id == Instance.deployment_id)
        .where(
            Instance.environment_id == deployment.environment_id,
            Instance.freed_at.is_(None),
            Deployment.number < deployment.number,
        )
    )
    return (await session.scalars(query)).all()


async def route(session: AsyncSession, environment_id: UUID, *, lock: bool = False) -> Route | None:
    query = select(Route).where(Route.environment_id == environment_id)
    query = query.with_for_update() if lock else query
    return await session.scalar(query.execution_options(populate_existing=True))


async def routes(session: AsyncSession) -> Sequence[Route]:
    return (await session.scalars(select(Route))).all()


async def environment(session: AsyncSession, environment_id: UUID) -> Environment | None:
    return await session.get(Environment, environment_id)


async def project(session: AsyncSession, project_id: UUID) -> Project | None:
    return await session.get(Project, project_id)


async def busy_environments(session: AsyncSession) -> frozenset[UUID]:
    """Where a deployment is at work, waiting, or not settled yet, or a removal is."""
    return frozenset((await session.scalars(_busy())).all())


async def changing_environments(session: AsyncSession) -> frozenset[UUID]:
    """Where a deployment starts and ends instances, or a removal does."""
    return frozenset((await session.scalars(_changing())).all())


@cache
def _busy() -> CompoundSelect[UUID]:
    """Built once, as `_abandoned`."""
    unsettled = (Deployment.status == Status.SUCCESS) & Deployment.settled_at.is_(None)
    return _environments(or_(Deployment.status.in_(UNFINISHED), unsettled))


@cache
def _changing() -> CompoundSelect[UUID]:
    return _environments(Deployment.status == Status.DEPLOYING)


def _environments(deploying: ColumnElement[bool]) -> CompoundSelect[UUID]:
    removing = (
        select(Environment.id)
        .join(Project, Project.id == Environment.project_id)
        .where(or_(Environment.removed_at.is_not(None), Project.removed_at.is_not(None)))
    )
    return select(Deployment.environment_id).where(deploying).union(removing)


async def lock_key(session: AsyncSession, user_id: UUID, key: str) -> None:
    """Two requests with one key are answered one after the other."""
    number = int.from_bytes(sha256(user_id.bytes + key.encode()).digest()[:8], signed=True)
    await session.execute(select(func.pg_advisory_xact_lock(number)))


async def answered(session: AsyncSession, user_id: UUID, key: str) -> IdempotencyKey | None:
    return await session.get(IdempotencyKey, (user_id, key))
