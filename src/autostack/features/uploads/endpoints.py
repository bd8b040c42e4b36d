from typing import Annotated, Any
from uuid import UUID

from fastapi import Header, Request
from starlette.requests import ClientDisconnect

from autostack.core.uploads import UploadEmpty, UploadSpaceMissing, UploadTooLarge
from autostack.engine.release import MIB
from autostack.features.accounts.deps import WaitingUser
from autostack.features.accounts.errors import NotSignedIn
from autostack.features.projects import service as projects
from autostack.features.projects.errors import ProjectNotFound
from autostack.features.teams.deps import router as routes
from autostack.features.uploads import service
from autostack.features.uploads.errors import UploadCutOff
from autostack.features.uploads.schemas import UploadRead
from autostack.web.deps import Database, Settings
from autostack.web.problems import problems

router = routes("deployments", prefix="/projects/{project_id}/uploads")

Length = Annotated[int, Header(alias="Content-Length", ge=0, include_in_schema=False)]
PATH = r"/projects/[^/]+/uploads"
"""Whose bodies are large, for the guard."""
_ARCHIVE: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "A tar archive, plain or gzip, of the directory to deploy.",
        "content": {"application/gzip": {"schema": {"type": "string", "format": "binary"}}},
    }
}


@router.post(
    "",
    openapi_extra=_ARCHIVE,
    responses=problems(
        NotSignedIn, ProjectNotFound, UploadTooLarge, UploadEmpty, UploadCutOff, UploadSpaceMissing
    ),
)
async def upload_source(
    project_id: UUID,
    request: Request,
    user: WaitingUser,
    db: Database,
    settings: Settings,
    length: Length = 0,
) -> UploadRead:
    """Send a directory to deploy instead of the repository. The same content is kept once."""
    async with db.transaction() as session:
        project = await projects.get(session, project_id, reader=user)
    limit = settings.source_limit_mb * MIB
    try:
        digest = await service.keep(
            settings.layout, project.id, request.stream(), announced=length, limit=limit
        )
    except ClientDisconnect:
        raise UploadCutOff from None
    return UploadRead(upload=digest)
