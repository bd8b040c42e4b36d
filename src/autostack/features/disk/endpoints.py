import asyncio
from uuid import UUID

from autostack.core import space
from autostack.features.accounts.deps import CurrentUser
from autostack.features.accounts.errors import NotSignedIn
from autostack.features.disk import service
from autostack.features.disk.errors import AdministratorOnly
from autostack.features.disk.schemas import ProjectDisk, ServerDisk
from autostack.features.projects import service as projects
from autostack.features.projects.errors import ProjectNotFound
from autostack.features.teams.deps import router as routes
from autostack.web.deps import Now, Session, Settings
from autostack.web.problems import problems

router = routes("disk")


@router.get("/projects/{project_id}/disk", responses=problems(NotSignedIn, ProjectNotFound))
async def get_project_disk(project_id: UUID, user: CurrentUser, session: Session) -> ProjectDisk:
    """What a project holds on the server's disk, as it was measured last."""
    project = await projects.get(session, project_id, reader=user)
    return await service.of_project(session, project)


@router.get("/disk", responses=problems(NotSignedIn, AdministratorOnly))
async def get_disk(user: CurrentUser, session: Session, settings: Settings, now: Now) -> ServerDisk:
    """How full the server's disk is, who fills it, and when it will be full. For the
    administrator.
    """
    service.check_administrator(user)
    seen = await asyncio.to_thread(space.space, settings.home)
    floor = space.floor(seen.total, settings.disk_floor_mb)
    return await service.of_server(session, seen, floor=floor, now=now())
