"""Pages of logs. They are read from files; the database only says whose they are."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from autostack.core.home import Home
from autostack.core.logs import deployment as entries
from autostack.core.logs import places, reader
from autostack.core.logs.deployment import Entry
from autostack.core.logs.records import NOTE, PIECE
from autostack.engine.release import Status
from autostack.features.logs import merge, repository
from autostack.features.logs.errors import LogPlaceInvalid
from autostack.features.logs.merge import Key, Merged, Spring
from autostack.features.logs.schemas import DeploymentLine, RuntimeLine
from autostack.models.deployment import Deployment

INSTANCES = 50
"""Of these newest instances of an environment lines are shown."""
UNFINISHED = frozenset({Status.PENDING, Status.BUILDING, Status.DEPLOYING})


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which lines: behind `after`, in front of `before`, from `since` on, or the last `tail`."""

    limit: int
    after: str | None = None
    before: str | None = None
    tail: int | None = None
    since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Whose lines of an environment, and from when on."""

    process: str | None = None
    instance_id: UUID | None = None
    since: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Begin:
    """Where a stream of an environment goes on, behind `lines`."""

    springs: Sequence[Spring]
    places: merge.Places
    lines: Sequence[Merged] = ()


def how_it_ended(deployment: Deployment, *, until: str) -> str | None:
    """Its status once nothing more is to come, else None."""
    over = deployment.status not in UNFINISHED
    if until == "settled":
        over = over and (deployment.settled_at is not None or deployment.status != Status.SUCCESS)
    return deployment.status.value if over else None


async def springs(
    session: AsyncSession, home: Home, environment_id: UUID, which: Filter
) -> Sequence[Spring]:
    """The instances whose lines an environment's log is made of."""
    rows = await repository.newest_instances(
        session,
        environment_id,
        process=which.process,
        instance_id=which.instance_id,
        limit=INSTANCES,
    )
    store = places.instance_segments(str(home.root))
    return [
        Spring(id=row.id, process=row.process, index=row.index, folder=f"{store}/{row.id}")
        for row in rows
    ]


def deployment_page(path: Path, asked: Asked) -> tuple[list[DeploymentLine], str | None]:
    """Lines, and where the next page begins. Blocking."""
    if asked.before is not None:
        end = offset(asked.before)
        last = entries.tail(path, limit=asked.limit + 1, before=end)
        return [entry_read(one) for one in last if one.end < end][-asked.limit :], None
    if asked.tail is not None:
        return [entry_read(one) for one in entries.tail(path, limit=asked.tail)], None
    found = entries.forward(path, offset(asked.after), limit=asked.limit + 1)
    shown = found[: asked.limit]
    more = len(found) > len(shown)
    return [entry_read(one) for one in shown], str(shown[-1].end) if more else None


def deployment_start(path: Path, asked: Asked) -> int:
    """A stream begins at the beginning, unless a place or the last lines are asked for."""
    if asked.after is None and asked.tail is not None:
        last = entries.tail(path, limit=asked.tail + 1)
        return last[0].end if len(last) > asked.tail else 0
    return offset(asked.after)


def runtime_page(sources: Sequence[Spring], asked: Asked) -> tuple[list[RuntimeLine], str | None]:
    """Lines, and where the next page begins; without a place from the oldest on. Blocking."""
    if asked.before is not None or asked.tail is not None:
        before = Key.parse(asked.before) if asked.before else None
        found = merge.backward(sources, before, limit=asked.tail or asked.limit)
        return [line_read(one) for one in found], None
    begin = _places(sources, asked, otherwise=merge.starts(sources, None))
    found = merge.forward(sources, begin, limit=asked.limit)
    more = merge.forward(sources, merge.advanced(begin, found), limit=1)
    return [line_read(one) for one in found], str(found[-1].key) if more else None


def runtime_start(sources: Sequence[Spring], asked: Asked) -> Begin:
    """A stream begins now, unless a place, a time or the last lines are asked for. Blocking."""
    places = _places(sources, asked, otherwise=merge.ends(sources))
    if asked.after is not None or asked.since is not None or asked.tail is None:
        return Begin(springs=sources, places=places)
    # Nothing may come between: the last lines are those in front of where it goes on.
    last = [one for one in merge.backward(sources, None, limit=asked.tail) if _in(one, places)]
    return Begin(springs=sources, places=places, lines=last)


def _places(
    sources: Sequence[Spring], asked: Asked, *, otherwise: dict[UUID, reader.Place]
) -> dict[UUID, reader.Place]:
    if asked.after is not None:
        return merge.starts(sources, Key.parse(asked.after))
    if asked.since is not None:
        return merge.at_time(sources, int(asked.since.timestamp() * 1000))
    return otherwise


def _in(one: Merged, places: merge.Places) -> bool:
    return one.line.place <= places[one.spring.id]


def offset(text: str | None) -> int:
    """The place a deployment's line id names."""
    if text is None:
        return 0
    if not (text.isascii() and text.isdigit() and len(text) < 16):  # noqa: PLR2004 - a petabyte
        raise LogPlaceInvalid
    return int(text)


def entry_read(entry: Entry) -> DeploymentLine:
    return DeploymentLine(
        id=str(entry.end),
        at=_moment(entry.at),
        step=entry.step,
        level=entry.level,
        text=entry.text.encode(errors="replace").decode(),
    )


def line_read(one: Merged) -> RuntimeLine:
    return RuntimeLine(
        id=str(one.key),
        at=_moment(one.key.at),
        instance_id=one.spring.id,
        process=one.spring.process,
        index=one.spring.index,
        note=one.line.record.mark == NOTE,
        partial=one.line.record.mark == PIECE,
        text=one.line.text,
    )


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)
