"""Every query about runs."""

from collections.abc import Sequence
from datetime import timedelta
from functools import cache
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, CursorResult, Result, Select, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from autostack.engine.once import RunStatus
from autostack.models.environment import Environment
from autostack.models.project import Project
from autostack.models.release import Release
from autostack.models.run import Run
from autostack.models.team import Membership
from autostack.web.pages import Paging, newest_first

UNFINISHED = (RunStatus.PENDING, RunStatus.RUNNING)
LEASE = timedelta(seconds=30)


def _changed(result: Result[Any]) -> int:
    assert isinstance(result, CursorResult)
    return result.rowcount


async def readable(session: AsyncSession, user_id: UUID, run_id: UUID) -> Run | None:
    """Ownership lives in the query: another team's run is not there."""
    teams = select(Membership.team_id).where(Membership.user_id == user_id)
    query = (
        select(Run)
        .join(Environment, Environment.id == Run.environment_id)
        .join(Project, Project.id == Environment.project_id)
        .where(
            Run.id == run_id,
            Project.team_id.in_(teams),
            Project.removed_at.is_(None),
            Environment.removed_at.is_(None),
        )
    )
    return await session.scalar(query)


async def page(
    session: AsyncSession, environment_id: UUID, paging: Paging
) -> tuple[Sequence[Run], str | None]:
    """Newest first."""
    query = select(Run).where(Run.environment_id == environment_id)
    return await newest_first(session, query, at=Run.created_at, row_id=Run.id, paging=paging)


async def count_unfinished(session: AsyncSession, environment_id: UUID) -> int:
    """Locks the environment's row, so that two requests do not both see room for one."""
    lock = select(Environment.id).where(Environment.id == environment_id)
    await session.execute(lock.with_for_update(key_share=True))
    query = select(func.count()).where(
        Run.environment_id == environment_id, Run.status.in_(UNFINISHED)
    )
    return await session.scalar(query) or 0


async def claim(session: AsyncSession, run_id: UUID, *, worker: str) -> UUID | None:
    """Take a waiting run; None when it is not to be had."""
    lease = uuid4()
    result = await session.execute(
        update(Run)
        .where(Run.id == run_id, Run.status == RunStatus.PENDING)
        .values(
            status=RunStatus.RUNNING,
            lease=lease,
            lease_expires_at=func.now() + LEASE,
            worker=worker,
            started_at=func.now(),
        )
    )
    return lease if _changed(result) else None


async def claim_cut_off(session: AsyncSession, run_id: UUID, *, worker: str) -> UUID | None:
    """Take one whose worker is gone, to end it."""
    lease = uuid4()
    result = await session.execute(
        update(Run)
        .where(Run.id == run_id, Run.status == RunStatus.RUNNING, _free())
        .values(lease=lease, lease_expires_at=func.now() + LEASE, worker=worker)
    )
    return lease if _changed(result) else None


def _free() -> ColumnElement[bool]:
    return or_(Run.lease_expires_at.is_(None), Run.lease_expires_at < func.now())


async def renew(session: AsyncSession, run_id: UUID, lease: UUID) -> None:
    await session.execute(
        update(Run)
        .where(Run.id == run_id, Run.lease == lease)
        .values(lease_expires_at=func.now() + LEASE)
    )


async def release_leases_of(session: AsyncSession, worker: str) -> int:
    """The worker of that name is known to be dead; how many it held."""
    freed = await session.execute(
        update(Run)
        .where(Run.worker == worker, Run.status == RunStatus.RUNNING)
        .values(lease=None, lease_expires_at=None)
    )
    return _changed(freed)


async def held(session: AsyncSession, run_id: UUID, lease: UUID) -> Run | None:
    """The row, locked, while the lease is ours."""
    query = select(Run).where(Run.id == run_id, Run.lease == lease)
    return await session.scalar(query.with_for_update())


async def cancel_asked(session: AsyncSession, run_id: UUID, lease: UUID) -> bool | None:
    """None when the lease is not ours any more."""
    query = select(Run.cancel_requested_at).where(Run.id == run_id, Run.lease == lease)
    row = (await session.execute(query)).first()
    return None if row is None else row[0] is not None


async def abandoned(session: AsyncSession) -> Sequence[UUID]:
    """Unfinished ones that no living worker holds, oldest first."""
    return (await session.scalars(_abandoned())).all()


@cache
def _abandoned() -> Select[UUID]:
    """Built once: it is asked every few seconds."""
    return select(Run.id).where(Run.status.in_(UNFINISHED), _free()).order_by(Run.created_at)


async def unfinished(session: AsyncSession, environments: Sequence[UUID]) -> Sequence[Run]:
    query = select(Run).where(Run.environment_id.in_(environments), Run.status.in_(UNFINISHED))
    return (await session.scalars(query)).all()


async def all_of(session: AsyncSession, environments: Sequence[UUID]) -> Sequence[UUID]:
    query = select(Run.id).where(Run.environment_id.in_(environments))
    return (await session.scalars(query)).all()


async def environments_of(session: AsyncSession, project_id: UUID) -> Sequence[UUID]:
    query = select(Environment.id).where(Environment.project_id == project_id)
    return (await session.scalars(query)).all()


async def place(session: AsyncSession, run: Run) -> tuple[Environment, Project]:
    """Foreign keys promise them."""
    environment = await session.get_one(Environment, run.environment_id)
    return environment, await session.get_one(Project, environment.project_id)


async def release(session: AsyncSession, run: Run) -> Release:
    return await session.get_one(Release, run.release_id)
