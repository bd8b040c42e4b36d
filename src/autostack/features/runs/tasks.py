"""What the worker does for runs. Each job may come twice; a command is run at most once."""

import asyncio
import logging
from contextlib import suppress
from datetime import timedelta
from uuid import UUID

from autostack.core.errors import AutostackError
from autostack.engine import once
from autostack.engine.errors import JournalAway, LeaseLost
from autostack.engine.once import CUT_OFF, Means
from autostack.engine.run import guarded
from autostack.features.deployments.tasks import Works
from autostack.features.runs import service
from autostack.features.runs.journal import PostgresRun

logger = logging.getLogger(__name__)

ROUND = timedelta(seconds=10)
FAREWELL = 2.0
"""Seconds a worker that ends tries to say so; the next one says it otherwise."""


class Runs:
    """The runs of this worker. What it holds is its own, even when a lease ran out meanwhile."""

    def __init__(self, works: Works, means: Means, *, at_once: int) -> None:
        self._works = works
        self._means = means
        self._at_once = at_once
        self._held: set[UUID] = set()
        self._room = asyncio.Event()

    async def carry_out(self, run_id: UUID) -> None:
        """Run it, or end it where another worker was cut off. Left to the sweep when as many
        as this machine shall bear are running.
        """
        if run_id in self._held or len(self._held) >= self._at_once:
            return
        self._held.add(run_id)
        try:
            await self._claimed(run_id)
        finally:
            if len(self._held) >= self._at_once:
                self._room.set()
            self._held.discard(run_id)

    async def take_over(self) -> None:
        """At a start: what a worker of this name held was cut off, for it is dead."""
        async with self._works.db.transaction() as session:
            cut = await service.release_leases_of(session, self._works.worker)
        logger.info("%d runs were cut off by a worker that is gone", cut)
        await self.sweep()

    async def sweep(self) -> None:
        """Ask again for what no living worker holds."""
        async with self._works.db.reading() as session:
            left = [one for one in await service.abandoned(session) if one not in self._held]
        if left:
            async with self._works.db.transaction() as session:
                for run_id in left:
                    await service.ask(session, run_id)

    async def sweep_for_ever(self) -> None:
        """At once where a run has ended that may have kept another one out; else now and then."""
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._room.wait(), ROUND.total_seconds())
            self._room.clear()
            await self.sweep()

    async def _claimed(self, run_id: UUID) -> None:
        async with self._works.db.transaction() as session:
            claim = await service.claim(session, run_id, worker=self._works.worker)
        if claim is None:
            return
        journal = PostgresRun(self._works.db, self._works.site, run_id=run_id, lease=claim.lease)
        try:
            if claim.cut_off:
                await once.cut_off(run_id, self._means, journal)
            else:
                await self._run(run_id, journal)
        except (LeaseLost, JournalAway) as error:
            logger.warning("run %s is left to be ended: %s", run_id, error)

    async def _run(self, run_id: UUID, journal: PostgresRun) -> None:
        try:
            errand = await journal.errand()
            logger.info("run %s begins", run_id)
            carried = once.carry_out(errand, self._means, journal)
            verdict = await guarded(carried, journal.renew_for_ever())
            logger.info("run %s ended: %s", run_id, verdict.status)
        except asyncio.CancelledError:
            logger.info("run %s is cut off: this worker ends", run_id)
            with suppress(LeaseLost, JournalAway, TimeoutError):
                async with asyncio.timeout(FAREWELL):
                    await journal.ended(CUT_OFF)
            raise
        except (LeaseLost, JournalAway):
            raise
        except AutostackError as error:
            # It could not even be begun, as when the key of a sealed variable is gone.
            message = f"{error} {error.hint}".strip()
            await once.give_up(run_id, message, self._means, journal)
