"""The engine's journal in PostgreSQL: one deployment under one lease."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID, uuid4

from sqlalchemy.ext.asyncio import AsyncSession

from autostack.core.db import Database
from autostack.engine import facts
from autostack.engine.errors import Canceled, JournalAway, LeaseLost, StepGivenUp
from autostack.engine.plan import Plan
from autostack.engine.ports import Living, Served, Wanted
from autostack.engine.release import (
    Artifact,
    Checkout,
    Diagnosis,
    Instance,
    InstanceSpec,
    Outcome,
    Routes,
    Status,
    Step,
)
from autostack.engine.tally import NONE, Tally
from autostack.features.deployments import repository, service, step_rows
from autostack.features.deployments.journal import work
from autostack.features.deployments.journal.patience import patiently, under_lease
from autostack.features.deployments.journal.routing import Routing, known
from autostack.features.deployments.journal.specs import NOTHING, Site, Snapshot, Specs
from autostack.features.instances import service as instances
from autostack.features.traffic import service as traffic
from autostack.models.deployment import Deployment
from autostack.models.instance import Instance as InstanceRow
from autostack.models.release import Release

T = TypeVar("T")

MOST_ATTEMPTS = 20
"""A step that takes its worker down each time must not do so for ever."""


class Record:
    """An open step; what it leaves is written when it ends."""

    def __init__(self, kept: Mapping[str, Any] | None) -> None:
        self.kept = kept
        self.left: dict[str, Any] = {}

    def leave(self, **facts: Any) -> None:  # noqa: ANN401 - JSON, stored as it is
        self.left.update(facts)


class PostgresJournal:
    """`snapshot` is the configuration a new release of this deployment is made with."""

    def __init__(
        self,
        db: Database,
        site: Site,
        *,
        deployment_id: UUID,
        lease: UUID,
        snapshot: Snapshot = NOTHING,
    ) -> None:
        self._db = db
        self._site = site
        self._id = deployment_id
        self._lease = lease
        self._snapshot = snapshot
        self._specs = Specs(site)
        self._routing = Routing(site.address, site.clock)

    async def _write(self, work: Callable[[AsyncSession, Deployment], Awaitable[T]]) -> T:
        return await under_lease(
            self._db,
            lambda session: repository.held(session, self._id, self._lease),
            work,
            patience=self._site.patience,
        )

    def step(self, step: Step) -> AbstractAsyncContextManager[Record]:
        return self._step(step)

    @asynccontextmanager
    async def _step(self, step: Step) -> AsyncGenerator[Record]:
        record = await self._write(lambda session, row: self._open(session, row, step))
        try:
            yield record
        except (LeaseLost, JournalAway):
            raise
        except Exception as error:
            outcome = Outcome.CANCELED if isinstance(error, Canceled) else Outcome.FAILED
            await self._close(step, record, outcome)
            raise
        if record.kept is None or record.left:
            await self._close(step, record, Outcome.DONE)

    async def _open(self, session: AsyncSession, row: Deployment, step: Step) -> Record:
        now = self._site.clock()
        if row.cancel_requested_at is not None and row.status in repository.RUNNING:
            raise Canceled
        opened = await step_rows.begin(session, row.id, step, now=now)
        if opened is None:
            done = await step_rows.find(session, row.id, step)
            return Record(done.kept or {} if done else {})
        if opened.attempt > MOST_ATTEMPTS:
            raise StepGivenUp(step, MOST_ATTEMPTS)
        if step is Step.START and row.status is Status.BUILDING:
            row.status = Status.DEPLOYING
        row.updated_at = now
        await service.tell(session, row, "deployment.step", now=now, step=step.value, outcome=None)
        return Record(None)

    async def _close(self, step: Step, record: Record, outcome: Outcome) -> None:
        async def close(session: AsyncSession, row: Deployment) -> None:
            now = self._site.clock()
            found = await step_rows.find(session, row.id, step)
            if found is None:
                return
            # A clock that was set back makes no step end before it began.
            found.outcome, found.ended_at = outcome, max(now, found.started_at)
            if step is Step.BUILD:
                row.built_at = now
            found.kept = {**(found.kept or {}), **record.left} or None
            row.updated_at = now
            await service.tell(
                session, row, "deployment.step", now=now, step=step.value, outcome=outcome
            )

        await self._write(close)

    async def skip(self, step: Step) -> None:
        async def skip(session: AsyncSession, row: Deployment) -> None:
            now = self._site.clock()
            opened = await step_rows.begin(session, row.id, step, now=now)
            if opened is not None:
                opened.outcome, opened.ended_at = Outcome.SKIPPED, now

        await self._write(skip)

    async def canceled(self) -> None:
        """Looks often enough that a cancel takes effect within two seconds."""
        while True:
            asked = await patiently(self._cancel_asked, patience=self._site.patience)
            if asked is None:
                raise LeaseLost
            if asked:
                return
            await asyncio.sleep(self._site.poll.total_seconds())

    async def _cancel_asked(self) -> bool | None:
        async with self._db.transaction() as session:
            return await repository.cancel_asked(session, self._id, self._lease)

    async def renew_for_ever(self) -> None:
        """Keep the lease; `LeaseLost` when it is gone."""
        while True:
            await asyncio.sleep(self._site.renewal.total_seconds())
            await self._write(lambda session, row: repository.renew(session, row.id, self._lease))

    async def hand_back(self) -> None:
        async with self._db.transaction() as session:
            await repository.hand_back(session, self._id, self._lease)

    async def found(self, checkout: Checkout) -> None:
        async def found(_: AsyncSession, row: Deployment) -> None:
            row.commit_sha, row.commit_message = checkout.sha, checkout.message
            row.commit_author, row.branch = checkout.author, row.branch or checkout.branch or None

        await self._write(found)

    async def release(self, plan: Plan, artifact: Artifact) -> UUID:
        async def make(session: AsyncSession, row: Deployment) -> UUID:
            if row.release_id is None:
                made = await self._release(session, row, plan, artifact)
                session.add(made)
                await session.flush()
                row.release_id = made.id
            return row.release_id

        return await self._write(make)

    async def _release(
        self, session: AsyncSession, row: Deployment, plan: Plan, artifact: Artifact
    ) -> Release:
        return Release(
            id=uuid4(),
            environment_id=row.environment_id,
            number=await repository.next_release_number(session, row.environment_id),
            commit_sha=row.commit_sha or "",
            commit_message=row.commit_message or "",
            plan=facts.dump(plan),
            artifact=facts.dump(artifact),
            configuration=self._snapshot.sealed,
            variables=dict(self._snapshot.versions),
            created_at=self._site.clock(),
        )

    async def reuse(self, release_id: UUID) -> None:
        async def reuse(session: AsyncSession, row: Deployment) -> None:
            release = await repository.release_of(session, release_id)
            row.release_id = release_id
            if release is not None:
                row.commit_sha, row.commit_message = release.commit_sha, release.commit_message

        await self._write(reuse)

    async def allocate(self, release_id: UUID, wanted: Sequence[Wanted]) -> Sequence[InstanceSpec]:
        async def allocate(session: AsyncSession, row: Deployment) -> Sequence[InstanceSpec]:
            release = await known(repository.release_of(session, release_id))
            kind = str(release.artifact["kind"])
            rows = await instances.allocate(
                session,
                row,
                wanted,
                release_id=release_id,
                host=self._site.host,
                runtime=self._site.runtimes.get(kind, self._site.runtime),
                now=self._site.clock(),
            )
            place = await known(repository.environment(session, row.environment_id))
            pairs = zip(rows, wanted, strict=True)
            return [self._specs.of(one, release, place, ask.env) for one, ask in pairs]

        return await self._write(allocate)

    async def adopt(self, release_id: UUID, wanted: Sequence[Wanted]) -> None:
        async def adopt(session: AsyncSession, row: Deployment) -> None:
            seats = [(one.process, one.index) for one in wanted]
            await instances.adopt(session, row, release_id=release_id, seats=seats)

        await self._write(adopt)

    async def give_back(self) -> None:
        await self._write(instances.give_back)

    async def started(self, started: Sequence[Instance]) -> None:
        async def reached(session: AsyncSession, _: Deployment) -> None:
            await instances.reached(session, {one.id: one.address for one in started})

        if started:
            await self._write(reached)

    async def stopped(self, instance_ids: Sequence[UUID]) -> None:
        async def free(session: AsyncSession, _: Deployment) -> None:
            await instances.free(session, instance_ids, now=self._site.clock())

        await self._write(free)

    async def mine(self) -> Sequence[Living]:
        async def mine(session: AsyncSession, row: Deployment) -> Sequence[Living]:
            return [_living(one) for one in await instances.of_deployment(session, row.id)]

        return await self._write(mine)

    async def older(self) -> Sequence[Living]:
        async def older(session: AsyncSession, row: Deployment) -> Sequence[Living]:
            rows = await repository.older_instances(session, row)
            return [_living(one) for one in rows]

        return await self._write(older)

    async def leaving(self) -> Sequence[Living]:
        async def leave(session: AsyncSession, row: Deployment) -> Sequence[Living]:
            # Locked first: who adopts one at this moment is waited for.
            await instances.lock(session, row.environment_id)
            rows = await repository.older_instances(session, row)
            for one in rows:
                one.wanted = False
            return [_living(one) for one in rows]

        return await self._write(leave)

    async def specs(self, instance_ids: Sequence[UUID]) -> Sequence[InstanceSpec]:
        return await self._write(lambda session, _: self._specs.again(session, instance_ids))

    async def before(self) -> Served | None:
        return await self._write(self._routing.before)

    async def routed(
        self, release_id: UUID, targets: Sequence[str], directory: Path | None
    ) -> tuple[Routes, int]:
        async def point(session: AsyncSession, row: Deployment) -> tuple[Routes, int]:
            return await self._routing.point(session, row, release_id, targets, directory)

        return await self._write(point)

    async def restored(self) -> tuple[Routes, int] | None:
        return await self._write(self._routing.restore)

    async def current(self) -> bool:
        async def current(session: AsyncSession, row: Deployment) -> bool:
            route = await repository.route(session, row.environment_id)
            return route is not None and route.deployment_id == row.id

        return await self._write(current)

    async def warned(self, text: str) -> None:
        async def warn(_: AsyncSession, row: Deployment) -> None:
            warning = facts.text(text)
            if warning not in row.warnings:
                row.warnings = [*row.warnings, warning]

        await self._write(warn)

    async def ended(
        self, status: Status, *, message: str = "", diagnosis: Diagnosis | None = None
    ) -> None:
        async def end(session: AsyncSession, row: Deployment) -> None:
            row.error_message = facts.text(message) or None
            row.diagnosis = facts.dump(diagnosis) if diagnosis else None
            await work.conclude(
                session, row, status, address=self._site.address, now=self._site.clock()
            )

        await self._write(end)

    async def usual(self) -> Tally:
        async def usual(session: AsyncSession, row: Deployment) -> Tally:
            before = await self._routing.before(session, row)
            if before is None:
                return NONE
            now = self._site.clock()
            return await traffic.lately(session, row.environment_id, before.release_id, now=now)

        return await self._write(usual)

    async def measured(self, facts: Mapping[str, Any]) -> None:
        async def measure(session: AsyncSession, row: Deployment) -> None:
            row.evidence = dict(facts)
            now = self._site.clock()
            await service.tell(session, row, "deployment.evidence", now=now, **facts)

        await self._write(measure)

    async def watched(self, facts: Mapping[str, Any]) -> None:
        async def watch(session: AsyncSession, row: Deployment) -> None:
            row.watch = dict(facts)
            now = self._site.clock()
            await service.tell(session, row, "deployment.watch", now=now, **facts)

        await self._write(watch)

    async def settled(self) -> None:
        async def settle(session: AsyncSession, row: Deployment) -> None:
            now = self._site.clock()
            row.settled_at, row.lease, row.lease_expires_at = now, None, None
            await service.tell(session, row, "deployment.settled", now=now, status=row.status.value)

        await self._write(settle)


def _living(row: InstanceRow) -> Living:
    return Living(id=row.id, process=row.process, address=row.reached_at)
