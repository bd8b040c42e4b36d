"""Deployments as rows: asked for, taken, concluded, canceled. A worker does the rest."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from autostack.core import domain
from autostack.engine import facts
from autostack.engine.plan import Plan
from autostack.engine.release import Routes, Status
from autostack.features.deployments import repository, step_rows
from autostack.features.deployments.errors import (
    DeploymentFinished,
    DeploymentNotFound,
    DeploymentSwitching,
    EnvironmentUnknown,
    IdempotencyMismatch,
    NothingDeployed,
    ProcessUnknown,
    ReleaseNotFound,
    ReleaseRemoved,
)
from autostack.features.events import service as events
from autostack.features.instances import service as instances
from autostack.features.jobs import service as jobs
from autostack.features.variables import service as variables
from autostack.models.deployment import Deployment, Kind
from autostack.models.environment import Environment
from autostack.models.idempotency import IdempotencyKey
from autostack.models.instance import Instance
from autostack.models.project import Project
from autostack.models.release import Release
from autostack.models.step import Step
from autostack.models.user import User
from autostack.web.pages import Paging

RUN = "deployment.run"
SETTLE = "deployment.settle"


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where the edge of this platform is, and so where environments are."""

    edge_port: int
    base_domain: str | None = None
    """As `core.domain.apps_domain` gives it."""

    def url(self, environment: Environment) -> str:
        """Without scheme; answers from any program on this machine with no DNS set-up."""
        return domain.place(
            environment.hostname,
            environment.loopback,
            domain=self.base_domain,
            edge_port=self.edge_port,
        )

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
    upload: str | None = None,
    release: Release | None = None,
) -> Deployment:
    """Record that a deployment is wanted; it takes the place of one that waits."""
    number = await repository.next_number(session, project.id)
    place = await _supersede(session, environment, now=now)
    deployment = Deployment(
        id=uuid4(),
        user_id=by,
        project_id=project.id,
        environment_id=environment.id,
        environment=environment.name,
        number=number,
        kind=kind,
        repo_url=project.repo_url,
        branch=None if upload else branch or environment.branch,
        upload=upload,
        release_id=release.id if release else None,
        status=Status.PENDING,
        warnings=[],
        queue=place,
        created_at=now,
        updated_at=now,
    )
    session.add(deployment)
    await session.flush()
    await jobs.enqueue(session, RUN, deployment_id=str(deployment.id))
    await tell(session, deployment, "deployment.requested", now=now, status=Status.PENDING.value)
    return deployment


async def _supersede(
    session: AsyncSession, environment: Environment, *, now: datetime
) -> dict[str, Any] | None:
    """End the one that waits; its place in the line for a build goes to who comes instead."""
    place: dict[str, Any] | None = None
    for superseded in await repository.supersede_waiting(session, environment.id, now=now):
        gone = await repository.get(session, superseded)
        if gone is None:
            continue
        await session.refresh(gone)
        await tell(session, gone, "deployment.status", now=now, status=gone.status.value)
        place = {"since": (gone.queue or {}).get("since") or gone.created_at.isoformat()}
    return place


async def request_once(
    session: AsyncSession,
    project: Project,
    environment: Environment,
    *,
    key: str | None,
    by: UUID,
    branch: str | None,
    upload: str | None,
    now: datetime,
) -> Deployment:
    """`request`, or the answer this key was given before."""

    async def wanted() -> Deployment:
        return await request(
            session, project, environment, now=now, by=by, branch=branch, upload=upload
        )

    if key is None:
        return await wanted()
    digest = sha256(f"{project.id} {environment.id} {branch} {upload}".encode()).hexdigest()
    await repository.lock_key(session, by, key)
    known = await repository.answered(session, by, key)
    if known is None:
        made = await wanted()
        session.add(
            IdempotencyKey(
                user_id=by, key=key, request_digest=digest, resource_id=made.id, created_at=now
            )
        )
        return made
    found = await repository.get(session, known.resource_id)
    if known.request_digest != digest or found is None:
        raise IdempotencyMismatch
    return found


async def get(session: AsyncSession, deployment_id: UUID, *, reader: User) -> Deployment:
    """The reader's deployment; not there and not theirs are the same."""
    found = await repository.readable(session, reader.id, deployment_id)
    if found is None:
        raise DeploymentNotFound
    return found


async def environment(
    session: AsyncSession, environment_id: UUID, *, reader: User
) -> tuple[Project, Environment]:
    found = await repository.readable_environment(session, reader.id, environment_id)
    project = await repository.project(session, found.project_id) if found else None
    if found is None or project is None:
        raise EnvironmentUnknown
    return project, found


async def page(
    session: AsyncSession,
    paging: Paging,
    *,
    reader: User,
    project_id: UUID | None,
    environment_id: UUID | None,
) -> tuple[Sequence[Deployment], str | None]:
    return await repository.page(
        session, reader.id, paging, project_id=project_id, environment_id=environment_id
    )


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
    if await step_rows.has_begun_switch(session, deployment.id):
        raise DeploymentSwitching
    deployment.cancel_requested_at = deployment.cancel_requested_at or now
    return deployment


async def roll_back_to(
    session: AsyncSession, deployment: Deployment, *, by: User, now: datetime
) -> Deployment:
    """Bring back the release a deployment made."""
    project, place = await environment(session, deployment.environment_id, reader=by)
    if deployment.release_id is None:
        raise ReleaseNotFound
    return await roll_back(
        session, project, place, release_id=deployment.release_id, by=by.id, now=now
    )


async def roll_back(
    session: AsyncSession,
    project: Project,
    environment: Environment,
    *,
    by: UUID | None,
    now: datetime,
    release_id: UUID | None = None,
    deployment_id: UUID | None = None,
) -> Deployment:
    """Bring an earlier release back, build and configuration; by default the one before."""
    release = await _chosen(session, environment, release_id, deployment_id)
    if release is None or release.environment_id != environment.id:
        raise ReleaseNotFound
    await variables.check_not_revoked(session, release)
    await _hold(session, release)
    return await request(
        session, project, environment, now=now, by=by, kind=Kind.ROLLBACK, release=release
    )


async def _hold(session: AsyncSession, release: Release) -> None:
    """It stays until this transaction has written down that it is wanted."""
    await session.refresh(release, with_for_update={"read": True})
    if release.removed_at is not None:
        rows = await repository.releases(session, release.environment_id, before=None, limit=None)
        raise ReleaseRemoved(release.number, [one.number for one in rows if not one.removed_at])


async def _chosen(
    session: AsyncSession,
    environment: Environment,
    release_id: UUID | None,
    deployment_id: UUID | None,
) -> Release | None:
    if release_id is None and deployment_id is not None:
        deployment = await repository.get(session, deployment_id)
        release_id = deployment.release_id if deployment else None
        if release_id is None:
            return None
    if release_id is not None:
        return await repository.release_of(session, release_id)
    live = await current(session, environment)
    return await repository.release_before(session, environment.id, live.number)


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
    release = await current(session, environment)
    await _hold(session, release)
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
    release = await current(session, environment)
    _expect(processes, release)
    environment.scale = {**environment.scale, **processes}
    if environment.stopped:
        return None
    await _hold(session, release)
    return await request(
        session, project, environment, now=now, by=by, kind=Kind.RESTART, release=release
    )


async def limit(
    session: AsyncSession,
    project: Project,
    environment: Environment,
    *,
    limits: Mapping[str, Mapping[str, Any]],
    by: UUID | None,
    now: datetime,
) -> Deployment | None:
    """Remember what instances may use; carried out at once where something runs. A type that is
    given nothing goes back to what the plan says.
    """
    release = await current(session, environment)
    _expect(limits, release)
    kept = {**environment.limits, **{name: dict(caps) for name, caps in limits.items()}}
    environment.limits = {name: caps for name, caps in kept.items() if caps}
    if environment.stopped:
        return None
    return await request(
        session, project, environment, now=now, by=by, kind=Kind.RESTART, release=release
    )


def _expect(names: Iterable[str], release: Release) -> None:
    known = [process.name for process in facts.load(Plan, release.plan).processes]
    for name in names:
        if name not in known:
            raise ProcessUnknown(name, known)


async def current(session: AsyncSession, environment: Environment) -> Release:
    """The release its domains lead to, or led to before it was stopped."""
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
    return await step_rows.of(session, deployment.id)


async def running(session: AsyncSession, environment: Environment) -> Sequence[Instance]:
    rows = await instances.living(session, environment.id)
    return [row for row in rows if row.deployment_id is not None]
