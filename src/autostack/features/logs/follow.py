"""Streams of log lines. They hold no connection while they wait, and end when the reader may
not read any more.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from autostack.core.clock import Clock
from autostack.core.db import Database
from autostack.core.errors import NotFound
from autostack.core.logs import deployment as entries
from autostack.core.logs import reader
from autostack.core.logs.deployment import Onward
from autostack.features.events.hub import Hub, Waiter
from autostack.features.logs import merge
from autostack.features.logs.merge import Merged, Spring
from autostack.features.logs.schemas import DeploymentLine, RuntimeLine
from autostack.features.logs.service import Begin, entry_read, line_read
from autostack.web.sse import Sse

PACE = 0.1
"""Seconds between two looks at a file: one system call each."""
RECHECK = 5.0
"""Seconds after which the database is asked again, though nothing was heard."""
OVERLAP = 60
"""Milliseconds a line of one instance is held back for an earlier one of another."""
BATCH = 500
"""Lines of an environment in one event at most."""
PIECE = 512 * 1024
"""Characters of a deployment in one event, more or less: a page that shows a long log draws it as
often as one arrives.
"""

T = TypeVar("T")


class Forbidden(Exception):
    """The reader may not read this any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking(Generic[T]):
    """A question to the database whose answer may change while a log is followed.

    `teams` are those the reader may read now, none once the session has ended; `look` raises
    NotFound for what is not the reader's.
    """

    db: Database
    hub: Hub
    teams: Callable[[AsyncSession], Awaitable[frozenset[UUID]]]
    look: Callable[[AsyncSession], Awaitable[T]]

    @contextmanager
    def open(self) -> Generator["_Asker[T]"]:
        with self.hub.waiter() as waiter:
            yield _Asker(self, waiter)


class _Asker(Generic[T]):
    """Asks again when something was heard, and now and then."""

    def __init__(self, asking: Asking[T], waiter: Waiter) -> None:
        self._asking = asking
        self._waiter = waiter
        self._again_at = 0.0

    async def answer(self, known: T) -> T:
        """The answer of now; `known` while nothing was heard."""
        now = asyncio.get_running_loop().time()
        if now < self._again_at and not self._waiter.woken.is_set():
            return known
        self._waiter.woken.clear()
        self._again_at = now + RECHECK
        async with self._asking.db.reading() as session:
            self._waiter.teams = await self._asking.teams(session)
            if not self._waiter.teams:
                raise Forbidden
            try:
                return await self._asking.look(session)
            except NotFound as error:
                raise Forbidden from error


async def deployment(
    asking: Asking[str | None], path: Path, place: int, *, batch: bool = False
) -> AsyncGenerator[Sse]:
    """Lines as they come; `end` with the status when it is over and everything was sent."""
    status: str | None = None
    seen = -1
    onward = Onward(path, place)
    with asking.open() as asker, closing(onward):
        while True:
            over = status
            try:
                status = over or await asker.answer(None)
            except Forbidden:
                return
            size = entries.length(path)
            found = await asyncio.to_thread(_new_entries, onward) if size != seen else []
            for event in _sent(found, batch=batch):
                yield event
            if onward.unread:
                continue
            # Only what was read after it was over is known to be everything.
            if over:
                yield Sse(event="end", data={"status": over})
                return
            seen = size
            await asyncio.sleep(PACE)


async def environment(
    asking: Asking[Sequence[Spring]], begin: Begin, clock: Clock, *, batch: bool = False
) -> AsyncGenerator[Sse]:
    """Lines of all instances as they come, merged by time, behind those to begin with."""
    springs, places = begin.springs, begin.places
    for event in _sent([line_read(one) for one in begin.lines], batch=batch):
        yield event
    with asking.open() as asker:
        while True:
            try:
                springs = await asker.answer(springs)
            except Forbidden:
                return
            found = await _new_lines(springs, places, clock)
            for event in _sent([line_read(one) for one in found], batch=batch):
                yield event
            places = merge.advanced(places, found)
            if len(found) < BATCH:
                await asyncio.sleep(PACE)


def _sent(lines: Sequence[DeploymentLine | RuntimeLine], *, batch: bool) -> Iterator[Sse]:
    """One by one; or all in one event under the id of the last, for readers of many."""
    if batch and lines:
        yield Sse(event="lines", id=lines[-1].id, data=lines)
        return
    for line in lines:
        yield Sse(id=line.id, data=line)


def _new_entries(onward: Onward) -> list[DeploymentLine]:
    return [entry_read(one) for one in onward.more(limit=PIECE)]


async def _new_lines(springs: Sequence[Spring], places: merge.Places, clock: Clock) -> list[Merged]:
    now = int(clock().timestamp() * 1000)
    grown = [one for one in springs if reader.grown(one.folder, places.get(one.id, reader.START))]
    if not grown:
        return []
    until = now - OVERLAP if len(springs) > 1 else None
    return await asyncio.to_thread(merge.forward, grown, places, limit=BATCH, until=until)
