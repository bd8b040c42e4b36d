from typing import Annotated
from uuid import UUID

from fastapi import Header, Request
from fastapi.responses import StreamingResponse

from autostack.features.accounts.deps import CurrentReader, CurrentUser, access
from autostack.features.accounts.errors import NotSignedIn
from autostack.features.deployments import service
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
from autostack.features.deployments.schemas import (
    DeploymentCreate,
    DeploymentDetail,
    DeploymentRead,
    InstanceRead,
    Limited,
    Limits,
    ReleaseRead,
    Rollback,
    Scale,
    Scaled,
    StepRead,
)
from autostack.features.environments import service as environments
from autostack.features.environments.errors import EnvironmentNotFound
from autostack.features.events import service as events
from autostack.features.events.errors import EventIdInvalid
from autostack.features.events.hub import Hub
from autostack.features.projects import service as projects
from autostack.features.projects.errors import ProjectNotFound
from autostack.features.teams.deps import router as routes
from autostack.features.uploads import service as uploads
from autostack.features.uploads.errors import UploadNotFound
from autostack.features.variables.errors import ValueRevoked
from autostack.models.deployment import Kind
from autostack.web.deps import Database, Now, Session, Settings, Streams
from autostack.web.pages import Page, PageQuery
from autostack.web.problems import problems

_NO_WAY_BACK = (ReleaseNotFound, ReleaseRemoved, ValueRevoked)

router = routes("deployments")
Key = Annotated[str | None, Header(alias="Idempotency-Key", min_length=1, max_length=255)]
LastEventId = Annotated[str | None, Header(alias="Last-Event-ID", max_length=100)]


@router.post(
    "/deployments",
    responses=problems(
        NotSignedIn, ProjectNotFound, EnvironmentNotFound, UploadNotFound, IdempotencyMismatch
    ),
)
async def create_deployment(
    body: DeploymentCreate,
    user: CurrentUser,
    session: Session,
    settings: Settings,
    now: Now,
    key: Key = None,
) -> DeploymentRead:
    """Queue a deployment and return at once; follow it on its events stream."""
    project = await projects.get(session, body.project_id, reader=user)
    target = await environments.get(session, project, body.environment)
    await uploads.expect(settings.layout, project.id, body.upload)
    made = await service.request_once(
        session,
        project,
        target,
        key=key,
        by=user.id,
        branch=body.branch,
        upload=body.upload,
        now=now(),
    )
    return DeploymentRead.model_validate(made)


@router.get("/deployments", responses=problems(NotSignedIn))
async def list_deployments(
    user: CurrentUser,
    session: Session,
    paging: PageQuery,
    project_id: UUID | None = None,
    environment_id: UUID | None = None,
) -> Page[DeploymentRead]:
    """Newest first."""
    rows, cursor = await service.page(
        session, paging, reader=user, project_id=project_id, environment_id=environment_id
    )
    return Page(items=[DeploymentRead.model_validate(row) for row in rows], next_cursor=cursor)


@router.get("/deployments/{deployment_id}", responses=problems(NotSignedIn, DeploymentNotFound))
async def get_deployment(
    deployment_id: UUID, user: CurrentUser, session: Session
) -> DeploymentDetail:
    """How far it is, and how it ended."""
    found = await service.get(session, deployment_id, reader=user)
    detail = DeploymentDetail.model_validate(found)
    steps = await service.steps(session, found)
    return detail.model_copy(update={"steps": [StepRead.model_validate(row) for row in steps]})


@router.post(
    "/deployments/{deployment_id}/cancel",
    responses=problems(NotSignedIn, DeploymentNotFound, DeploymentFinished, DeploymentSwitching),
)
async def cancel_deployment(
    deployment_id: UUID, user: CurrentUser, session: Session, now: Now
) -> DeploymentRead:
    """End it within two seconds; what serves is not touched."""
    found = await service.get(session, deployment_id, reader=user)
    return DeploymentRead.model_validate(await service.cancel(session, found, now=now()))


@router.post(
    "/deployments/{deployment_id}/rollback",
    responses=problems(
        NotSignedIn, DeploymentNotFound, ReleaseNotFound, ReleaseRemoved, ValueRevoked
    ),
)
async def roll_back_to_deployment(
    deployment_id: UUID, user: CurrentUser, session: Session, now: Now
) -> DeploymentRead:
    """Bring back the release this deployment made, build and configuration."""
    found = await service.get(session, deployment_id, reader=user)
    made = await service.roll_back_to(session, found, by=user, now=now())
    return DeploymentRead.model_validate(made)


@router.get(
    "/deployments/{deployment_id}/events",
    responses=problems(NotSignedIn, DeploymentNotFound, EventIdInvalid),
)
async def follow_deployment(
    deployment_id: UUID,
    request: Request,
    reader: CurrentReader,
    db: Database,
    now: Now,
    streams: Streams,
    last: LastEventId = None,
) -> StreamingResponse:
    """Everything that happens to it, from its beginning or behind Last-Event-ID."""
    async with db.transaction() as session:
        await service.get(session, deployment_id, reader=reader.user)
    hub: Hub = request.app.state.hub
    wanted = events.Wanted(
        access=access(reader, now), deployment_id=deployment_id, after=events.parse_id(last)
    )
    return streams.response(events.follow(db, hub, wanted))


@router.post(
    "/environments/{environment_id}/rollback",
    responses=problems(
        NotSignedIn,
        EnvironmentUnknown,
        NothingDeployed,
        ReleaseNotFound,
        ReleaseRemoved,
        ValueRevoked,
    ),
)
async def roll_back(
    environment_id: UUID, body: Rollback, user: CurrentUser, session: Session, now: Now
) -> DeploymentRead:
    """Bring an earlier release back; without a choice, the one before the current one."""
    place = await service.environment(session, environment_id, reader=user)
    made = await service.roll_back(
        session,
        *place,
        release_id=body.release_id,
        deployment_id=body.deployment_id,
        by=user.id,
        now=now(),
    )
    if body.pause_auto_deploy:
        await environments.pause_after_rollback(session, *place, by=user, now=now())
    return DeploymentRead.model_validate(made)


@router.post(
    "/environments/{environment_id}/restart",
    responses=problems(NotSignedIn, EnvironmentUnknown, NothingDeployed),
)
async def restart(
    environment_id: UUID, user: CurrentUser, session: Session, now: Now
) -> DeploymentRead:
    """The same release in new instances, without a failed request."""
    place = await service.environment(session, environment_id, reader=user)
    made = await service.again(session, *place, kind=Kind.RESTART, by=user.id, now=now())
    return DeploymentRead.model_validate(made)


@router.post(
    "/environments/{environment_id}/start",
    responses=problems(NotSignedIn, EnvironmentUnknown, NothingDeployed),
)
async def start(
    environment_id: UUID, user: CurrentUser, session: Session, now: Now
) -> DeploymentRead:
    """Run what was stopped."""
    place = await service.environment(session, environment_id, reader=user)
    made = await service.again(session, *place, kind=Kind.RESTART, by=user.id, now=now())
    return DeploymentRead.model_validate(made)


@router.post(
    "/environments/{environment_id}/stop",
    responses=problems(NotSignedIn, EnvironmentUnknown, NothingDeployed),
)
async def stop(
    environment_id: UUID, user: CurrentUser, session: Session, now: Now
) -> DeploymentRead:
    """End its instances; its address says that it is stopped."""
    place = await service.environment(session, environment_id, reader=user)
    made = await service.again(session, *place, kind=Kind.STOP, by=user.id, now=now())
    return DeploymentRead.model_validate(made)


@router.put(
    "/environments/{environment_id}/limits",
    responses=problems(NotSignedIn, EnvironmentUnknown, NothingDeployed, ProcessUnknown),
)
async def limit(
    environment_id: UUID, body: Limits, user: CurrentUser, session: Session, now: Now
) -> Limited:
    """How much memory and processor each instance of a process type may use."""
    project, place = await service.environment(session, environment_id, reader=user)
    wanted = {name: caps.model_dump(exclude_none=True) for name, caps in body.processes.items()}
    made = await service.limit(session, project, place, limits=wanted, by=user.id, now=now())
    return Limited.model_validate(
        {"processes": place.limits, "deployment": made and DeploymentRead.model_validate(made)}
    )


@router.put(
    "/environments/{environment_id}/scale",
    responses=problems(NotSignedIn, EnvironmentUnknown, NothingDeployed, ProcessUnknown),
)
async def scale(
    environment_id: UUID, body: Scale, user: CurrentUser, session: Session, now: Now
) -> Scaled:
    """How many instances of each process type run."""
    project, place = await service.environment(session, environment_id, reader=user)
    made = await service.scale(
        session, project, place, processes=body.processes, by=user.id, now=now()
    )
    deployment = DeploymentRead.model_validate(made) if made else None
    return Scaled(processes=place.scale, deployment=deployment)


@router.get(
    "/environments/{environment_id}/instances",
    responses=problems(NotSignedIn, EnvironmentUnknown),
)
async def list_instances(
    environment_id: UUID, user: CurrentUser, session: Session
) -> Page[InstanceRead]:
    """What runs there, as it was last seen."""
    _, place = await service.environment(session, environment_id, reader=user)
    rows = await service.running(session, place)
    return Page(items=[InstanceRead.model_validate(row) for row in rows])


@router.get(
    "/environments/{environment_id}/releases",
    responses=problems(NotSignedIn, EnvironmentUnknown),
)
async def list_releases(
    environment_id: UUID, user: CurrentUser, session: Session, before: int | None = None
) -> Page[ReleaseRead]:
    """Newest first; `before` is a release number, for the next page."""
    _, place = await service.environment(session, environment_id, reader=user)
    rows = await service.releases(session, place, before=before, limit=50)
    current = await service.current_release(session, place)
    shown = [ReleaseRead.model_validate(row) for row in rows]
    marked = [one.model_copy(update={"current": one.id == current}) for one in shown]
    return Page(items=marked)
