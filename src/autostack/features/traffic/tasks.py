"""One loop in the worker that leads: what the edge has counted becomes rows."""

import asyncio
import logging
from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID

from autostack.core.clock import Clock
from autostack.core.db import Database
from autostack.engine.ports import Router
from autostack.engine.tally import NONE, Tally
from autostack.features.traffic import service

logger = logging.getLogger(__name__)

EVERY = timedelta(seconds=10)
TIDY = 360
"""Rounds between two looks for rows that are too old: an hour."""


class Ledger:
    """Remembers what was written down. A worker that starts begins with what it finds: what came
    while no worker lived is not in the rows.
    """

    def __init__(self, db: Database, router: Router, *, clock: Clock) -> None:
        self._db = db
        self._router = router
        self._clock = clock
        self._written: Mapping[UUID, Tally] | None = None

    async def keep(self, *, every: timedelta = EVERY) -> None:
        """Until it is cancelled; one failing round is logged, and the next one comes."""
        rounds = 0
        while True:
            try:
                await self.write()
                if rounds % TIDY == 0:
                    await self._tidy()
            except Exception:
                logger.exception("traffic could not be written down; going on")
            rounds += 1
            await asyncio.sleep(every.total_seconds())

    async def write(self) -> None:
        now = await self._router.tallies()
        if self._written is None:
            self._written = now
        since = {one: tally - self._written.get(one, NONE) for one, tally in now.items()}
        new = {one: tally for one, tally in since.items() if tally.requests}
        if new:
            async with self._db.transaction() as session:
                await service.record(session, new, now=self._clock())
        self._written = now

    async def _tidy(self) -> None:
        async with self._db.transaction() as session:
            await service.forget_old(session, now=self._clock())
