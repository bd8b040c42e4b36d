"""What a dashboard shows of many things at once, and what changes of it."""

from collections.abc import AsyncGenerator
from dataclasses import replace
from typing import Annotated, Any
from uuid import UUID

from fastapi import Header, Request
from fastapi.responses import StreamingResponse

from autostack.core.db import Database as DatabaseValue
from autostack.core.settings import Settings as SettingsValue
from autostack.features.accounts.deps import CurrentReader, CurrentUser, access
from autostack.features.accounts.errors import NotSignedIn
from autostack.features.deployments import service as deployments
from autostack.features.deployments.errors import DeploymentNotFound
from autostack.features.deployments.schemas import (
    DeploymentDetail,
    DeploymentRead,
    InstanceRead,
    StepRead,
)
from autostack.features.environments import endpoints as environments
from autostack.features.events import service as events
from autostack.features.events.errors import EventIdInvalid
from autostack.features.events.hub import Hub
from autostack.features.overview import service
from autostack.features.overview.schemas import EnvironmentNow, ProjectNow, ProjectOverview
from autostack.features.projects import endpoints as project_endpoints
from autostack.features.projects import service as projects
from autostack.features.projects.errors import ProjectNotFound
from autostack.features.teams.deps import router as routes
from autostack.models.project import Project
from autostack.models.user import User
from autostack.web.deps import Database, Now, Session, Settings, Streams
from autostack.web.pages import CursorInvalid, Page, PageQuery
from autostack.web.problems import problems
from autostack.web.sse import Sse

router = routes("overview")

_STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Server-sent events: `event` is the kind, `data` an EventRead with the "
        "whole `deployment` it is about.",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    }
}


@router.get("/overview", responses=problems(NotSignedIn, CursorInvalid))
async def list_overview(
    user: CurrentUser, session: Session, paging: PageQuery, settings: Settings, now: Now
) -> Page[ProjectNow]:
    """Your projects, newest first, each with what serves, what was tried last, and its visitors."""
    rows, cursor = await projects.page(session, paging, reader=user)
    found = await service.look(session, [row.id for row in rows], now=now())
    items = [_project(row, found[row.id], settings) for row in rows]
    return Page(items=items, next_cursor=cursor)


@router.get("/projects/{project_id}/overview", responses=problems(NotSignedIn, ProjectNotFound))
async def get_overview(
    project_id: UUID, user: CurrentUser, session: Session, settings: Settings, now: Now
) -> ProjectOverview:
    """How one project stands: each environment with what serves, runs, and was tried last, and
    the newest deployments of all of them.
    """
    project = await projects.get(session, project_id, reader=user)
    found = await service.look(session, [project.id], now=now())
    recent = await service.recent(session, project.id)
    return ProjectOverview(
        **dict(_project(project, found[project.id], settings)),
        recent=[DeploymentRead.model_validate(one) for one in recent],
    )


@router.get(
    "/overview/events",
    response_class=StreamingResponse,
    responses={**_STREAM, **problems(NotSignedIn, EventIdInvalid)},
)
async def stream_overview(
    request: Request,
    reader: CurrentReader,
    db: Database,
    streams: Streams,
    now: Now,
    last_event_id: Annotated[str | None, Header(max_length=60)] = None,
) -> StreamingResponse:
    """As GET /events, with the whole deployment beside what happened to it: whoever shows it
    need not ask again.
    """
    hub: Hub = request.app.state.hub
    wanted = events.Wanted(access=access(reader, now), after=events.parse_id(last_event_id))
    return streams.response(_whole(db, events.follow(db, hub, wanted), reader.user))


async def _whole(db: DatabaseValue, found: AsyncGenerator[Sse], user: User) -> AsyncGenerator[Sse]:
    async for event in found:
        about = event.data["deployment_id"]
        shown = await _deployment(db, UUID(about), user) if about else None
        yield replace(event, data={**event.data, "deployment": shown})


async def _deployment(db: DatabaseValue, deployment_id: UUID, user: User) -> Any:  # noqa: ANN401
    """As it is now; None when it has gone since."""
    async with db.reading() as session:
        try:
            row = await deployments.get(session, deployment_id, reader=user)
        except DeploymentNotFound:
            return None
        steps = [StepRead.model_validate(one) for one in await deployments.steps(session, row)]
        detail = DeploymentDetail.model_validate(row)
    return detail.model_copy(update={"steps": steps}).model_dump(mode="json")


def _project(project: Project, now: service.Now, settings: SettingsValue) -> ProjectNow:
    return ProjectNow(
        project=project_endpoints.read(project),
        environments=[_place(one, settings) for one in now.places],
        requests=list(now.requests),
    )


def _place(place: service.Place, settings: SettingsValue) -> EnvironmentNow:
    serving = place.serving and DeploymentRead.model_validate(place.serving)
    same = place.latest is place.serving
    return EnvironmentNow(
        environment=environments.read(place.environment, settings),
        serving=serving,
        latest=serving if same else place.latest and DeploymentRead.model_validate(place.latest),
        instances=[InstanceRead.model_validate(one) for one in place.instances],
    )
