"""Environments of a project the caller has already loaded for its reader."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from autostack.features.environments import repository
from autostack.features.environments.errors import (
    EnvironmentExists,
    EnvironmentNotFound,
    EnvironmentsExhausted,
    ProductionStays,
)
from autostack.features.events import service as events
from autostack.features.jobs import service as jobs
from autostack.features.projects import service as projects
from autostack.models.environment import Environment
from autostack.models.project import Project
from autostack.models.user import User

PRODUCTION = projects.PRODUCTION
REMOVE = "environment.remove"
MOST = 50
"""Environments of a project."""


async def get(session: AsyncSession, project: Project, name: str) -> Environment:
    """By its name; the error lists the known ones."""
    rows = await repository.of_project(session, project.id)
    for row in rows:
        if row.name == name:
            return row
    raise EnvironmentNotFound(name, [row.name for row in rows])


async def of_project(session: AsyncSession, project: Project) -> Sequence[Environment]:
    return await repository.of_project(session, project.id)


async def create(
    session: AsyncSession,
    project: Project,
    *,
    name: str,
    branch: str | None,
    by: User,
    now: datetime,
) -> Environment:
    # Two at once are told apart by the project's row, which both must lock.
    await session.refresh(project, with_for_update=True)
    if await repository.exists(session, project.id, name):
        raise EnvironmentExists(name)
    if len(await repository.of_project(session, project.id)) >= MOST:
        raise EnvironmentsExhausted(MOST)
    made = await projects.open_environment(session, project, name=name, branch=branch, now=now)
    await _tell(session, project, made, "environment.created", by=by, now=now)
    return made


async def change(
    session: AsyncSession,
    project: Project,
    environment: Environment,
    *,
    fields: Mapping[str, Any],
    by: User,
    now: datetime,
) -> None:
    """Only what is named; `watch` None goes back to what the platform says."""
    if "branch" in fields:
        environment.branch = fields["branch"]
    if "watch" in fields:
        environment.watch = dict(fields["watch"] or {})
    if fields.get("auto_deploy") is not None:
        environment.pause = None if fields["auto_deploy"] else _pause(by, rollback=False)
    if fields.get("protected") is not None:
        environment.protected = fields["protected"]
    await _tell(session, project, environment, "environment.changed", by=by, now=now)


async def pause_after_rollback(
    session: AsyncSession, project: Project, environment: Environment, *, by: User, now: datetime
) -> None:
    """Pushes deploy nothing until somebody says so: the next one would bring back what the
    rollback took away.
    """
    environment.pause = _pause(by, rollback=True)
    await _tell(session, project, environment, "environment.paused", by=by, now=now)


async def paused(session: AsyncSession, environment: Environment) -> str | None:
    """Why pushes deploy nothing there, to follow `paused`; None when they do."""
    if environment.pause is None:
        return None
    email = await repository.email_of(session, UUID(environment.pause["by"]))
    since = "since the rollback " if environment.pause["rollback"] else ""
    return f"{since}by {email or 'somebody whose account is gone'}"


def _pause(by: User, *, rollback: bool) -> dict[str, Any]:
    return {"by": str(by.id), "rollback": rollback}


async def remove(
    session: AsyncSession, project: Project, environment: Environment, *, by: User, now: datetime
) -> None:
    """Hidden at once; a worker ends what runs, then deletes it."""
    if environment.name == PRODUCTION:
        raise ProductionStays
    environment.removed_at = now
    await _ask_to_remove(session, environment.id)
    await _tell(session, project, environment, "environment.removed", by=by, now=now)


async def remove_again(session: AsyncSession, *, before: datetime) -> None:
    """Ask once more for what should be gone since `before`: a job that fails is not repeated."""
    for environment_id in await repository.removed(session, before=before):
        await _ask_to_remove(session, environment_id)


async def _ask_to_remove(session: AsyncSession, environment_id: UUID) -> None:
    lock = f"{REMOVE}:{environment_id}"
    await jobs.enqueue(
        session, REMOVE, lock=lock, queueing_lock=lock, environment_id=environment_id
    )


async def _tell(
    session: AsyncSession,
    project: Project,
    environment: Environment,
    kind: str,
    *,
    by: User,
    now: datetime,
) -> None:
    await events.emit(
        session,
        kind,
        team_id=project.team_id,
        project_id=project.id,
        actor_id=by.id,
        data={"environment": environment.name, "protected": environment.protected},
        now=now,
    )
