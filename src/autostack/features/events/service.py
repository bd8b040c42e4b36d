"""What happened: written in the transaction in which it happened, read in one fixed order."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, or_
from sqlalchemy.ext.asyncio import AsyncSession

from autostack.core.db import Database
from autostack.engine.release import Status
from autostack.features.events import repository
from autostack.features.events.errors import EventIdInvalid
from autostack.features.events.hub import Hub, Waiter
from autostack.features.events.schemas import EventRead
from autostack.models.event import Event
from autostack.web.sse import Sse

Position = tuple[int, int]
Access = Callable[[AsyncSession], Awaitable[frozenset[UUID]]]
"""The teams a reader may read now; an empty set ends the stream."""

ROUTINE = (
    "deployment.evidence",
    "deployment.queue",
    "deployment.settled",
    "deployment.step",
    "deployment.watch",
    "run.status",
)
"""What happens by itself after somebody asked for something."""
ENDED = (Status.SUCCESS, Status.FAILED, Status.CANCELED, Status.SUPERSEDED)
_BATCH = 200
_RECHECK = timedelta(seconds=5)
"""Nobody who lost access reads on for longer, whatever else fails."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which events a stream carries. `deployment_id` narrows it to one deployment."""

    access: Access
    deployment_id: UUID | None = None
    after: Position | None = None
    """Resume behind this event; None begins now, or for a deployment at its first event."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """Which of what happened is wanted. `kind` may be a beginning, as `account.`; `teams` None
    is all of them, else those, and what `person` did or suffered. `changes` leaves out what runs
    by itself between a decision and its end.
    """

    kind: str | None = None
    actor_id: UUID | None = None
    project_id: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None
    changes: bool = False
    teams: frozenset[UUID] | None = None
    person: UUID | None = None
    before: int | None = None
    limit: int = _BATCH

    def within(self, *, teams: frozenset[UUID], person: UUID) -> "Search":
        return replace(self, teams=teams, person=person)

    def behind(self, before: int | None, *, limit: int | None = None) -> "Search":
        return replace(self, before=before, limit=limit or self.limit)


async def history(
    session: AsyncSession, wanted: Search
) -> Sequence[tuple[Event, str | None, str | None]]:
    """Events of the past with their actors' addresses and projects' names, newest first."""
    conditions = list(_conditions(wanted))
    return await repository.history(session, conditions, reader=wanted.person, limit=wanted.limit)


def _conditions(wanted: Search) -> Iterator[ColumnElement[bool]]:
    yield from _kinds(wanted)
    if wanted.actor_id is not None:
        yield Event.actor_id == wanted.actor_id
    if wanted.project_id is not None:
        yield Event.project_id == wanted.project_id
    if wanted.since is not None:
        yield Event.at >= wanted.since
    if wanted.until is not None:
        yield Event.at < wanted.until
    if wanted.teams is not None:
        yield or_(Event.team_id.in_(sorted(wanted.teams)), Event.actor_id == wanted.person)
    if wanted.before is not None:
        yield Event.id < wanted.before


def _kinds(wanted: Search) -> Iterator[ColumnElement[bool]]:
    if wanted.kind is not None:
        beginning = wanted.kind.endswith(".")
        yield (
            Event.kind.startswith(wanted.kind, autoescape=True)
            if beginning
            else (Event.kind == wanted.kind)
        )
    if wanted.changes:
        yield Event.kind.not_in(ROUTINE)
        ended = Event.data["status"].astext.in_(ENDED)
        yield or_(Event.kind != "deployment.status", ended)


async def emit(
    session: AsyncSession,
    kind: str,
    *,
    team_id: UUID | None,
    now: datetime,
    project_id: UUID | None = None,
    deployment_id: UUID | None = None,
    actor_id: UUID | None = None,
    data: dict[str, Any] | None = None,
) -> None:
    """Record an event in the caller's transaction; readers hear of it when that commits."""
    await repository.add(
        session,
        kind,
        team_id=team_id,
        project_id=project_id,
        deployment_id=deployment_id,
        actor_id=actor_id,
        data=data or {},
        at=now,
    )


def parse_id(text: str | None) -> Position | None:
    """The position a Last-Event-ID names; None without one."""
    if not text:
        return None
    xid, _, row = text.partition("-")
    if not (xid.isascii() and xid.isdigit() and row.isascii() and row.isdigit()):
        raise EventIdInvalid
    position = int(xid[:20]), int(row[:20])
    if max(position) >= 2**63:
        raise EventIdInvalid
    return position


async def follow(
    db: Database, hub: Hub, wanted: Wanted, *, recheck: timedelta = _RECHECK
) -> AsyncGenerator[Sse]:
    """Events as they become complete, for as long as the reader has access. Holds no connection
    while it waits.
    """
    position = wanted.after
    with hub.waiter() as waiter:
        while True:
            waiter.woken.clear()
            async with db.reading() as session:
                waiter.teams = await wanted.access(session)
                position = position or await _start(session, wanted)
                found = await _read(session, position, waiter.teams, wanted)
            if not waiter.teams:
                return
            for event in found:
                position = event.xid, event.id
                yield _render(event)
            if len(found) < _BATCH:
                await _woken(waiter, recheck)


async def _woken(waiter: Waiter, recheck: timedelta) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(recheck.total_seconds()):
            await waiter.woken.wait()


async def _start(session: AsyncSession, wanted: Wanted) -> Position:
    return (0, 0) if wanted.deployment_id else await repository.end(session)


async def _read(
    session: AsyncSession, position: Position, teams: frozenset[UUID], wanted: Wanted
) -> list[Event]:
    if not teams:
        return []
    found = await repository.after(
        session,
        position,
        teams=sorted(teams),
        deployment_id=wanted.deployment_id,
        limit=_BATCH,
    )
    return list(found)


def _render(event: Event) -> Sse:
    data = EventRead.model_validate(event).model_dump(mode="json")
    return Sse(id=f"{event.xid}-{event.id}", event=event.kind, data=data)
