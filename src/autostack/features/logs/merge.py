"""The lines of several instances as one, ordered by time. Blocking: call it in a thread.

A key names a line among all of them: time, instance, place. It says where each instance's lines
go on, so one key is enough to resume.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from autostack.core.logs import reader
from autostack.core.logs.reader import START, Line, Place
from autostack.features.logs.errors import LogPlaceInvalid


@dataclass(frozen=True, slots=True, kw_only=True)
class Spring:
    """An instance whose lines are read."""

    id: UUID
    process: str
    index: int
    folder: str


class Key(NamedTuple):
    """Where a line stands among all. Compares like the lines are ordered."""

    at: int
    instance: str
    place: Place

    @classmethod
    def parse(cls, text: str) -> "Key":
        at, *rest = text.split("-")
        match rest:
            case [instance, segment, offset] if _plain(at, segment, offset):
                return cls(int(at), instance, Place(int(segment), int(offset)))
            case _:
                raise LogPlaceInvalid

    def __str__(self) -> str:
        return f"{self.at}-{self.instance}-{self.place.segment}-{self.place.offset}"


class Merged(NamedTuple):
    """A line and whose it is."""

    key: Key
    spring: Spring
    line: Line


Places = Mapping[UUID, Place]


def starts(springs: Iterable[Spring], after: Key | None) -> dict[UUID, Place]:
    """Where each is read on behind a key; from the beginning without one."""
    return {spring.id: START if after is None else _behind(spring, after) for spring in springs}


def at_time(springs: Iterable[Spring], at: int) -> dict[UUID, Place]:
    return {spring.id: reader.since(spring.folder, at) for spring in springs}


def ends(springs: Iterable[Spring]) -> dict[UUID, Place]:
    return {spring.id: reader.end(spring.folder) for spring in springs}


def forward(
    springs: Sequence[Spring], places: Places, *, limit: int, until: int | None = None
) -> list[Merged]:
    """At most `limit` lines behind these places, in order; none later than `until`, in
    milliseconds.
    """
    found: list[Merged] = []
    horizon: Key | None = None
    for spring in springs:
        place = places.get(spring.id, START)
        if not reader.grown(spring.folder, place):
            continue
        lines = [
            _merged(spring, line) for line in reader.forward(spring.folder, place, limit=limit)
        ]
        found += lines
        if len(lines) == limit and (horizon is None or lines[-1].key < horizon):
            # This one has more; what others have behind its last line comes later.
            horizon = lines[-1].key
    found.sort(key=lambda one: one.key)
    return [
        one
        for one in found[:limit]
        if (horizon is None or one.key <= horizon) and (until is None or one.key.at <= until)
    ]


def backward(springs: Sequence[Spring], before: Key | None, *, limit: int) -> list[Merged]:
    """The last `limit` lines in front of a key, or of all, in order."""
    found: list[Merged] = []
    for spring in springs:
        place = None if before is None else _behind(spring, before)
        lines = reader.backward(spring.folder, place, limit=limit + 1)
        found += [_merged(spring, line) for line in lines]
    found = [one for one in found if before is None or one.key < before]
    found.sort(key=lambda one: one.key)
    return found[-limit:]


def advanced(places: Places, lines: Iterable[Merged]) -> dict[UUID, Place]:
    return {**places, **{one.spring.id: one.line.place for one in lines}}


def _behind(spring: Spring, key: Key) -> Place:
    if spring.id.hex == key.instance:
        return key.place
    return reader.since(spring.folder, key.at + (spring.id.hex < key.instance))


def _merged(spring: Spring, line: Line) -> Merged:
    return Merged(Key(line.record.at, spring.id.hex, line.place), spring, line)


def _plain(*numbers: str) -> bool:
    return all(text.isascii() and text.isdigit() and len(text) < 16 for text in numbers)  # noqa: PLR2004 - any real one is shorter
