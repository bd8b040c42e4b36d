"""Whether the parts of the platform answer."""

import asyncio
from contextlib import suppress
from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from autostack.core.db import Database
from autostack.features.metrics.schemas import Parts

LIMIT = timedelta(seconds=2)
# Workers say that they live every 10 seconds; 30 without a word is dead.
_WORKER = text(
    "select exists(select 1 from procrastinate_workers"
    " where last_heartbeat > now() - interval '30 seconds')"
)


async def look(db: Database, edge: tuple[str, int] | None, *, limit: timedelta = LIMIT) -> Parts:
    """Ask them all at once; one that does not answer in time is down. No edge: none is ours."""
    (database, worker), reached = await asyncio.gather(
        _database(db, limit), _reach(edge, limit) if edge else _yes()
    )
    return Parts(
        database="up" if database else "down",
        worker="up" if worker else "down",
        edge="up" if reached else "down",
    )


async def _yes() -> bool:
    return True


async def _database(db: Database, limit: timedelta) -> tuple[bool, bool]:
    with suppress(TimeoutError, SQLAlchemyError, OSError):
        async with asyncio.timeout(limit.total_seconds()), db.transaction() as session:
            return True, bool(await session.scalar(_WORKER))
    return False, False


async def _reach(address: tuple[str, int], limit: timedelta) -> bool:
    with suppress(TimeoutError, OSError):
        async with asyncio.timeout(limit.total_seconds()):
            _, writer = await asyncio.open_connection(*address)
            writer.close()
            await writer.wait_closed()
            return True
    return False
