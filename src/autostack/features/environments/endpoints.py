from uuid import UUID

from autostack.core import domain
from autostack.core.settings import Settings as SettingsValue
from autostack.features.accounts.deps import CurrentUser
from autostack.features.accounts.errors import NotSignedIn
from autostack.features.environments import service
from autostack.features.environments.errors import (
    EnvironmentExists,
    EnvironmentNotFound,
    EnvironmentsExhausted,
    ProductionStays,
)
from autostack.features.environments.schemas import (
    EnvironmentChange,
    EnvironmentCreate,
    EnvironmentList,
    EnvironmentRead,
    Watching,
)
from autostack.features.projects import service as projects
from autostack.features.projects.errors import ProjectNotFound
from autostack.features.projects.schemas import Caps, Removed
from autostack.features.teams.deps import router as routes
from autostack.models.environment import Environment
from autostack.web.deps import Now, Session, Settings
from autostack.web.problems import problems

router = routes("environments", prefix="/projects/{project_id}/environments")


@router.get("", responses=problems(NotSignedIn, ProjectNotFound))
async def list_environments(
    project_id: UUID, user: CurrentUser, session: Session, settings: Settings
) -> EnvironmentList:
    """Where this project runs, oldest first."""
    project = await projects.get(session, project_id, reader=user)
    rows = await service.of_project(session, project)
    return EnvironmentList(items=[read(row, settings) for row in rows])


@router.post(
    "", responses=problems(NotSignedIn, ProjectNotFound, EnvironmentExists, EnvironmentsExhausted)
)
async def create_environment(
    project_id: UUID,
    body: EnvironmentCreate,
    user: CurrentUser,
    session: Session,
    settings: Settings,
    now: Now,
) -> EnvironmentRead:
    """Make a place with variables and an address of its own."""
    project = await projects.get(session, project_id, reader=user)
    made = await service.create(
        session, project, name=body.name, branch=body.branch, by=user, now=now()
    )
    return read(made, settings)


@router.patch("/{name}", responses=problems(NotSignedIn, ProjectNotFound, EnvironmentNotFound))
async def change_environment(
    project_id: UUID,
    name: str,
    body: EnvironmentChange,
    user: CurrentUser,
    session: Session,
    settings: Settings,
    now: Now,
) -> EnvironmentRead:
    """Set its branch, how new releases are watched from the next deployment on, whether pushes
    deploy it, and whether it is protected.
    """
    project = await projects.get(session, project_id, reader=user)
    environment = await service.get(session, project, name)
    fields = body.model_dump(exclude_unset=True, mode="json")
    await service.change(session, project, environment, fields=fields, by=user, now=now())
    return read(environment, settings)


@router.delete(
    "/{name}",
    responses=problems(NotSignedIn, ProjectNotFound, EnvironmentNotFound, ProductionStays),
)
async def remove_environment(
    project_id: UUID, name: str, user: CurrentUser, session: Session, now: Now
) -> Removed:
    """End what runs there and forget it."""
    project = await projects.get(session, project_id, reader=user)
    environment = await service.get(session, project, name)
    await service.remove(session, project, environment, by=user, now=now())
    return Removed()


def read(environment: Environment, settings: SettingsValue) -> EnvironmentRead:
    """As every call shows it."""
    return EnvironmentRead(
        id=environment.id,
        project_id=environment.project_id,
        name=environment.name,
        branch=environment.branch,
        hostname=environment.hostname,
        url=_url(environment, settings),
        scale=environment.scale,
        watch=Watching.model_validate(environment.watch),
        limits={name: Caps.model_validate(caps) for name, caps in environment.limits.items()},
        stopped=environment.stopped,
        auto_deploy=environment.pause is None,
        protected=environment.protected,
        created_at=environment.created_at,
    )


def _url(environment: Environment, settings: SettingsValue) -> str:
    return domain.place(
        environment.hostname,
        environment.loopback,
        domain=domain.apps_domain(settings.base_domain),
        edge_port=settings.edge_port,
    )
