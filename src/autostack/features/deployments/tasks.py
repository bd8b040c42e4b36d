"""What the worker does for deployments. Each job may run twice, at once or after a crash."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from autostack.core.crypto import Opener, Sealer
from autostack.core.db import Database
from autostack.core.errors import AutostackError
from autostack.engine import pipeline
from autostack.engine import settle as settling
from autostack.engine.errors import JournalAway, LeaseLost, StepGivenUp
from autostack.engine.order import Order, Tools
from autostack.engine.release import BUILD_LIMITS, Diagnosis, Limits, Status
from autostack.engine.run import guarded
from autostack.features.accounts.tasks import Desk
from autostack.features.deployments import orders, service
from autostack.features.deployments.journal import NOTHING, PostgresJournal, Site, Snapshot, work
from autostack.features.deployments.turns import Turns
from autostack.features.instances import places
from autostack.features.jobs import service as jobs
from autostack.features.projects import service as projects
from autostack.features.variables import service as variables
from autostack.models.deployment import Deployment, Kind

logger = logging.getLogger(__name__)


async def _nothing_left() -> None:
    """Where nobody builds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Works:
    """What every job of this worker works with. `worker` names it across its restarts."""

    db: Database
    site: Site
    tools: Tools
    opener: Opener
    sealer: Sealer
    worker: str
    forget: Callable[[UUID], Awaitable[None]]
    """Free what the source keeps of a repository, by its key."""
    turns: Turns = field(default_factory=Turns)
    build_limits: Limits = BUILD_LIMITS
    sweep: Callable[[], Awaitable[None]] = _nothing_left
    """Remove what builds that were cut off left, before any begins."""
    desk: Desk | None = None
    """What letters to people are written with."""
    beside: tuple[Callable[[], Awaitable[None]], ...] = ()
    """What else the worker that leads does, until it is cancelled."""


async def run(works: Works, deployment_id: UUID) -> None:
    """Carry a deployment out when its turn has come, or go on where another worker was cut off."""
    if not await works.turns.admits(
        works.db, deployment_id, clock=works.site.clock, open_log=works.tools.open_log
    ):
        return

    async def claim(session: AsyncSession) -> UUID | None:
        return await work.claim(session, deployment_id, worker=works.worker)

    async def carry_out(order: Order, journal: PostgresJournal) -> None:
        logger.info("deployment %s begins (%s)", order.id, order.goal)
        status = await pipeline.deploy(order, works.tools, journal)
        logger.info("deployment %s ended: %s", order.id, status)

    await _hold(works, deployment_id, claim, carry_out, settled=False)


async def settle(works: Works, deployment_id: UUID) -> None:
    """Drain, watch and retire after a switch."""

    async def claim(session: AsyncSession) -> UUID | None:
        return await work.claim_settle(session, deployment_id, worker=works.worker)

    async def carry_out(order: Order, journal: PostgresJournal) -> None:
        logger.info("deployment %s settles", order.id)
        status = await settling.settle(order, works.tools, journal)
        logger.info("deployment %s settled: %s", order.id, status)

    await _hold(works, deployment_id, claim, carry_out, settled=True)


async def sweep(works: Works) -> None:
    """Ask again for work that no living worker holds: an acknowledged deployment is never lost."""
    async with works.db.reading() as session:
        abandoned = await work.abandoned(session)
    if not abandoned:
        return
    async with works.db.transaction() as session:
        for deployment_id, status in abandoned:
            over = status in {Status.SUCCESS, Status.FAILED}
            task = service.SETTLE if over else service.RUN
            lock = f"{task}:{deployment_id}"
            await jobs.enqueue(session, task, queueing_lock=lock, deployment_id=deployment_id)


async def take_turns(works: Works) -> None:
    """See that whoever waits for a build gets one. Never returns."""
    await works.turns.serve(works.db, clock=works.site.clock, open_log=works.tools.open_log)


async def take_over(works: Works) -> None:
    """At a start: what a worker of this name held is ours at once, for it is dead."""
    async with works.db.transaction() as session:
        held = await work.release_leases_of(session, works.worker)
    logger.info("took over %d deployments of a worker that is gone", held)
    await sweep(works)


async def _hold(
    works: Works,
    deployment_id: UUID,
    claim: Callable[[AsyncSession], Awaitable[UUID | None]],
    carry_out: Callable[[Order, PostgresJournal], Awaitable[None]],
    *,
    settled: bool,
) -> None:
    async with works.db.transaction() as session:
        lease = await claim(session)
    if lease is None:
        return
    journal = _journal(works, deployment_id, lease)
    try:
        order, snapshot = await _order(works, deployment_id, settling=settled)
        journal = _journal(works, deployment_id, lease, snapshot=snapshot)
        await guarded(_awaited(carry_out(order, journal)), journal.renew_for_ever())
    except (LeaseLost, JournalAway) as error:
        logger.warning("deployment %s is left to be resumed: %s", deployment_id, error)
    except asyncio.CancelledError:
        logger.info("deployment %s is handed back: this worker ends", deployment_id)
        await journal.hand_back()
        raise
    except AutostackError as error:
        await (_put_off(journal, error) if settled else _refuse(journal, error))


async def _awaited(carried: Awaitable[None]) -> None:
    await carried


def _journal(
    works: Works, deployment_id: UUID, lease: UUID, *, snapshot: Snapshot = NOTHING
) -> PostgresJournal:
    return PostgresJournal(
        works.db, works.site, deployment_id=deployment_id, lease=lease, snapshot=snapshot
    )


async def _refuse(journal: PostgresJournal, error: AutostackError) -> None:
    """The order could not even be read, as when the key of a sealed variable is gone."""
    logger.warning("a deployment cannot be begun: %s", error.code)
    diagnosis = Diagnosis(code=error.code, summary=str(error), todo=error.hint)
    await journal.ended(Status.FAILED, message=str(error), diagnosis=diagnosis)


async def _put_off(journal: PostgresJournal, error: AutostackError) -> None:
    """What serves has not failed because tidying up after it did. It is tried again when the
    lease ends; what is left once that is given up, the reconciler ends.
    """
    logger.warning("a deployment could not be settled: %s", error)
    if isinstance(error, StepGivenUp):
        await journal.settled()


async def _order(works: Works, deployment_id: UUID, *, settling: bool) -> tuple[Order, Snapshot]:
    async with works.db.transaction() as session:
        deployment = await session.get(Deployment, deployment_id)
        rows = await orders.gather(session, deployment) if deployment else None
        if rows is None:
            raise LeaseLost
        seat = await work.seat_for_builds(session, rows.project)
        uid = places.build_uid(works.site.host, seat)
        if settling:
            return orders.order(rows, _nothing(), build_uid=uid, settling=True), NOTHING
        env, snapshot = await _configuration(works, session, rows)
        credential = projects.credential(rows.project, works.opener)
    secrets = orders.Secrets(variables=env, credential=credential)
    made = orders.order(rows, secrets, build_uid=uid)
    return replace(made, build_limits=works.build_limits), snapshot


async def _configuration(
    works: Works, session: AsyncSession, rows: orders.Rows
) -> tuple[Mapping[str, str], Snapshot]:
    """That of the release brought back, or a snapshot of what is set now."""
    context = orders.context(rows.environment.id)
    if rows.release is not None and rows.deployment.kind is not Kind.DEPLOY:
        if rows.deployment.kind is Kind.ROLLBACK:
            await variables.check_not_revoked(session, rows.release)
        sealed = rows.release.configuration
        return orders.unpack(works.opener.open(sealed, context=context)), NOTHING
    found = await variables.opened(session, rows.environment.id, works.opener)
    sealed = works.sealer.seal(orders.pack(found.values), context=context)
    return found.values, Snapshot(sealed=sealed, versions=found.versions)


def _nothing() -> orders.Secrets:
    """Settling starts nothing new, so it must not fail for a key that is gone."""
    return orders.Secrets(variables={}, credential=None)
