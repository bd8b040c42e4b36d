"""Which builds may start now, in which order, and what the others wait for. Pure."""

import heapq
from collections import Counter, defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from uuid import UUID

from autostack.engine.plan import Family
from autostack.engine.release import MIB

GIB = 1024 * MIB
GUESS = 512 * MIB
GUESSES = {
    Family.STATIC: 128 * MIB,
    Family.NODE: 1024 * MIB,
    Family.DOCKERFILE: 1024 * MIB,
}
"""What a build of such a project may need, until one was measured; others are GUESS."""
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """Memory in bytes a build is expected to need: the peak of the last ones, or a guess."""

    bytes: int = GUESS
    measured: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A build that has not begun. `since` decides between those of one project; `hungry` is
    when it was first refused for want of memory.
    """

    id: UUID
    project_id: UUID
    production: bool
    since: datetime
    need: Need = Need()
    hungry: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Building:
    project_id: UUID
    need: Need = Need()


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """Of the machine, or of the group the platform itself is confined to, in bytes. `builds` is
    what builds use now; `reserve` is kept for apps to grow into.
    """

    total: int
    available: int
    builds: int = 0
    reserve: int = 0

    def free(self, building: Sequence[Building]) -> int:
        """What is left when those that build have grown to what they are expected to need."""
        expected = sum(one.need.bytes for one in building)
        return max(0, self.available - self.reserve - max(0, expected - self.builds))

    @property
    def alone(self) -> int:
        """What is left when nothing else builds."""
        return max(0, self.available + self.builds - self.reserve)


PLENTY = Memory(total=1 << 60, available=1 << 60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """`wait` is how long a build may want memory before it fails; `patience` after how long
    one of another environment counts as much as production's.
    """

    slots: int = 2
    wait: timedelta = timedelta(minutes=30)
    patience: timedelta = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """It may begin. `warning` is what its users should know of that."""

    id: UUID
    warning: str = ""


class Reason(StrEnum):
    SLOTS = "slots"
    MEMORY = "memory"
    ENVIRONMENT = "environment"
    """The deployment before it in its environment is under way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """It stays in line; `position` 1 is next."""

    id: UUID
    position: int
    running: int
    reason: Reason
    words: str

    @property
    def ahead(self) -> int:
        return self.position - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveUp:
    id: UUID
    words: str


Verdict = Start | Wait | GiveUp


def decide(
    waiting: Sequence[Waiting],
    building: Sequence[Building],
    *,
    served: Mapping[UUID, datetime],
    memory: Memory,
    rules: Rules,
    now: datetime,
) -> list[Verdict]:
    """A verdict for each, first in line first. `served` is when a project's last build began.

    Builds of one project share its cache, so one of them runs at a time. A build that wants
    memory keeps those behind it waiting only while the end of a running one would give it that
    memory; where apps hold it, smaller builds pass.
    """
    verdicts: list[Verdict] = []
    busy, held, position = list(building), False, 0
    for one in in_order(waiting, building, served=served, rules=rules, now=now):
        taken = one.project_id in {other.project_id for other in busy}
        room = not (held or taken) and len(busy) < rules.slots
        if room and _fits(one, busy, memory):
            verdicts.append(Start(id=one.id, warning=_warning(one, memory)))
            busy.append(Building(project_id=one.project_id, need=one.need))
            continue
        hungry = room and not _fits(one, busy, memory)
        if hungry and _is_too_late(one, memory, rules, now):
            verdicts.append(GiveUp(id=one.id, words=_in_vain(one, memory, rules)))
            continue
        position += 1
        held = held or (hungry and bool(busy) and _could_fit(one, memory))
        words = (
            _hunger(one, busy, memory) if hungry else _line(len(busy), position - 1, taken=taken)
        )
        reason = Reason.MEMORY if hungry else Reason.SLOTS
        verdicts.append(
            Wait(id=one.id, position=position, running=len(busy), reason=reason, words=words)
        )
    return verdicts


def in_order(
    waiting: Sequence[Waiting],
    building: Sequence[Building],
    *,
    served: Mapping[UUID, datetime],
    rules: Rules,
    now: datetime,
) -> list[Waiting]:
    """Production first; then the project that builds least, then the one whose last build is
    longest ago; within a project first come, first served.
    """
    counts = Counter(one.project_id for one in building)
    turns = dict(served)
    urgent = [one for one in waiting if one.production or now - one.since >= rules.patience]
    known = {one.id for one in urgent}
    rest = [one for one in waiting if one.id not in known]
    return [*_in_turns(urgent, counts, turns, now), *_in_turns(rest, counts, turns, now)]


def _in_turns(
    waiting: Sequence[Waiting], counts: Counter[UUID], turns: dict[UUID, datetime], now: datetime
) -> Iterator[Waiting]:
    lines: dict[UUID, deque[Waiting]] = defaultdict(deque)
    for one in sorted(waiting, key=lambda one: (one.since, one.id)):
        lines[one.project_id].append(one)

    def rank(project_id: UUID) -> tuple[int, datetime, datetime, UUID]:
        last = turns.get(project_id, _LONG_AGO)
        return counts[project_id], last, lines[project_id][0].since, project_id

    heads = [rank(project_id) for project_id in lines]
    heapq.heapify(heads)
    while heads:
        project_id = heapq.heappop(heads)[-1]
        yield lines[project_id].popleft()
        counts[project_id] += 1
        turns[project_id] = now
        if lines[project_id]:
            heapq.heappush(heads, rank(project_id))


def _fits(one: Waiting, building: Sequence[Building], memory: Memory) -> bool:
    if not building and (not one.need.measured or _never_fits(one, memory)):
        return True
    return not _never_fits(one, memory) and one.need.bytes <= memory.free(building)


def _never_fits(one: Waiting, memory: Memory) -> bool:
    return one.need.bytes > memory.total - memory.reserve


def _could_fit(one: Waiting, memory: Memory) -> bool:
    """Once nothing else builds."""
    return not one.need.measured or _never_fits(one, memory) or one.need.bytes <= memory.alone


def _is_too_late(one: Waiting, memory: Memory, rules: Rules, now: datetime) -> bool:
    if one.hungry is None or _could_fit(one, memory):
        return False
    return now - one.hungry >= rules.wait


def _warning(one: Waiting, memory: Memory) -> str:
    if not (one.need.measured and _never_fits(one, memory)):
        return ""
    return (
        f"The last build needed {size(one.need.bytes)} of memory, more than this machine has for "
        f"builds ({size(memory.total - memory.reserve)}). It runs alone and may be ended."
    )


def _line(running: int, ahead: int, *, taken: bool) -> str:
    runs = "1 build runs" if running == 1 else f"{running} builds run"
    runs = "a build of this project runs" if taken else runs
    return f"{runs}, {ahead} ahead of this one"


def _hunger(one: Waiting, building: Sequence[Building], memory: Memory) -> str:
    if _never_fits(one, memory):
        return f"{_needs(one)}, more than this machine has: it runs when nothing else builds"
    return f"{_needs(one)}, {size(memory.free(building))} free"


def _needs(one: Waiting) -> str:
    by = "by its last build" if one.need.measured else "at a guess"
    return f"needs ~{size(one.need.bytes)} {by}"


def _in_vain(one: Waiting, memory: Memory, rules: Rules) -> str:
    minutes = rules.wait.total_seconds() / 60
    return (
        f"The build {_needs(one)}; {size(memory.alone)} are free for it, and did not become more "
        f"within {minutes:g} minutes."
    )


def size(count: int) -> str:
    return f"{count / GIB:.1f} GB" if count >= GIB else f"{count // MIB} MB"
