"""Runs as rows: asked for, taken, canceled. A worker does the rest."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from autostack.engine import facts
from autostack.engine.once import RunStatus
from autostack.engine.plan import Plan
from autostack.engine.release import Artifact
from autostack.engine.rollout import published
from autostack.features.deployments import service as deployments
from autostack.features.events import service as events
from autostack.features.jobs import service as jobs
from autostack.features.runs import repository
from autostack.features.runs.errors import RunFinished, RunNotFound, StaticRelease, TooManyRuns
from autostack.models.environment import Environment
from autostack.models.release import Release
from autostack.models.run import Run
from autostack.models.user import User
from autostack.web.pages import Paging

CARRY_OUT = "run.carry_out"
MOST = 5
"""Unfinished runs of one environment."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A run that is ours. `cut_off`: another worker died over it, so it is only to be ended."""

    lease: UUID
    cut_off: bool


async def request(
    session: AsyncSession,
    environment: Environment,
    *,
    command: Sequence[str],
    seconds: int,
    by: UUID,
    now: datetime,
) -> Run:
    """Record that a command is wanted in the release that is live now."""
    release = await deployments.current(session, environment)
    if _is_static(release):
        raise StaticRelease(environment.name)
    if await repository.count_unfinished(session, environment.id) >= MOST:
        raise TooManyRuns(MOST, environment.name)
    run = Run(
        id=uuid4(),
        environment_id=environment.id,
        release_id=release.id,
        user_id=by,
        command=list(command),
        timeout=seconds,
        status=RunStatus.PENDING,
        created_at=now,
    )
    session.add(run)
    await session.flush()
    await ask(session, run.id)
    await tell(session, run, "run.requested", now=now)
    return run


async def ask(session: AsyncSession, run_id: UUID) -> None:
    """A worker shall take it; asking again changes nothing."""
    await jobs.enqueue(session, CARRY_OUT, queueing_lock=f"{CARRY_OUT}:{run_id}", run_id=run_id)


def _is_static(release: Release) -> bool:
    plan, artifact = facts.load(Plan, release.plan), facts.load(Artifact, release.artifact)
    return published(plan, artifact) is not None


async def get(session: AsyncSession, run_id: UUID, *, reader: User) -> Run:
    """The reader's run; not there and not theirs are the same."""
    found = await repository.readable(session, reader.id, run_id)
    if found is None:
        raise RunNotFound
    return found


async def page(
    session: AsyncSession, environment: Environment, paging: Paging
) -> tuple[Sequence[Run], str | None]:
    return await repository.page(session, environment.id, paging)


async def tell(session: AsyncSession, run: Run, kind: str, *, now: datetime) -> None:
    """An event of this run, in the caller's transaction."""
    environment, project = await repository.place(session, run)
    await events.emit(
        session,
        kind,
        now=now,
        team_id=project.team_id,
        project_id=project.id,
        actor_id=run.user_id,
        data={
            "run_id": str(run.id),
            "environment": environment.name,
            "status": run.status.value,
            "exit_code": run.exit_code,
        },
    )


async def cancel(session: AsyncSession, run: Run, *, now: datetime) -> Run:
    """A waiting one at once, a running one within two seconds."""
    await session.refresh(run, with_for_update=True)
    if run.status is RunStatus.PENDING:
        run.status, run.finished_at = RunStatus.CANCELED, now
        run.error_message = "The command was canceled before it began."
        await tell(session, run, "run.status", now=now)
        return run
    if run.status not in repository.UNFINISHED:
        raise RunFinished(run.status.value)
    run.cancel_requested_at = run.cancel_requested_at or now
    return run


def how_it_ended(run: Run) -> str | None:
    """Its status once nothing more is to come, else None."""
    return None if run.status in repository.UNFINISHED else run.status.value


# The worker's side


async def claim(session: AsyncSession, run_id: UUID, *, worker: str) -> Claim | None:
    lease = await repository.claim(session, run_id, worker=worker)
    if lease is not None:
        return Claim(lease=lease, cut_off=False)
    lease = await repository.claim_cut_off(session, run_id, worker=worker)
    return Claim(lease=lease, cut_off=True) if lease is not None else None


async def release_leases_of(session: AsyncSession, worker: str) -> int:
    """The worker of that name is known to be dead; how many it held."""
    return await repository.release_leases_of(session, worker)


async def abandoned(session: AsyncSession) -> Sequence[UUID]:
    return await repository.abandoned(session)


async def environments_of(session: AsyncSession, project_id: UUID) -> Sequence[UUID]:
    return await repository.environments_of(session, project_id)


async def call_off(session: AsyncSession, environments: Sequence[UUID], *, now: datetime) -> bool:
    """Cancel everything there; whether something still runs."""
    found = await repository.unfinished(session, environments)
    for run in found:
        try:
            await cancel(session, run, now=now)
        except RunFinished:
            continue
    return any(run.status is RunStatus.RUNNING for run in found)


async def all_of(session: AsyncSession, environments: Sequence[UUID]) -> Sequence[UUID]:
    return await repository.all_of(session, environments)
