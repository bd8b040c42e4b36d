from typing import Annotated
from uuid import UUID

from fastapi import Query

from autostack.features.accounts.deps import CurrentReader, CurrentUser
from autostack.features.accounts.errors import NotSignedIn
from autostack.features.projects import service
from autostack.features.projects.errors import (
    DatabaseUnavailable,
    ProjectNameTaken,
    ProjectNotFound,
    ProjectsExhausted,
    RepositoryUrlInvalid,
)
from autostack.features.projects.schemas import (
    CredentialWrite,
    DeployKey,
    Overrides,
    ProjectCreate,
    ProjectMove,
    ProjectRead,
    ProjectUpdate,
    Removed,
)
from autostack.features.teams.deps import router as routes
from autostack.features.teams.errors import RoleTooLow, TeamNotFound
from autostack.models.project import Project
from autostack.web.deps import Now, Sealer, Session
from autostack.web.pages import CursorInvalid, Page, PageQuery
from autostack.web.problems import problems

router = routes("projects", prefix="/projects")


@router.get("", responses=problems(NotSignedIn, CursorInvalid))
async def list_projects(
    reader: CurrentReader,
    session: Session,
    paging: PageQuery,
    name: Annotated[str | None, Query(max_length=80)] = None,
) -> Page[ProjectRead]:
    """Your projects, newest first; `name` asks for one by its name."""
    rows, cursor = await service.page(
        session, paging, reader=reader.user, name=name, only=reader.only_project
    )
    return Page(items=[read(row) for row in rows], next_cursor=cursor)


@router.post(
    "",
    responses=problems(
        NotSignedIn,
        RoleTooLow,
        TeamNotFound,
        ProjectNameTaken,
        ProjectsExhausted,
        DatabaseUnavailable,
        RepositoryUrlInvalid,
    ),
)
async def create_project(
    body: ProjectCreate, user: CurrentUser, session: Session, now: Now
) -> ProjectRead:
    """Make a project and its production environment; deploy it with POST /deployments."""
    project = await service.create(
        session,
        name=body.name,
        repo_url=body.repo_url,
        by=user,
        now=now(),
        description=body.description,
        language=body.language,
        framework=body.framework,
        database=body.database,
        overrides=body.overrides.model_dump(exclude_none=True),
        team_id=body.team_id,
    )
    return read(project)


@router.get("/{project_id}", responses=problems(NotSignedIn, ProjectNotFound))
async def get_project(project_id: UUID, user: CurrentUser, session: Session) -> ProjectRead:
    return read(await service.get(session, project_id, reader=user))


@router.patch(
    "/{project_id}",
    responses=problems(NotSignedIn, ProjectNotFound, ProjectNameTaken, RepositoryUrlInvalid),
)
async def update_project(
    project_id: UUID, body: ProjectUpdate, user: CurrentUser, session: Session, now: Now
) -> ProjectRead:
    """Change a project. Its addresses stay as they are."""
    project = await service.get(session, project_id, reader=user)
    changes = body.model_dump(exclude_unset=True, exclude_none=True)
    return read(await service.update(session, project, changes, by=user, now=now()))


@router.delete("/{project_id}", responses=problems(NotSignedIn, ProjectNotFound))
async def remove_project(
    project_id: UUID, user: CurrentUser, session: Session, now: Now
) -> Removed:
    """End everything of this project and forget it."""
    project = await service.get(session, project_id, reader=user)
    await service.remove(session, project, by=user, now=now())
    return Removed()


@router.post(
    "/{project_id}/move",
    responses=problems(NotSignedIn, RoleTooLow, ProjectNotFound, TeamNotFound, ProjectNameTaken),
)
async def move_project(
    project_id: UUID, body: ProjectMove, user: CurrentUser, session: Session, now: Now
) -> ProjectRead:
    """Give it to another team of yours, as it runs. Its production becomes protected there, unless
    that is your personal team.
    """
    project = await service.get(session, project_id, reader=user)
    return read(await service.move(session, project, team_id=body.team_id, by=user, now=now()))


@router.put("/{project_id}/credential", responses=problems(NotSignedIn, ProjectNotFound))
async def set_credential(
    project_id: UUID,
    body: CredentialWrite,
    user: CurrentUser,
    session: Session,
    sealer: Sealer,
    now: Now,
) -> ProjectRead:
    """Keep a token for a private repository. It replaces a deploy key."""
    project = await service.get(session, project_id, reader=user)
    await service.set_token(
        session,
        project,
        username=body.username,
        token=body.token,
        sealer=sealer,
        by=user,
        now=now(),
    )
    return read(project)


@router.delete("/{project_id}/credential", responses=problems(NotSignedIn, ProjectNotFound))
async def forget_credential(
    project_id: UUID, user: CurrentUser, session: Session, now: Now
) -> ProjectRead:
    """Forget the token or deploy key."""
    project = await service.get(session, project_id, reader=user)
    await service.forget_credential(session, project, by=user, now=now())
    return read(project)


@router.post("/{project_id}/deploy-key", responses=problems(NotSignedIn, ProjectNotFound))
async def make_deploy_key(
    project_id: UUID, user: CurrentUser, session: Session, sealer: Sealer, now: Now
) -> DeployKey:
    """Make a key for a private repository over ssh. Give the forge the public half."""
    project = await service.get(session, project_id, reader=user)
    public = await service.make_key(session, project, sealer=sealer, by=user, now=now())
    return DeployKey(deploy_key=public)


def read(project: Project) -> ProjectRead:
    """As every call shows it."""
    return ProjectRead(
        id=project.id,
        team_id=project.team_id,
        name=project.name,
        slug=project.slug,
        description=project.description,
        repo_url=project.repo_url,
        language=project.language,
        framework=project.framework,
        database=project.database,
        overrides=Overrides.model_validate(project.overrides),
        has_credential=project.credential is not None,
        deploy_key=project.deploy_key,
        created_at=project.created_at,
        updated_at=project.updated_at,
    )
