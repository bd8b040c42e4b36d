"""Deployments as rows: asked for, taken, concluded, canceled. A worker does the rest."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from autostack.engine import facts
from autostack.engine.plan import Plan
from autostack.engine.release import Outcome, Routes, Status
from autostack.features.deployments import repository
from autostack.features.deployments.errors import (
    DeploymentFinished,
    DeploymentSwitching,
    NothingDeployed,
    ProcessUnknown,
    ReleaseNotFound,
    ReleaseRemoved,
)
from autostack.features.events import service as events
from autostack.features.instances import service as instances
from autostack.features.jobs import service as jobs
from autostack.models.deployment import Deployment, Kind
from autostack.models.environment import Environment
from autostack.models.instance import Instance
from autostack.models.project import Project
from autostack.models.release import Release
from autostack.models.step import Step

RUN = "deployment.run"
SETTLE = "deployment.settle"
OUTCOMES = {Status.FAILED: Outcome.FAILED, Status.CANCELED: Outcome.CANCELED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where the edge of this platform is, and so where environments are."""

    edge_port: int
    base_domain: str | None = None

    def url(self, environment: Environment) -> str:
        """Without scheme; answers from any program on this machine with no DNS set-up."""
        if self.base_domain is None:
            return f"{environment.loopback}:{self.edge_port}"
        return f"{environment.hostname}.{self.base_domain}"

    def hosts(self, environment: Environment) -> tuple[str, ...]:
        if self.base_domain is None:
            return environment.loopback, f"{environment.hostname}.localhost"
        return (f"{environment.hostname}.{self.base_domain}",)

    def routes(
        self,
        environment: Environment,
        release_id: UUID,
        targets: Sequence[str],
        directory: Path | None,
    ) -> Routes:
        return Routes(
            environment_id=environment.id,
            release_id=release_id,
            name=environment.hostname,
            hosts=self.hosts(environment),
            targets=tuple(targets),
            directory=directory,
            loopback_only=self.base_domain is None,
        )


async def request(
    session: AsyncSession,
    project: Project,
    environment: Environment,
    *,
    now: datetime,
    by: UUID | None,
    kind: Kind = Kind.DEPLOY,
    branch: str | None = None,
    release: Release | None = None,
) -> Deployment:
    """Record that a deployment is wanted; it takes the place of one that waits."""
    number = await repository.next_number(session, project.id)
    for superseded in await repository.supersede_waiting(session, environment.id, now=now):
        gone = await repository.get(session, superseded)
        if gone is not None:
            await session.refresh(gone)
            await tell(session, gone, "deployment.status", now=now, status=gone.status.value)
    deployment = Deployment(
        id=uuid4(),
        user_id=by,
        project_id=project.id,
        environment_id=environment.id,
        environment=environment.name,
        number=number,
        kind=kind,
        repo_url=project.repo_url,
        branch=branch or environment.branch,
        release_id=release.id if release else None,
        status=Status.PENDING,
        warnings=[],
        created_at=now,
        updated_at=now,
    )
    session.add(deployment)
    await session.flush()
    await jobs.enqueue(session, RUN, deployment_id=str(deployment.id))
    await tell(session, deployment, "deployment.requested", now=now, status=Status.PENDING.value)
    return deployment


async def tell(
    session: AsyncSession,
    deployment: Deployment,
    kind: str,
    *,
    now: datetime,
    **data: Any,  # noqa: ANN401 - JSON
) -> None:
    """An event of this deployment, in the caller's transaction."""
    project = await repository.project(session, deployment.project_id)
    await events.emit(
        session,
        kind,
        now=now,
        team_id=project.team_id if project else None,
        project_id=deployment.project_id,
        deployment_id=deployment.id,
        actor_id=deployment.user_id,
        data={"number": deployment.number, "environment": deployment.environment, **data},
    )


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
    deployment.finished_at = deployment.finished_at or now
    closing = OUTCOMES.get(status, Outcome.DONE)
    await repository.close_open_steps(session, deployment.id, closing, now=now)
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


async def cancel(session: AsyncSession, deployment: Deployment, *, now: datetime) -> Deployment:
    """A waiting one at once, a running one within two seconds, never after its switch."""
    await session.refresh(deployment, with_for_update=True)
    if deployment.status is Status.PENDING:
        deployment.status = Status.CANCELED
        deployment.finished_at = deployment.settled_at = deployment.updated_at = now
        await tell(session, deployment, "deployment.status", now=now, status="canceled")
        return deployment
    if deployment.status not in repository.RUNNING:
        raise DeploymentFinished(deployment.status.value)
    if await repository.has_begun_switch(session, deployment.id):
        raise DeploymentSwitching
    deployment.cancel_requested_at = deployment.cancel_requested_at or now
    return deployment


async def roll_back(
    session: AsyncSession,
    project: Project,
    environment: Environment,
    *,
    release_id: UUID | None,
    by: UUID | None,
    now: datetime,
) -> Deployment:
    """Bring an earlier release back, build and configuration; by default the one before."""
    current = await _current(session, environment)
    release = (
        await repository.release_before(session, environment.id, current.number)
        if release_id is None
        else await repository.release_of(session, release_id)
    )
    if release is None or release.environment_id != environment.id:
        raise ReleaseNotFound
    if release.removed_at is not None:
        raise ReleaseRemoved(release.number)
    return await request(
        session, project, environment, now=now, by=by, kind=Kind.ROLLBACK, release=release
    )


async def again(
    session: AsyncSession,
    project: Project,
    environment: Environment,
    *,
    kind: Kind,
    by: UUID | None,
    now: datetime,
) -> Deployment:
    """The current release once more: restart, start after a stop, or stop."""
    release = await _current(session, environment)
    return await request(session, project, environment, now=now, by=by, kind=kind, release=release)


async def scale(
    session: AsyncSession,
    project: Project,
    environment: Environment,
    *,
    processes: Mapping[str, int],
    by: UUID | None,
    now: datetime,
) -> Deployment | None:
    """Remember how many are wanted; carried out at once where something runs."""
    release = await _current(session, environment)
    known = [process.name for process in facts.load(Plan, release.plan).processes]
    for name in processes:
        if name not in known:
            raise ProcessUnknown(name, known)
    environment.scale = {**environment.scale, **processes}
    if environment.stopped:
        return None
    return await request(
        session, project, environment, now=now, by=by, kind=Kind.RESTART, release=release
    )


async def _current(session: AsyncSession, environment: Environment) -> Release:
    route = await repository.route(session, environment.id)
    release = await repository.release_of(session, route.release_id) if route else None
    if release is None:
        raise NothingDeployed(environment.name)
    return release


async def current_release(session: AsyncSession, environment: Environment) -> UUID | None:
    route = await repository.route(session, environment.id)
    return route.release_id if route else None


async def releases(
    session: AsyncSession, environment: Environment, *, before: int | None, limit: int
) -> Sequence[Release]:
    return await repository.releases(session, environment.id, before=before, limit=limit)


async def steps(session: AsyncSession, deployment: Deployment) -> Sequence[Step]:
    return await repository.steps(session, deployment.id)


async def running(session: AsyncSession, environment: Environment) -> Sequence[Instance]:
    return await instances.living(session, environment.id)


async def claim(session: AsyncSession, deployment_id: UUID, *, worker: str) -> UUID | None:
    """A lease to carry it out; None when it is not to be had now."""
    return await repository.claim(session, deployment_id, worker=worker)


async def claim_settle(session: AsyncSession, deployment_id: UUID, *, worker: str) -> UUID | None:
    return await repository.claim_settle(session, deployment_id, worker=worker)


async def release_leases_of(session: AsyncSession, worker: str) -> None:
    """The worker of that name is known to be dead."""
    await repository.release_leases_of(session, worker)


async def abandoned(session: AsyncSession) -> Sequence[tuple[UUID, Status]]:
    """Deployments with work left that no living worker holds."""
    return await repository.abandoned(session)
