"""What happens in your projects, as it happens."""

from typing import Annotated, Any

from fastapi import Header, Request
from fastapi.responses import StreamingResponse

from autostack.features.accounts.deps import CurrentReader, access
from autostack.features.accounts.errors import NotSignedIn
from autostack.features.events import service as events
from autostack.features.events.errors import EventIdInvalid
from autostack.features.events.hub import Hub
from autostack.features.teams.deps import router as routes
from autostack.web.deps import Database, Now, Streams
from autostack.web.problems import problems

router = routes("events")

_STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Server-sent events: `event` is the kind, `data` an EventRead as JSON.",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    }
}


@router.get(
    "/events",
    response_class=StreamingResponse,
    responses={**_STREAM, **problems(NotSignedIn, EventIdInvalid)},
)
async def stream_events(
    request: Request,
    reader: CurrentReader,
    db: Database,
    streams: Streams,
    now: Now,
    last_event_id: Annotated[str | None, Header(max_length=60)] = None,
) -> StreamingResponse:
    """Everything that happens in your teams, from now on or behind Last-Event-ID."""
    hub: Hub = request.app.state.hub
    wanted = events.Wanted(access=access(reader, now), after=events.parse_id(last_event_id))
    return streams.response(events.follow(db, hub, wanted))
