from typing import Annotated
from uuid import UUID

from fastapi import Query
from sqlalchemy.ext.asyncio import AsyncSession

from autostack.features.accounts.deps import CurrentUser
from autostack.features.accounts.errors import NotSignedIn
from autostack.features.environments import service as environments
from autostack.features.environments.errors import EnvironmentNotFound
from autostack.features.projects import service as projects
from autostack.features.projects.errors import ProjectNotFound
from autostack.features.teams.deps import router as routes
from autostack.features.variables import service
from autostack.features.variables.errors import (
    DotenvInvalid,
    VariableNotFound,
    VariableReserved,
    VariablesTooLarge,
)
from autostack.features.variables.schemas import (
    VariableList,
    VariableRead,
    VariableRemoved,
    VariablesWrite,
    VariableWrite,
)
from autostack.models.environment import Environment
from autostack.web.deps import Now, Sealer, Session
from autostack.web.problems import problems

router = routes("variables", prefix="/projects/{project_id}/environments/{environment}/variables")
Revoke = Annotated[
    bool, Query(description="Also keep releases that carry it from being brought back.")
]
_MISSING = (NotSignedIn, ProjectNotFound, EnvironmentNotFound)


@router.get("", responses=problems(*_MISSING))
async def list_variables(
    project_id: UUID, environment: str, user: CurrentUser, session: Session
) -> VariableList:
    """Names and versions; values are never shown."""
    project = await projects.get(session, project_id, reader=user)
    found = await environments.get(session, project, environment)
    return await _list(session, found)


@router.put("", responses=problems(*_MISSING, DotenvInvalid, VariableReserved, VariablesTooLarge))
async def set_variables(
    project_id: UUID,
    environment: str,
    body: VariablesWrite,
    user: CurrentUser,
    session: Session,
    sealer: Sealer,
    now: Now,
) -> VariableList:
    """Set many at once from the text of a `.env` file. They count from the next deployment on."""
    project = await projects.get(session, project_id, reader=user)
    found = await environments.get(session, project, environment)
    await service.put_dotenv(
        session,
        project,
        found,
        body.dotenv,
        sealer=sealer,
        by=user,
        now=now(),
        replace=body.replace,
    )
    return await _list(session, found)


@router.put("/{name}", responses=problems(*_MISSING, VariableReserved, VariablesTooLarge))
async def set_variable(
    project_id: UUID,
    environment: str,
    name: str,
    body: VariableWrite,
    user: CurrentUser,
    session: Session,
    sealer: Sealer,
    now: Now,
) -> VariableList:
    """Set one. It counts from the next deployment on."""
    project = await projects.get(session, project_id, reader=user)
    found = await environments.get(session, project, environment)
    values = {name: body.value}
    await service.put(session, project, found, values, sealer=sealer, by=user, now=now())
    return await _list(session, found)


@router.delete("/{name}", responses=problems(*_MISSING, VariableNotFound))
async def remove_variable(
    project_id: UUID,
    environment: str,
    name: str,
    user: CurrentUser,
    session: Session,
    now: Now,
    *,
    revoke: Revoke = False,
) -> VariableRemoved:
    """Remove one."""
    project = await projects.get(session, project_id, reader=user)
    found = await environments.get(session, project, environment)
    await service.remove(session, project, found, name, by=user, now=now(), revoke=revoke)
    return VariableRemoved()


async def _list(session: AsyncSession, environment: Environment) -> VariableList:
    rows = await service.of_environment(session, environment)
    return VariableList(items=[VariableRead.model_validate(row) for row in rows])
