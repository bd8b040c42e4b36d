"""What should run against what runs: the actions that make them one again. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from autostack.engine.release import InstanceState, Observation

LIVING = frozenset({InstanceState.STARTING, InstanceState.RUNNING, InstanceState.BACKOFF})
GONE = frozenset({InstanceState.MISSING, InstanceState.STOPPED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Desired:
    """A living row. `serving`: its deployment is the one its environment's domains lead to.
    `busy`: a deployment is at work there, or a watch; what those start and end is their own
    affair. `changing`: it may have been ended to make room, so that it is gone means nothing.
    """

    id: UUID
    environment_id: UUID
    wanted: bool = True
    serving: bool = True
    busy: bool = False
    changing: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StartAgain:
    """It should run and is gone, as all are after a reboot: the same again, in its place."""

    ids: tuple[UUID, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Replace:
    """Instances serve that nothing restarts any more: an ordinary rollout takes their place."""

    environment_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """It runs and nobody wants it; its row, where there is one, is freed."""

    id: UUID


Action = StartAgain | Replace | Stop


def decide(
    desired: Sequence[Desired],
    observed: Mapping[UUID, Observation],
    *,
    ripe: frozenset[UUID] = frozenset(),
) -> list[Action]:
    """`ripe`: ids seen for long enough that their row cannot just be on its way.

    A crash loop is nobody's to end: it is shown, and its app may recover.
    """
    idle = [row for row in desired if not row.busy]
    return [
        *_missing([row for row in desired if not row.changing], observed),
        *_orphans(idle, observed),
        *_unwanted(desired, observed, ripe),
    ]


def _missing(rows: Sequence[Desired], observed: Mapping[UUID, Observation]) -> Iterator[Action]:
    ids = tuple(row.id for row in rows if _belongs(row) and _state(row, observed) in GONE)
    if ids:
        yield StartAgain(ids=ids)


def _orphans(rows: Sequence[Desired], observed: Mapping[UUID, Observation]) -> Iterator[Action]:
    environments = {
        row.environment_id: None
        for row in rows
        if _belongs(row) and row.id in observed and observed[row.id].orphan
    }
    yield from (Replace(environment_id=environment) for environment in environments)


def _unwanted(
    desired: Sequence[Desired], observed: Mapping[UUID, Observation], ripe: frozenset[UUID]
) -> Iterator[Action]:
    known = {row.id for row in desired}
    strangers = (one for one, seen in observed.items() if one not in known and _runs(seen))
    yield from (Stop(id=one) for one in strangers if one in ripe)
    leftovers = (row.id for row in desired if not row.busy and not _belongs(row))
    yield from (Stop(id=one) for one in leftovers if one in ripe)


def _belongs(row: Desired) -> bool:
    return row.wanted and row.serving


def _runs(seen: Observation) -> bool:
    return seen.state in LIVING or seen.state is InstanceState.CRASHED


def _state(row: Desired, observed: Mapping[UUID, Observation]) -> InstanceState:
    seen = observed.get(row.id)
    return seen.state if seen else InstanceState.MISSING
