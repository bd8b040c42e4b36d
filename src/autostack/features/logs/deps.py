"""What both logs need: who reads, what is asked for, and where it lies."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, TypeVar
from uuid import UUID

from fastapi import Depends, Header, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import AwareDatetime
from sqlalchemy.ext.asyncio import AsyncSession

from autostack.core.clock import Clock
from autostack.core.db import Database as DatabaseValue
from autostack.core.home import Home
from autostack.features.accounts.deps import WaitingReader, access
from autostack.features.events.hub import Hub
from autostack.features.logs import service
from autostack.features.logs.follow import Asking
from autostack.models.user import User
from autostack.web.deps import Database, Now, Settings, Streams
from autostack.web.sse import Sse
from autostack.web.sse import Streams as StreamsValue

T = TypeVar("T")

Place = Annotated[str | None, Query(max_length=100, description="The id of a line.")]
Limit = Annotated[int, Query(ge=1, le=5000)]
Tail = Annotated[int | None, Query(ge=1, le=5000, description="The last so many lines.")]
Last = Annotated[str | None, Header(alias="Last-Event-ID", max_length=100)]
Accept = Annotated[str, Header()]
Batch = Annotated[
    bool, Query(description="Streams: `lines` events, whose data is a list of lines.")
]
Process = Annotated[str | None, Query(max_length=63)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingValue:
    """One reader at the logs of this platform. `live` asks for a stream, `batch` for events of
    many lines, which are `packed` for whoever accepts that.
    """

    user: User
    teams: Callable[[AsyncSession], Awaitable[frozenset[UUID]]]
    home: Home
    db: DatabaseValue
    hub: Hub
    clock: Clock
    streams: StreamsValue
    live: bool
    batch: bool
    packed: bool

    async def once(self, look: Callable[[AsyncSession], Awaitable[T]]) -> T:
        async with self.db.reading() as session:
            return await look(session)

    def asking(self, look: Callable[[AsyncSession], Awaitable[T]]) -> Asking[T]:
        return Asking(db=self.db, hub=self.hub, teams=self.teams, look=look)

    def stream(self, events: AsyncIterator[Sse]) -> StreamingResponse:
        return self.streams.response(events, packed=self.batch and self.packed)


async def _reading(
    request: Request,
    reader: WaitingReader,
    db: Database,
    settings: Settings,
    now: Now,
    streams: Streams,
    accept: Accept = "",
    batch: Batch = False,  # noqa: FBT002 - a query parameter
) -> ReadingValue:
    return ReadingValue(
        user=reader.user,
        teams=access(reader, now),
        home=settings.layout,
        db=db,
        hub=request.app.state.hub,
        clock=now,
        streams=streams,
        live="text/event-stream" in accept,
        batch=batch,
        packed="gzip" in request.headers.get("accept-encoding", ""),
    )


async def _asked(
    cursor: Place = None,
    before: Place = None,
    limit: Limit = 1000,
    tail: Tail = None,
    last: Last = None,
) -> service.Asked:
    return service.Asked(limit=limit, after=last or cursor, before=before, tail=tail)


async def _filter(
    process: Process = None, instance_id: UUID | None = None, since: AwareDatetime | None = None
) -> service.Filter:
    return service.Filter(process=process, instance_id=instance_id, since=since)


Reading = Annotated[ReadingValue, Depends(_reading)]
Asked = Annotated[service.Asked, Depends(_asked)]
Filter = Annotated[service.Filter, Depends(_filter)]
