"""Outliving a database that is away for a while."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

from psycopg import OperationalError
from psycopg_pool import PoolTimeout
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from autostack.core.db import Database
from autostack.engine.errors import JournalAway, LeaseLost

T = TypeVar("T")
Row = TypeVar("Row")
logger = logging.getLogger(__name__)


async def patiently(work: Callable[[], Awaitable[T]], *, patience: timedelta) -> T:
    """Try again while the database is away, longer and longer between, then `JournalAway`.

    A connection that breaks at COMMIT leaves open whether it happened: all work may be repeated.
    """
    clock = asyncio.get_running_loop().time
    end, pause = clock() + patience.total_seconds(), 0.05
    while True:
        try:
            return await work()
        except (DBAPIError, OperationalError, PoolTimeout, OSError) as error:
            if not is_away(error):
                raise
            if clock() + pause > end:
                raise JournalAway from error
            logger.warning("the database is away: %s", type(error).__name__)
            await asyncio.sleep(pause)
            pause = min(pause * 2, 5.0)


async def under_lease(
    db: Database,
    held: Callable[[AsyncSession], Awaitable[Row | None]],
    work: Callable[[AsyncSession, Row], Awaitable[T]],
    *,
    patience: timedelta,
) -> T:
    """One short transaction in which the lease is ours, tried again while nobody answers.

    `held` finds the row where the lease is still ours; `LeaseLost` when it is not.
    """

    async def once() -> T:
        async with db.transaction() as session:
            row = await held(session)
            if row is None:
                raise LeaseLost
            return await work(session, row)

    return await patiently(once, patience=patience)


def is_away(error: Exception) -> bool:
    if isinstance(error, DBAPIError):
        return error.connection_invalidated or isinstance(error.orig, OperationalError)
    return True
