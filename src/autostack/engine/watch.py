"""The watch: what a release does in its first minute, against the one before."""

from collections import defaultdict, deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from autostack.engine import gauge, growth, verdict
from autostack.engine.check import has_crashed
from autostack.engine.growth import Held, Sample
from autostack.engine.order import Goal
from autostack.engine.reconcile import GONE
from autostack.engine.release import Exit, Observation
from autostack.engine.run import Run, together
from autostack.engine.tally import NONE, Tally
from autostack.engine.verdict import Traffic

WARM_UP = 15.0
"""Seconds after which slowness counts; a quarter of the watch where that is less."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """What is worse than before. `instance` where one of them did not hold out."""

    process: str
    words: str
    instance: UUID | None = None
    exit: Exit | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """How a watch ended: `passed`, `worse` or `replaced`, and what it is based on."""

    state: str
    trouble: Trouble | None
    seconds: float
    figures: dict[str, Any]


class Watch:
    """One watch from its begin on; a worker that takes it over begins a new one."""

    def __init__(self, run: Run, *, release: UUID, before: Tally, seconds: float) -> None:
        self._run = run
        self._release = release
        self._before = before
        self._seconds = seconds
        self._warm_up = min(WARM_UP, seconds / 4)
        self._begun = run.tools.monotonic()
        self._base: Tally | None = None
        self._warm: Tally | None = None
        self._since = NONE
        self._history: deque[tuple[float, Tally]] = deque()
        self._judged = float("-inf")
        self._restarts: dict[UUID, int] = {}
        self._samples: dict[tuple[str, UUID], list[Sample]] = defaultdict(list)
        """By process type and instance."""
        self._held_before: dict[str, int] = {}

    async def over(self) -> Seen:
        """Watch until the time is up, a newer release has taken over, or this one is worse.

        Looks once more when the time is up: also a machine that stood still has then looked.
        """
        await self._judge()
        await self._weigh_before()
        over = False
        while not over:
            over = self._elapsed() >= self._seconds
            if not await self._run.journal.current():
                return self._seen("replaced")
            trouble = await self._crashed() or await self._errors()
            if trouble is not None and await self._run.journal.current():
                return self._seen("worse", trouble)
            if not over:
                await self._run.tools.sleep(self._run.tools.pace.look)
        await self._judge()
        words = verdict.too_slow(self._traffic())
        trouble = Trouble(process="web", words=words) if words else await self._outgrown()
        if trouble is not None and await self._run.journal.current():
            return self._seen("worse", trouble)
        return self._seen("passed")

    def _elapsed(self) -> float:
        return self._run.tools.monotonic() - self._begun

    def _seen(self, state: str, trouble: Trouble | None = None) -> Seen:
        return Seen(
            state=state, trouble=trouble, seconds=round(self._elapsed(), 2), figures=self._figures()
        )

    def _figures(self) -> dict[str, Any]:
        """What is shown. Without traffic that is said, and health and restarts decide alone."""
        return {
            "requests": self._since.requests,
            "errors": self._since.errors,
            "p95": gauge.p95(self._since),
            "before": {
                "requests": self._before.requests,
                "errors": self._before.errors,
                "p95": gauge.p95(self._before),
            },
            "memory": self._weights(),
            "basis": "traffic" if self._since.requests >= verdict.LEAST_REQUESTS else "health",
        }

    async def _crashed(self) -> Trouble | None:
        """What is gone was ended on purpose, as by a newer deployment that makes room, or by a
        reboot: an app that fails is seen failing.
        """
        mine = await self._run.journal.mine()
        seen = await together([self._run.tools.runtime.inspect(one.id) for one in mine])
        self._weigh({(one.process, one.id): now.held for one, now in zip(mine, seen, strict=True)})
        for one, now in zip(mine, seen, strict=True):
            known = self._known_restarts(now)
            if now.state in GONE or not has_crashed(now, restarts=known):
                continue
            if now.exit is not None:
                words = f"ended with exit code {now.exit.code}"
            else:
                words = "was restarted" if now.restarts > known else f"is {now.state.value}"
            return Trouble(process=one.process, words=words, instance=one.id, exit=now.exit)
        return None

    def _known_restarts(self, seen: Observation) -> int:
        """Those before the first look count too, but for instances a rollback took over."""
        first = seen.restarts if self._run.order.goal is Goal.ROLLBACK else 0
        return self._restarts.setdefault(seen.id, first)

    # Memory

    async def _weigh_before(self) -> None:
        """What an instance of the release before holds; it is still kept, and has its caches."""
        older = await self._run.journal.older()
        seen = await together([self._run.tools.runtime.inspect(one.id) for one in older])
        for one, now in zip(older, seen, strict=True):
            known = self._held_before.get(one.process, 0)
            self._held_before[one.process] = max(known, now.held)

    def _weigh(self, seen: Mapping[tuple[str, UUID], int]) -> None:
        """As often as visitors' answers are judged."""
        at = self._elapsed()
        if at < self._warm_up:
            return
        for one, held in seen.items():
            if held and self._due(one, at):
                self._samples[one].append(Sample(at=at, held=held))

    def _due(self, one: tuple[str, UUID], at: float) -> bool:
        kept = self._samples.get(one)
        return not kept or at - kept[-1].at >= self._run.tools.pace.judge

    async def _outgrown(self) -> Trouble | None:
        for spec in await self._run.journal.specs([instance for _, instance in self._samples]):
            held = Held(
                samples=self._samples[spec.process, spec.id],
                before=self._held_before.get(spec.process, 0),
                limit=spec.limits.memory,
            )
            if words := growth.outgrows(held):
                return Trouble(process=spec.process, words=words)
        return None

    def _weights(self) -> dict[str, dict[str, int | None]]:
        """Bytes, by process type, of the largest instance."""
        now: dict[str, int] = {}
        for (kind, _), samples in self._samples.items():
            now[kind] = max(now.get(kind, 0), samples[-1].held)
        return {
            kind: {"now": held, "before": self._held_before.get(kind) or None}
            for kind, held in now.items()
        }

    async def _errors(self) -> Trouble | None:
        if self._elapsed() - self._judged < self._run.tools.pace.judge:
            return None
        await self._judge()
        words = verdict.too_many_errors(self._traffic())
        return Trouble(process="web", words=words) if words else None

    async def _judge(self) -> None:
        """Take the figures of this moment."""
        now = (await self._run.tools.router.tallies()).get(self._release, NONE)
        if self._base is None:
            self._base = now
        at = self._judged = self._elapsed()
        if self._warm is None and at >= self._warm_up:
            self._warm = now
        self._since = now - self._base
        self._history.append((at, now))
        while len(self._history) > 2 and at - self._history[1][0] >= self._run.tools.pace.lately:  # noqa: PLR2004
            self._history.popleft()

    def _traffic(self) -> Traffic:
        newest = self._history[-1][1]
        return Traffic(
            before=self._before,
            since=self._since,
            lately=newest - self._history[0][1],
            warm=newest - self._warm if self._warm is not None else NONE,
        )
