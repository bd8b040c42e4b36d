"""What visitors got, kept in rows of a minute and of an hour.

Its size is bounded: minutes are kept for a day, hours for two months, and a release has a row
only where somebody came.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from autostack.engine.tally import NONE, Tally, total
from autostack.features.traffic import repository
from autostack.models.environment import Environment

MINUTE, HOUR = 60, 3600
KEPT = {MINUTE: timedelta(hours=26), HOUR: timedelta(days=62)}
LATELY = timedelta(minutes=30)
LEAST = 20
"""Requests below which the last half hour says too little, and the last day is asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A span that can be asked for: how far back, in rows of which width, in which steps."""

    span: timedelta
    width: int
    step: timedelta


WINDOWS: Mapping[str, Window] = {
    "1h": Window(span=timedelta(hours=1), width=MINUTE, step=timedelta(minutes=1)),
    "6h": Window(span=timedelta(hours=6), width=MINUTE, step=timedelta(minutes=5)),
    "24h": Window(span=timedelta(hours=24), width=MINUTE, step=timedelta(minutes=15)),
    "7d": Window(span=timedelta(days=7), width=HOUR, step=timedelta(hours=1)),
    "30d": Window(span=timedelta(days=30), width=HOUR, step=timedelta(hours=6)),
}


async def record(session: AsyncSession, seen: Mapping[UUID, Tally], *, now: datetime) -> None:
    """Add what each release answered since the last time."""
    places = await repository.places(session, sorted(seen))
    for release_id, environment_id in places.items():
        for width in KEPT:
            await repository.add(
                session,
                environment_id,
                release_id,
                at=begin(now, timedelta(seconds=width)),
                width=width,
                tally=seen[release_id],
            )


async def forget_old(session: AsyncSession, *, now: datetime) -> None:
    for width, kept in KEPT.items():
        await repository.forget(session, width=width, before=now - kept)


async def lately(
    session: AsyncSession, environment_id: UUID, release_id: UUID, *, now: datetime
) -> Tally:
    """What visitors of a release got in the last half hour, or day if that is little."""
    found = NONE
    for width, span in ((MINUTE, LATELY), (HOUR, timedelta(days=1))):
        rows = await repository.since(
            session, environment_id, width=width, after=now - span, release_id=release_id
        )
        found = total([tally for _, tally in rows])
        if found.requests >= LEAST:
            return found
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    at: datetime
    tally: Tally


async def points(
    session: AsyncSession, environment: Environment, window: Window, *, now: datetime
) -> list[Point]:
    """One for each step of the window, oldest first, those without visitors too."""
    last = begin(now, window.step)
    count = window.span // window.step
    starts = [last - window.step * back for back in reversed(range(count))]
    found = dict.fromkeys(starts, NONE)
    rows = await repository.since(session, environment.id, width=window.width, after=starts[0])
    for at, tally in rows:
        start = begin(at, window.step)
        if start in found:
            found[start] += tally
    return [Point(at=at, tally=tally) for at, tally in found.items()]


def begin(at: datetime, step: timedelta) -> datetime:
    """Where the step that holds this moment begins; steps are counted from midnight UTC."""
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + (at - midnight) // step * step
