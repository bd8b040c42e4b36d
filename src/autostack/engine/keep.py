"""Which releases' builds may be removed. Pure: rows in, what may go out.

What runs, what a rollback would bring back and what anything at work refers to is never in it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

UNSERVED = 3
"""Of those that never served, the newest stay to be looked at."""
FEWEST = 2
"""What runs and the one before: nobody keeps less."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """A release whose build is here. `served_at` is when it last took the traffic and kept it."""

    id: UUID
    number: int
    served_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """What is stored of one environment. `routed` is where its domains lead; `referred` are the
    releases of living instances and of deployments that are not settled, with what those lead
    the domains back to when they fail.
    """

    stored: tuple[Stored, ...]
    routed: UUID | None = None
    referred: frozenset[UUID] = frozenset()


def surplus(shelf: Shelf, *, keep: int) -> tuple[Stored, ...]:
    """What may go when the `keep` newest that served stay, oldest first."""
    ranked = sorted(shelf.stored, key=lambda one: one.number, reverse=True)
    served = [one.id for one in ranked if one.served_at is not None]
    unserved = [one.id for one in ranked if one.served_at is None]
    stay = {*served[: max(keep, FEWEST)], *unserved[:UNSERVED], *untouchable(shelf)}
    return tuple(one for one in reversed(ranked) if one.id not in stay)


def dispensable(shelf: Shelf) -> tuple[Stored, ...]:
    """What may go when space runs out: all that is not untouchable, oldest first."""
    stay = untouchable(shelf)
    ranked = sorted(shelf.stored, key=lambda one: one.number)
    return tuple(one for one in ranked if one.id not in stay)


def untouchable(shelf: Shelf) -> frozenset[UUID]:
    running = {shelf.routed} if shelf.routed else set[UUID]()
    return frozenset({*running, *shelf.referred, *_to_go_back_to(shelf)})


def _to_go_back_to(shelf: Shelf) -> Iterator[UUID]:
    """The one before by number, which a rollback without a choice brings back, and the one that
    served last. They differ after a rollback: one may want to go forward again.
    """
    current = next((one for one in shelf.stored if one.id == shelf.routed), None)
    others = [one for one in shelf.stored if one.served_at is not None and one.id != shelf.routed]
    before = [one for one in others if current is None or one.number < current.number]
    if before:
        yield max(before, key=lambda one: one.number).id
    if others:
        yield max(others, key=lambda one: (one.served_at, one.number)).id
