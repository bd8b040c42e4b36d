"""One loop in the worker that leads: it stores what runtimes see and mends what differs."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from functools import partial
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from autostack.engine import reconcile
from autostack.engine.errors import StaleGeneration
from autostack.engine.reconcile import Action, Desired, Replace, StartAgain, Stop
from autostack.engine.release import InstanceSpec, InstanceState, Observation
from autostack.features.deployments import removal, service
from autostack.features.deployments.journal import work
from autostack.features.deployments.journal.routing import all_routes
from autostack.features.deployments.journal.specs import Specs
from autostack.features.deployments.tasks import Works, sweep
from autostack.features.instances import service as instances
from autostack.models.deployment import Kind

logger = logging.getLogger(__name__)

ROUND = timedelta(seconds=3)
DRIFT = timedelta(seconds=10)
"""How often it is looked whether another hand was at the edge's files."""
RIPE = timedelta(seconds=20)
"""Longer than any pause between a row and its process, or a process and its end."""


class Reconciler:
    """Runs until it is cancelled; one failing round is logged, and the next one comes."""

    def __init__(self, works: Works, *, every: timedelta = ROUND, ripe: timedelta = RIPE) -> None:
        self._works = works
        self._every = every.total_seconds()
        self._ripe = ripe.total_seconds()
        self._seen: dict[UUID, Observation] = {}
        self._since: dict[UUID, float] = {}
        self._failures: dict[UUID, int] = {}

    async def lead(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._watch_for_ever())
            group.create_task(self._mend_for_ever())
            group.create_task(self._sweep_for_ever())
            group.create_task(self._mend_routes_for_ever())

    async def _watch_for_ever(self) -> None:
        while True:
            try:
                async for seen in self._works.tools.runtime.watch():
                    await self.note(seen)
            except Exception:
                logger.exception("watching instances failed; going on")
            await asyncio.sleep(self._every)

    async def note(self, seen: Observation) -> None:
        """Remember what a runtime saw, for pages and for the next round."""
        self._seen[seen.id] = seen
        async with self._works.db.transaction() as session:
            await instances.observe(session, seen, now=self._works.site.clock())

    async def _mend_for_ever(self) -> None:
        """At once: after a reboot everything that ran shall run again soon."""
        await self._tried(self._routes_again)
        while True:
            await self._tried(self.round)
            await asyncio.sleep(self._every)

    async def _mend_routes_for_ever(self) -> None:
        while True:
            await self._tried(self.mend_routes)
            await asyncio.sleep(DRIFT.total_seconds())

    async def mend_routes(self) -> None:
        """Undo what another hand did to the edge."""
        if await self._works.tools.router.drifted():
            logger.warning("another hand changed the edge's routes; applying all of them again")
            await self._routes_again()

    async def _sweep_for_ever(self) -> None:
        while True:
            await self._tried(partial(removal.sweep, self._works))
            await asyncio.sleep(removal.AGAIN.total_seconds())

    async def _tried(self, part: Callable[[], Awaitable[None]]) -> None:
        try:
            await part()
        except Exception:
            logger.exception("a round of the reconciler failed; going on")

    async def _routes_again(self) -> None:
        """What the database says is what the edge does, whatever happened to its files."""
        async with self._works.db.transaction() as session:
            site = self._works.site
            found = await all_routes(session, site.address, site.clock)
        for routes, generation in found:
            # A deployment may have switched since.
            with suppress(StaleGeneration):
                await self._works.tools.router.apply(routes, generation=generation)

    async def round(self) -> None:
        """Look, decide, act."""
        await sweep(self._works)
        async with self._works.db.reading() as session:
            rows = await _desired(session)
        observed = {**self._seen, **await self._asked(rows)}
        self._age(rows, observed)
        for action in reconcile.decide(rows, observed, ripe=self._ripe_ones()):
            await self._tried(partial(self._act, action))

    async def _asked(self, rows: Sequence[Desired]) -> dict[UUID, Observation]:
        """The watch may be behind; nothing is started twice on old news."""
        inspect = self._works.tools.runtime.inspect
        suspects = [row.id for row in rows if not row.changing and self._needs_asking(row.id)]
        return {one: await inspect(one) for one in suspects}

    def _needs_asking(self, instance_id: UUID) -> bool:
        seen = self._seen.get(instance_id)
        return seen is None or seen.orphan or seen.state is not InstanceState.RUNNING

    def _age(self, rows: Sequence[Desired], observed: dict[UUID, Observation]) -> None:
        now = time.monotonic()
        present = {row.id for row in rows if not row.busy} | set(observed)
        self._since = {one: self._since.get(one, now) for one in present}
        self._seen = {
            one: seen for one, seen in observed.items() if seen.state is not InstanceState.MISSING
        }

    def _ripe_ones(self) -> frozenset[UUID]:
        limit = time.monotonic() - self._ripe
        return frozenset(one for one, since in self._since.items() if since <= limit)

    async def _act(self, action: Action) -> None:
        match action:
            case StartAgain(ids=ids):
                await self._start_again(ids)
            case Replace(environment_id=environment_id):
                await self._replace(environment_id)
            case Stop(id=instance_id):
                await self._stop(instance_id)

    async def _start_again(self, ids: Sequence[UUID]) -> None:
        for one in ids:
            await self._tried(partial(self._start_one, one))

    async def _start_one(self, instance_id: UUID) -> None:
        """Others took their time: a deployment may have begun there since."""
        async with self._works.db.transaction() as session:
            changing = await work.changing_environments(session)
            specs = await Specs(self._works.site).again(session, [instance_id])
        for spec in specs:
            if spec.environment_id not in changing:
                await self._start(spec)

    async def _start(self, spec: InstanceSpec) -> None:
        """Tried less and less often where it fails."""
        failures = self._failures.get(spec.id, 0)
        if failures and time.monotonic() < self._since.get(spec.id, 0) + 2.0 ** min(failures, 8):
            return
        logger.warning("starting instance %s (%s) again: it was gone", spec.id, spec.process)
        try:
            await self._works.tools.runtime.start(spec)
        except Exception:
            logger.exception("instance %s could not be started again", spec.id)
            self._failures[spec.id] = failures + 1
            self._since[spec.id] = time.monotonic()
        else:
            self._failures.pop(spec.id, None)

    async def _replace(self, environment_id: UUID) -> None:
        async with self._works.db.transaction() as session:
            found = await work.owners(session, environment_id)
            if found is None:
                return
            logger.warning("replacing instances of %s that nothing restarts", found[1].hostname)
            now = self._works.site.clock()
            await service.again(session, *found, kind=Kind.RESTART, by=None, now=now)

    async def _stop(self, instance_id: UUID) -> None:
        logger.warning("ending instance %s: nobody wants it", instance_id)
        grace = self._works.tools.pace.stop
        await self._works.tools.runtime.stop(instance_id, grace=grace)
        self._seen.pop(instance_id, None)
        async with self._works.db.transaction() as session:
            await instances.free(session, [instance_id], now=self._works.site.clock())


async def _desired(session: AsyncSession) -> list[Desired]:
    busy, routed = await work.busy_environments(session), await work.routed(session)
    changing = await work.changing_environments(session)
    return [
        Desired(
            id=row.id,
            environment_id=row.environment_id,
            wanted=row.wanted,
            serving=routed.get(row.environment_id) == row.deployment_id,
            # A command that is run once ends by itself, or by the one who runs it.
            busy=row.deployment_id is None or row.environment_id in busy,
            changing=row.deployment_id is None or row.environment_id in changing,
        )
        for row in await instances.all_living(session)
    ]
