"""The one door to PostgreSQL."""

import select
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import event
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine


class Database:
    """A pool of connections; each use is one short transaction.

    `url` is a libpq address (`postgresql://…`); the driver is ours to choose. Pool sizes follow
    the connection budget of the embedded server (max_connections 30).
    """

    def __init__(self, url: str, *, pool: int = 4, overflow: int = 2) -> None:
        self.engine = create_async_engine(
            url.replace("postgresql://", "postgresql+psycopg://", 1),
            pool_size=pool,
            max_overflow=overflow,
        )
        event.listen(self.engine.sync_engine, "checkout", _replace_if_dead)
        self._sessions = async_sessionmaker(self.engine, expire_on_commit=False)

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[AsyncSession]:
        """Commit on the way out, roll back on any exception."""
        async with self._sessions.begin() as session:
            yield session

    async def close(self) -> None:
        await self.engine.dispose()


def _replace_if_dead(connection: Any, _record: object, _proxy: object) -> None:  # noqa: ANN401
    """An idle connection with something to read was closed by the server. Looking at its socket
    costs microseconds; asking the server on each use would double the time of small requests.
    """
    watch = select.poll()
    watch.register(connection.driver_connection.pgconn.socket, select.POLLIN)
    if watch.poll(0):
        raise DisconnectionError
