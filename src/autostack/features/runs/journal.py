"""The engine's memory of one run in PostgreSQL, under one lease."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from autostack.core.db import Database
from autostack.engine import facts
from autostack.engine.errors import LeaseLost
from autostack.engine.once import Errand, Verdict
from autostack.engine.plan import Plan
from autostack.features.deployments.journal.patience import patiently, under_lease
from autostack.features.deployments.journal.specs import Site, Specs
from autostack.features.instances import service as instances
from autostack.features.runs import repository, service
from autostack.models.instance import Instance
from autostack.models.run import Run

T = TypeVar("T")

PROCESS = "run"


class PostgresRun:
    """See engine.once.RunJournal."""

    def __init__(self, db: Database, site: Site, *, run_id: UUID, lease: UUID) -> None:
        self._db = db
        self._site = site
        self._id = run_id
        self._lease = lease

    async def errand(self) -> Errand:
        """What is to be done, with a uid and a place that are its own from here on."""
        return await self._write(self._errand)

    async def canceled(self) -> None:
        """Looks often enough that a cancel takes effect within two seconds."""
        while True:
            asked = await patiently(self._cancel_asked, patience=self._site.patience)
            if asked is None:
                raise LeaseLost
            if asked:
                return
            await asyncio.sleep(self._site.poll.total_seconds())

    async def ended(self, verdict: Verdict) -> None:
        async def end(session: AsyncSession, row: Run) -> None:
            now = self._site.clock()
            row.status, row.exit_code = verdict.status, verdict.code
            row.error_message = facts.text(verdict.message) or None
            row.finished_at, row.lease, row.lease_expires_at = now, None, None
            await instances.free(session, [row.id], now=now)
            await service.tell(session, row, "run.status", now=now)

        await self._write(end)

    async def renew_for_ever(self) -> None:
        """Keep the lease; `LeaseLost` when it is gone."""
        while True:
            await asyncio.sleep(self._site.renewal.total_seconds())
            await self._write(lambda session, row: repository.renew(session, row.id, self._lease))

    async def _write(self, work: Callable[[AsyncSession, Run], Awaitable[T]]) -> T:
        return await under_lease(
            self._db,
            lambda session: repository.held(session, self._id, self._lease),
            work,
            patience=self._site.patience,
        )

    async def _cancel_asked(self) -> bool | None:
        async with self._db.transaction() as session:
            return await repository.cancel_asked(session, self._id, self._lease)

    async def _errand(self, session: AsyncSession, row: Run) -> Errand:
        release = await repository.release(session, row)
        environment, _ = await repository.place(session, row)
        configuration = self._site.open(row.environment_id, release.configuration)
        env = {**facts.load(Plan, release.plan).env, **configuration}
        instance = await self._instance(session, row, str(release.artifact["kind"]))
        return Errand(
            spec=Specs(self._site).of(instance, release, environment, env),
            limit=timedelta(seconds=row.timeout),
            secrets=tuple(value for value in configuration.values() if value),
        )

    async def _instance(self, session: AsyncSession, row: Run, kind: str) -> Instance:
        """Written before it exists. Asked again after a broken connection it is there."""
        found = await session.get(Instance, row.id)
        if found is not None:
            return found
        made = Instance(
            id=row.id,
            environment_id=row.environment_id,
            release_id=row.release_id,
            process=PROCESS,
            index=0,
            runtime=self._site.runtimes.get(kind, self._site.runtime),
            command=row.command,
        )
        return await instances.allocate_once(
            session, made, host=self._site.host, now=self._site.clock()
        )
