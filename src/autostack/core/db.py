"""The one door to PostgreSQL."""

import math
import select
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any, TypeVar
from urllib.parse import urlsplit

from psycopg import AsyncConnection
from psycopg.abc import PQGen
from psycopg.rows import TupleRow
from pydantic_core import from_json
from sqlalchemy import event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from autostack.core.fair import FairPool

T = TypeVar("T")

IDLE = 60
"""Seconds after which the embedded server ends a connection that nobody used."""
_STALE = IDLE - 15
"""We stop using it well before, so that it never ends under a query."""


class Database:
    """A pool of connections; each use is one short transaction.

    `url` is a libpq address (`postgresql://…`); the driver is ours to choose. Pool sizes follow
    the connection budget of the embedded server (max_connections 30).
    """

    def __init__(self, url: str, *, pool: int = 4, overflow: int = 2) -> None:
        self.engine = create_async_engine(
            url.replace("postgresql://", "postgresql+psycopg://", 1),
            # Values are secrets or user data; errors end in logs.
            hide_parameters=True,
            # At rest a connection is as `reading` needs it: to change it there and back costs a
            # third of a small query, as does a rollback of nothing.
            isolation_level="AUTOCOMMIT",
            skip_autocommit_rollback=True,
            json_deserializer=from_json,  # half the time of json.loads for small values
            pool_size=pool,
            max_overflow=overflow,
            poolclass=FairPool,
            connect_args=_idle_limit(url),
        )
        event.listen(self.engine.sync_engine, "checkin", _note_time)
        event.listen(self.engine.sync_engine, "checkout", _replace_if_dead)
        together = self.engine.execution_options(isolation_level="READ COMMITTED")
        self._sessions = async_sessionmaker(together, expire_on_commit=False)
        self._reading = async_sessionmaker(self.engine, expire_on_commit=False)

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[AsyncSession]:
        """Commit on the way out, roll back on any exception."""
        async with self._sessions.begin() as session:
            yield session

    @asynccontextmanager
    async def reading(self) -> AsyncGenerator[AsyncSession]:
        """Each statement is a transaction of its own, which spares BEGIN and COMMIT: two of the
        four round trips of a small request. For what reads, and writes one statement at most.
        """
        async with self._reading.begin() as session:
            yield session

    async def close(self) -> None:
        await self.engine.dispose()


class Listener(AsyncConnection[TupleRow]):
    """For waits without an end. psycopg wakes ten times a second while it waits, to hear Ctrl-C;
    asyncio needs no such help.
    """

    async def wait(
        self,
        gen: PQGen[T],
        interval: float = 30.0,
        timeout: float | None = None,  # noqa: ASYNC109 - psycopg's signature
    ) -> T:
        return await super().wait(gen, interval, timeout)


def _idle_limit(url: str) -> dict[str, str]:
    """Someone else's server, or what stands before it, may not know the setting."""
    return {"options": f"-c idle_session_timeout={IDLE}s"} if is_embedded(url) else {}


def is_embedded(url: str) -> bool:
    return urlsplit(url).hostname is None


def _note_time(_connection: object, record: Any) -> None:  # noqa: ANN401
    record.info["used"] = time.monotonic()


def _replace_if_dead(connection: Any, record: Any, _proxy: object) -> None:  # noqa: ANN401
    """An idle connection with something to read was closed by the server. Looking at its socket
    costs microseconds; asking the server on each use would double the time of small requests.
    """
    if time.monotonic() - record.info.get("used", math.inf) > _STALE:
        raise DisconnectionError
    watch = select.poll()
    watch.register(connection.driver_connection.pgconn.socket, select.POLLIN)
    if watch.poll(0):
        raise DisconnectionError
