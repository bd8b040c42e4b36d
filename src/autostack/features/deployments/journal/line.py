"""The line of deployments that wait for a build, as rows. Who may go is `engine.admission`'s."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

from sqlalchemy import SQLColumnExpression, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from autostack.engine import admission, facts
from autostack.engine.admission import (
    GUESS,
    GUESSES,
    Building,
    GiveUp,
    Memory,
    Need,
    Reason,
    Rules,
    Start,
    Verdict,
    Wait,
    Waiting,
)
from autostack.engine.release import Diagnosis, Status
from autostack.features.deployments import repository
from autostack.features.deployments.service import RUN, tell
from autostack.features.jobs import service as jobs
from autostack.models.deployment import Deployment, Kind
from autostack.models.release import Release

PRODUCTION = "production"
LOCK = 0x41535F5455524E53
BUILDS = 5
"""The last builds of an environment that say what the next one needs: the highest counts."""
SERVED = timedelta(hours=1)
NEAR = 10
"""Those up to this position hear of each step forward, others of each tenth."""
TODO = (
    "Stop apps or lower what they use, give the machine more memory, or let the build use less; "
    "then deploy again."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A line for the log of a deployment."""

    id: UUID
    text: str
    level: str = "info"


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What a look at the line came to. `waits`: another look will be needed."""

    said: Sequence[Said] = ()
    waits: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """All that wait. `behind`: by the number of the one under way in their environment."""

    free: Sequence[Deployment]
    behind: Sequence[tuple[Deployment, int]]
    building: Sequence[tuple[Deployment, Building]]
    needs: Mapping[UUID, Need]


async def waits(session: AsyncSession, deployment_id: UUID) -> bool:
    """Whether it is for a build and has not got its turn yet."""
    row = await session.get(Deployment, deployment_id, populate_existing=True)
    return row is not None and row.status is Status.PENDING and _needs_turn(row)


def _needs_turn(row: Deployment) -> bool:
    return row.kind is Kind.DEPLOY and row.admitted_at is None


async def look(
    session: AsyncSession,
    *,
    rules: Rules,
    memory: Memory,
    now: datetime,
    present: Collection[UUID] = (),
) -> Round:
    """Let those go whose turn it is, and tell the others where they stand. One at a time, on
    all workers; for those `present` no job is made: whoever carries them out is here.
    """
    await session.execute(select(func.pg_advisory_xact_lock(LOCK)))
    line = await _line(session)
    said = [
        text for one, number in line.behind if (text := await _behind(session, one, number, now))
    ]
    verdicts = admission.decide(
        [_waiting(row, line.needs) for row in line.free],
        [building for _, building in line.building],
        served=await _served(session, line.free, now=now),
        memory=memory,
        rules=rules,
        now=now,
    )
    rows = {row.id: row for row in line.free}
    for verdict in verdicts:
        need = line.needs[verdict.id]
        said += await _carry_out(session, rows[verdict.id], verdict, need, now, present)
    still = any(isinstance(one, Wait) for one in verdicts)
    return Round(said=said, waits=still)


async def _line(session: AsyncSession) -> _Line:
    unfinished = select(Deployment).where(Deployment.status.in_(repository.UNFINISHED))
    rows = (await session.scalars(unfinished.execution_options(populate_existing=True))).all()
    running = {row.environment_id: row.number for row in rows if row.status is not Status.PENDING}
    pending = [row for row in rows if row.status is Status.PENDING]
    holding = [row for row in rows if row.admitted_at is not None and row.built_at is None]
    free = [row for row in pending if row.environment_id not in running and _needs_turn(row)]
    needs = await _needs(session, [*free, *holding])
    return _Line(
        free=free,
        behind=[
            (one, running[one.environment_id]) for one in pending if one.environment_id in running
        ],
        building=[
            (one, Building(project_id=one.project_id, need=needs[one.id])) for one in holding
        ],
        needs=needs,
    )


async def _needs(session: AsyncSession, rows: Sequence[Deployment]) -> dict[UUID, Need]:
    """What was found out once is in the row; while it waits nothing else builds there."""
    unknown = {row.environment_id for row in rows if not (row.queue and "need" in row.queue)}
    found = await _measured(session, unknown) if unknown else {}
    needs: dict[UUID, Need] = {}
    for row in rows:
        if row.queue and "need" in row.queue:
            needs[row.id] = Need(bytes=row.queue["need"], measured=row.queue["measured"])
        else:
            needs[row.id] = found.get(row.environment_id, Need())
            kept = {"need": needs[row.id].bytes, "measured": needs[row.id].measured}
            row.queue = {**(row.queue or {}), **kept}
    return needs


async def _measured(session: AsyncSession, environments: Collection[UUID]) -> dict[UUID, Need]:
    newest = (
        func.row_number()
        .over(partition_by=Release.environment_id, order_by=Release.number.desc())
        .label("newest")
    )
    recent = (
        select(
            Release.environment_id,
            Release.artifact["peak_memory"].astext.label("peak"),
            Release.plan["family"].astext.label("family"),
            newest,
        )
        .where(Release.environment_id.in_(environments))
        .subquery()
    )
    query = select(recent.c.environment_id, recent.c.peak, recent.c.family)
    peaks: dict[UUID, int] = defaultdict(int)
    families: dict[UUID, str] = {}
    for environment_id, peak, family in await session.execute(
        query.where(recent.c.newest <= BUILDS).order_by(recent.c.newest.desc())
    ):
        peaks[environment_id] = max(peaks[environment_id], int(peak or 0))
        families[environment_id] = family
    return {one: _need(peak, families[one]) for one, peak in peaks.items()}


def _need(peak: int, family: str) -> Need:
    if peak > 0:
        return Need(bytes=peak, measured=True)
    known = {one.value: guess for one, guess in GUESSES.items()}
    return Need(bytes=known.get(family, GUESS))


async def _served(
    session: AsyncSession, waiting: Sequence[Deployment], *, now: datetime
) -> dict[UUID, datetime]:
    """When each project's last build began."""
    projects = {row.project_id for row in waiting}
    if len(projects) < 2:  # noqa: PLR2004 - nobody to take turns with
        return {}
    last = cast(SQLColumnExpression[datetime], func.max(Deployment.admitted_at))
    query = (
        select(Deployment.project_id, last)
        .where(Deployment.project_id.in_(projects), Deployment.admitted_at > now - SERVED)
        .group_by(Deployment.project_id)
    )
    return {row[0]: row[1] for row in (await session.execute(query)).all()}


def _waiting(row: Deployment, needs: Mapping[UUID, Need]) -> Waiting:
    told = row.queue or {}
    hungry = told.get("hungry")
    return Waiting(
        id=row.id,
        project_id=row.project_id,
        production=row.environment == PRODUCTION,
        since=since(row),
        need=needs[row.id],
        hungry=datetime.fromisoformat(hungry) if hungry else None,
    )


def since(row: Deployment) -> datetime:
    """Its place: its own, or that of the one it has superseded in the line."""
    told = (row.queue or {}).get("since")
    return datetime.fromisoformat(told) if told else row.created_at


async def _carry_out(
    session: AsyncSession,
    row: Deployment,
    verdict: Verdict,
    need: Need,
    now: datetime,
    present: Collection[UUID],
) -> list[Said]:
    match verdict:
        case Start():
            return await _start(session, row, verdict, now, present)
        case Wait():
            return await _wait(session, row, verdict, now)
        case GiveUp():
            return await _give_up(session, row, verdict, need, now)


async def _start(
    session: AsyncSession, row: Deployment, verdict: Start, now: datetime, present: Collection[UUID]
) -> list[Said]:
    told = row.queue or {}
    row.admitted_at = row.updated_at = now
    row.queue = {name: told[name] for name in ("need", "measured", "since") if name in told}
    said: list[Said] = []
    if "position" in told:
        waited = (now - row.created_at).total_seconds()
        said.append(Said(id=row.id, text=f"Its turn, after {waited:.0f} s."))
        await tell(session, row, "deployment.queue", now=now, position=0, ahead=0, reason="")
    if verdict.warning:
        row.warnings = [*row.warnings, verdict.warning]
        said.append(Said(id=row.id, text=verdict.warning, level="warning"))
    if row.id not in present:
        lock = f"{RUN}:{row.id}"
        await jobs.enqueue(session, RUN, queueing_lock=lock, deployment_id=row.id)
    return said


async def _wait(session: AsyncSession, row: Deployment, verdict: Wait, now: datetime) -> list[Said]:
    told = row.queue or {}
    hungry = verdict.reason is Reason.MEMORY
    new: dict[str, Any] = {
        "position": verdict.position,
        "ahead": verdict.ahead,
        "running": verdict.running,
        "kind": verdict.reason.value,
        "reason": verdict.words,
        # What waits for its turn has not asked for memory since.
        "hungry": told.get("hungry") or now.isoformat() if hungry else None,
    }
    if not _is_news(told, new):
        return []
    return await _tell(session, row, new, now)


def _is_news(told: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Free memory changes all the time: that alone is none."""
    if told.get("kind") != new["kind"] or "position" not in told:
        return True
    position = int(new["position"])
    return position != told["position"] and (position <= NEAR or position % NEAR == 0)


async def _tell(
    session: AsyncSession, row: Deployment, new: Mapping[str, Any], now: datetime
) -> list[Said]:
    row.queue = {**(row.queue or {}), "since": since(row).isoformat(), **new}
    row.updated_at = now
    shown = {name: new[name] for name in ("position", "ahead", "running", "reason")}
    await tell(session, row, "deployment.queue", now=now, **shown)
    return [Said(id=row.id, text=f"Waiting: {new['reason']}.")]


async def _behind(
    session: AsyncSession, row: Deployment, number: int, now: datetime
) -> Said | None:
    told = row.queue or {}
    words = f"deployment #{number} of this environment is under way"
    if told.get("reason") == words:
        return None
    new = {"position": 1, "ahead": 0, "running": 1, "kind": Reason.ENVIRONMENT.value}
    [said] = await _tell(session, row, {**new, "reason": words, "hungry": None}, now)
    return said


async def _give_up(
    session: AsyncSession, row: Deployment, verdict: GiveUp, need: Need, now: datetime
) -> list[Said]:
    row.status, row.error_message = Status.FAILED, verdict.words
    row.finished_at = row.settled_at = row.updated_at = now
    row.diagnosis = facts.dump(
        Diagnosis(
            code="no_memory_for_build",
            summary=verdict.words,
            proof=f"the last builds needed up to {admission.size(need.bytes)}",
            todo=TODO,
        )
    )
    await tell(session, row, "deployment.status", now=now, status="failed", error=row.error_message)
    return [Said(id=row.id, text=verdict.words, level="error")]
