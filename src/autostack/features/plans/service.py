"""`What would you do with this repository?` Asked by the api, answered by a worker."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from autostack.core.db import Database
from autostack.core.errors import AutostackError
from autostack.engine import facts
from autostack.engine.plan import Plan
from autostack.features.jobs import service as jobs
from autostack.features.plans.errors import PlanTimedOut
from autostack.features.projects import service as projects
from autostack.models.plan import PlanRequest
from autostack.models.user import User
from autostack.web.problems import Problem, problem_of

MAKE = "plan.make"

_KEPT = timedelta(hours=1)
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 0.25


async def ask(
    session: AsyncSession,
    *,
    repo_url: str,
    branch: str | None,
    root: str | None,
    by: User,
    now: datetime,
) -> UUID:
    address = projects.check_repo_url(repo_url)
    await session.execute(delete(PlanRequest).where(PlanRequest.created_at < now - _KEPT))
    request = PlanRequest(
        id=uuid4(), user_id=by.id, repo_url=address, branch=branch, root=root, created_at=now
    )
    session.add(request)
    await session.flush()
    await jobs.enqueue(session, MAKE, request_id=request.id)
    return request.id


async def load(session: AsyncSession, request_id: UUID) -> PlanRequest | None:
    """For the worker; None when nobody waits for it any more."""
    request = await session.get(PlanRequest, request_id)
    return None if request is None or request.answered_at else request


async def answer(
    session: AsyncSession, request_id: UUID, answered: Plan | AutostackError, *, now: datetime
) -> None:
    """What the worker found: a plan, or why there is none."""
    request = await load(session, request_id)
    if request is None:
        return
    if isinstance(answered, Plan):
        request.plan = facts.dump(answered)
    else:
        request.problem = problem_of(answered).model_dump()
    request.answered_at = now


async def wait(db: Database, request_id: UUID, *, limit: timedelta) -> Plan | Problem:
    """The answer once it is there. Each look is a transaction of its own."""
    async for _ in _pauses(limit):
        async with db.transaction() as session:
            request = await session.get(PlanRequest, request_id)
        if request is not None and request.problem is not None:
            return Problem.model_validate(request.problem)
        if request is not None and request.plan is not None:
            return facts.load(Plan, request.plan)
    raise PlanTimedOut(limit)


async def _pauses(limit: timedelta) -> AsyncGenerator[None]:
    """Often at first, then seldom, until the limit."""
    clock = asyncio.get_running_loop().time
    end, pause = clock() + limit.total_seconds(), _FIRST_PAUSE
    while clock() < end:
        yield
        await asyncio.sleep(pause)
        pause = min(pause * 1.5, _LONGEST_PAUSE)
