"""Who builds next: a worker looks at the line whenever something came or ended, and while
somebody waits.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from autostack.core.clock import Clock
from autostack.core.db import Database
from autostack.engine.admission import PLENTY, Memory, Rules
from autostack.engine.order import OpenLog
from autostack.engine.release import Step
from autostack.features.deployments.journal import line
from autostack.features.deployments.journal.line import Said

AGAIN = timedelta(seconds=0.5)
IDLE = timedelta(seconds=30)


def plenty() -> Memory:
    return PLENTY


@dataclass(slots=True, kw_only=True)
class Turns:
    """All memory is in the database; this keeps several looks at once from being several."""

    rules: Rules = field(default_factory=Rules)
    memory: Callable[[], Memory] = plenty
    _one: asyncio.Lock = field(default_factory=asyncio.Lock)
    _woken: asyncio.Event = field(default_factory=asyncio.Event)
    _asked: int = 0
    _seen: int = 0
    _present: set[UUID] = field(default_factory=set[UUID])

    async def admits(
        self, db: Database, deployment_id: UUID, *, clock: Clock, open_log: OpenLog
    ) -> bool:
        """Whether a deployment may be carried out now; if not, it is asked for again when it
        may.
        """
        self._present.add(deployment_id)
        try:
            if not await _waits(db, deployment_id):
                return True
            await self.look(db, clock=clock, open_log=open_log)
            return not await _waits(db, deployment_id)
        finally:
            self._present.discard(deployment_id)

    async def look(self, db: Database, *, clock: Clock, open_log: OpenLog) -> None:
        """Returns after a look that began later than this call; many callers share one."""
        self._asked += 1
        mine = self._asked
        async with self._one:
            if self._seen >= mine:
                return
            asked = self._asked
            waits = await self._round(db, clock, open_log)
            self._seen = asked
        if waits:
            self._woken.set()

    async def serve(self, db: Database, *, clock: Clock, open_log: OpenLog) -> None:
        """Look again and again while somebody waits. Never returns."""
        while True:
            self._woken.clear()
            begun = time.monotonic()
            await self.look(db, clock=clock, open_log=open_log)
            # A long line takes its time to look at, and moves slowly.
            pause = max(AGAIN.total_seconds(), 10 * (time.monotonic() - begun))
            if self._woken.is_set():
                await asyncio.sleep(pause)
                continue
            with suppress(TimeoutError):
                async with asyncio.timeout(IDLE.total_seconds()):
                    await self._woken.wait()

    async def _round(self, db: Database, clock: Clock, open_log: OpenLog) -> bool:
        memory = await asyncio.to_thread(self.memory)
        async with db.transaction() as session:
            found = await line.look(
                session,
                rules=self.rules,
                memory=memory,
                now=clock(),
                present=frozenset(self._present),
            )
        await asyncio.to_thread(_say, open_log, found.said)
        return found.waits


async def _waits(db: Database, deployment_id: UUID) -> bool:
    async with db.transaction() as session:
        return await line.waits(session, deployment_id)


def _say(open_log: OpenLog, said: Sequence[Said]) -> None:
    """Into the logs of deployments nobody carries out yet, so nobody else writes there."""
    for one in said:
        log = open_log(one.id, ())
        try:
            log.say(one.text, step=Step.FETCH, level=one.level)
        finally:
            log.close()
