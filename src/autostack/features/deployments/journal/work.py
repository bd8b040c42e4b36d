"""The worker's side of the rows: taking, concluding, looking for what is left to do."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from autostack.engine.release import Outcome, Status
from autostack.features.deployments import repository, step_rows
from autostack.features.deployments.errors import DeploymentFinished, DeploymentSwitching
from autostack.features.deployments.service import RUN, SETTLE, Address, cancel, tell
from autostack.features.instances import places
from autostack.features.instances import service as instances
from autostack.features.jobs import service as jobs
from autostack.models.deployment import Deployment, Kind
from autostack.models.environment import Environment
from autostack.models.project import Project
from autostack.models.release import Release

OUTCOMES = {Status.FAILED: Outcome.FAILED, Status.CANCELED: Outcome.CANCELED}


async def conclude(
    session: AsyncSession,
    deployment: Deployment,
    status: Status,
    *,
    address: Address,
    now: datetime,
) -> None:
    """The verdict. The slot is free from here on, so the next waiting one is started."""
    held_slot = deployment.status in repository.RUNNING
    deployment.status, deployment.updated_at = status, now
    deployment.finished_at = deployment.finished_at or max(now, deployment.created_at)
    closing = OUTCOMES.get(status, Outcome.DONE)
    await step_rows.close_open(session, deployment.id, closing, now=now)
    if status is Status.SUCCESS:
        await _went_live(session, deployment, address)
        await jobs.enqueue(session, SETTLE, deployment_id=str(deployment.id))
    elif held_slot:
        deployment.settled_at = now
    if held_slot:
        deployment.lease, deployment.lease_expires_at = None, None
        await session.flush()
        await _start_waiting(session, deployment.environment_id)
    facts_told = {"status": status.value, "error": deployment.error_message}
    await tell(session, deployment, "deployment.status", now=now, **facts_told)


async def _went_live(session: AsyncSession, deployment: Deployment, address: Address) -> None:
    environment = await repository.environment(session, deployment.environment_id)
    if environment is None:
        return
    environment.stopped = deployment.kind is Kind.STOP
    deployment.url = address.url(environment)
    rows = await instances.of_deployment(session, deployment.id)
    web = next((row for row in rows if row.process == "web"), None)
    if web is not None:
        deployment.container_id, deployment.port = str(web.id), web.port


async def _start_waiting(session: AsyncSession, environment_id: UUID) -> None:
    waiting = await repository.waiting(session, environment_id)
    if waiting is not None:
        await jobs.enqueue(session, RUN, deployment_id=str(waiting))


async def claim(session: AsyncSession, deployment_id: UUID, *, worker: str) -> UUID | None:
    """A lease to carry it out; None when it is not to be had now."""
    return await repository.claim(session, deployment_id, worker=worker)


async def claim_settle(session: AsyncSession, deployment_id: UUID, *, worker: str) -> UUID | None:
    return await repository.claim_settle(session, deployment_id, worker=worker)


async def release_leases_of(session: AsyncSession, worker: str) -> int:
    """The worker of that name is known to be dead; how many it held."""
    return await repository.release_leases_of(session, worker)


async def abandoned(session: AsyncSession) -> Sequence[tuple[UUID, Status]]:
    """Deployments with work left that no living worker holds."""
    return await repository.abandoned(session)


async def routed(session: AsyncSession) -> dict[UUID, UUID]:
    """Which deployment each environment's domains lead to."""
    return {row.environment_id: row.deployment_id for row in await repository.routes(session)}


async def busy_environments(session: AsyncSession) -> frozenset[UUID]:
    """Where a deployment is at work, waiting, or not settled yet, or a removal is."""
    return await repository.busy_environments(session)


async def changing_environments(session: AsyncSession) -> frozenset[UUID]:
    """Where a deployment may just have ended what serves, or a removal has."""
    return await repository.changing_environments(session)


async def owners(session: AsyncSession, environment_id: UUID) -> tuple[Project, Environment] | None:
    environment = await repository.environment(session, environment_id)
    project = await repository.project(session, environment.project_id) if environment else None
    return (project, environment) if project and environment else None


async def environments_of(session: AsyncSession, project_id: UUID) -> Sequence[UUID]:
    return await repository.environments_of(session, project_id)


async def call_off(session: AsyncSession, environment_id: UUID, *, now: datetime) -> bool:
    """Ask everything at work in a removed environment to end; whether something still is. What
    is settling ends at once: it must not lead the domains back to what is being ended.
    """
    busy = False
    for deployment in await repository.unfinished(session, environment_id):
        busy = busy or deployment.status is not Status.PENDING
        try:
            await cancel(session, deployment, now=now)
        except (DeploymentFinished, DeploymentSwitching):
            continue
    await repository.end_settling(session, environment_id, now=now)
    return busy


async def all_releases(session: AsyncSession, environment_id: UUID) -> Sequence[Release]:
    return await repository.releases(session, environment_id, before=None, limit=None)


async def all_deployments(session: AsyncSession, environment_id: UUID) -> Sequence[UUID]:
    return await repository.all_deployments(session, environment_id)


async def seat_for_builds(session: AsyncSession, project: Project) -> int:
    """The project's own for ever: its caches belong to the uid that follows from it."""
    if project.build_seat is None:
        await repository.lock_build_seats(session)
        await session.refresh(project)
    if project.build_seat is None:
        project.build_seat = places.next_build_seat(await repository.build_seats(session))
    return project.build_seat


async def next_generation(session: AsyncSession, environment_id: UUID) -> int:
    route = await repository.route(session, environment_id)
    return route.generation + 1 if route else 1
