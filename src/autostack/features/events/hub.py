"""Wakes the streams of this process: one LISTEN connection for all of them."""

import asyncio
import logging
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from psycopg import AsyncConnection, OperationalError
from psycopg.rows import TupleRow

from autostack.core.db import Listener

log = logging.getLogger(__name__)

CHANNEL = "autostack_events"
_HORIZON = "select pg_snapshot_xmin(pg_current_snapshot())::text::bigint"


@dataclass(slots=True, eq=False)
class Waiter:
    """One stream, and the teams it reads at the moment."""

    teams: frozenset[UUID] = frozenset()
    woken: asyncio.Event = field(default_factory=asyncio.Event)


class Hub:
    """Listens while somebody waits. Losing the connection loses no event: waiters ask the
    database, and all are woken when it is back.
    """

    def __init__(
        self,
        url: str,
        *,
        again: timedelta = timedelta(milliseconds=20),
        retry: timedelta = timedelta(seconds=1),
    ) -> None:
        self._url = url
        self._again = again.total_seconds()
        self._retry = retry.total_seconds()
        self._waiters: set[Waiter] = set()
        self._task: asyncio.Task[None] | None = None

    @contextmanager
    def waiter(self) -> Generator[Waiter]:
        waiter = Waiter()
        self._waiters.add(waiter)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())
        try:
            yield waiter
        finally:
            self._waiters.discard(waiter)

    async def close(self) -> None:
        if self._task:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _run(self) -> None:
        while True:
            try:
                await self._listen()
            except OperationalError as error:
                log.warning("Listening for events was interrupted: %s", error)
            await asyncio.sleep(self._retry)

    async def _listen(self) -> None:
        connection = await Listener.connect(
            self._url, autocommit=True, connect_timeout=5, application_name="autostack events"
        )
        async with connection:
            await connection.execute(f"listen {CHANNEL}")
            self._wake(None)
            waiting: dict[int, set[UUID | None]] = {}
            while True:
                await self._collect(connection, waiting)
                await self._release(connection, waiting)

    async def _collect(
        self, connection: AsyncConnection[TupleRow], waiting: dict[int, set[UUID | None]]
    ) -> None:
        """Take what was notified; do not wait long while older transactions are open."""
        timeout = self._again if waiting else None
        async for notice in connection.notifies(timeout=timeout, stop_after=1):
            team, _, xid = notice.payload.partition(":")
            waiting.setdefault(int(xid), set()).add(UUID(team) if team else None)

    async def _release(
        self, connection: AsyncConnection[TupleRow], waiting: dict[int, set[UUID | None]]
    ) -> None:
        """Wake the readers of what every reader now sees."""
        row = await (await connection.execute(_HORIZON)).fetchone()
        assert row is not None
        for xid in [xid for xid in waiting if xid < row[0]]:
            for team in waiting.pop(xid):
                self._wake(team)

    def _wake(self, team: UUID | None) -> None:
        for waiter in self._waiters:
            if team is None or team in waiter.teams:
                waiter.woken.set()
