"""What a switch costs visitors, measured on each deployment: their own requests as the edge
counts them, and a steady low rate of ours through the edge from before the switch to the end of
the drain.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from autostack.engine.ports import Router
from autostack.engine.release import Answer, Routes
from autostack.engine.tally import NONE, Tally

SERVER_ERROR = 500
LIMIT = timedelta(seconds=10)
LONGEST = 300.0
"""Seconds; the end of a measurement may never come, as when its environment is removed."""
LEAST_TIMED = 10
"""Requests below which a p95 says nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What came of the requests between the switch and the end of the drain.

    `failed` were answered 502, 503 or 504: nobody answered them. `errors` are the app's own other
    answers of 500 and above. `visits` are ours. Latencies in seconds.
    """

    requests: int
    failed: int
    errors: int
    visits: int
    visits_failed: int
    seconds: float
    p95_before: float | None = None
    p95_after: float | None = None
    first_failure: str = ""

    @property
    def summary(self) -> str:
        """As people read it: `0 of 412 requests failed, p95 12 → 14 ms`."""
        if self.requests:
            said = f"{self.failed} of {self.requests} requests failed"
        else:
            said = "No requests came"
        if self.requests and self.p95_before is not None and self.p95_after is not None:
            said += f", p95 {self.p95_before * 1000:.0f} → {self.p95_after * 1000:.0f} ms"
        if self.errors:
            said += f"; the app itself answered {self.errors} with an error"
        if self.visits and (self.visits_failed or not self.requests):
            said += f"; {self.visits_failed} of {self.visits} probes failed"
        return said + (f" ({self.first_failure})." if self.first_failure else ".")


@dataclass(slots=True)
class _Open:
    """A measurement under way."""

    begun: float
    base: Mapping[UUID, Tally]
    visiting: asyncio.Task[None] | None = None
    answers: list[Answer] = field(default_factory=list[Answer])


class Gauge:
    """The measurements under way in this worker, by deployment. They end with it: what a
    successor cannot know it does not tell.
    """

    def __init__(self, *, monotonic: Callable[[], float], longest: float = LONGEST) -> None:
        self._monotonic = monotonic
        self._longest = longest
        self._open: dict[UUID, _Open] = {}

    async def begin(
        self,
        deployment_id: UUID,
        router: Router,
        *,
        serving: Routes | None,
        path: str,
        every: float,
    ) -> None:
        """Before the switch. `serving` are the routes that lead somewhere already; without any
        there is nothing to interrupt, and nobody is sent.
        """
        await self.drop(deployment_id)
        await self._drop_forgotten()
        made = _Open(begun=self._monotonic(), base=await router.tallies(fresh=True))
        self._open[deployment_id] = made
        if serving is not None:
            visit = _visitor(router, serving, path)
            made.visiting = asyncio.create_task(
                _visit(made.answers, visit, every, most=round(self._longest / every))
            )

    async def _drop_forgotten(self) -> None:
        oldest = self._monotonic() - self._longest
        for one in [one for one, made in self._open.items() if made.begun < oldest]:
            await self.drop(one)

    async def end(
        self, deployment_id: UUID, router: Router, *, old: UUID | None, new: UUID, usual: Tally
    ) -> Evidence | None:
        """After the drain. None when nothing was begun here, or nothing served before."""
        made = self._open.get(deployment_id)
        await self.drop(deployment_id)
        if made is None or old is None:
            return None
        now = await router.tallies(fresh=True)
        since = {one: now.get(one, NONE) - made.base.get(one, NONE) for one in {old, new}}
        both = sum(since.values(), NONE)
        bad = [one for one in made.answers if failed(one)]
        return Evidence(
            requests=both.requests,
            failed=both.gateway,
            errors=both.errors - both.gateway,
            visits=len(made.answers),
            visits_failed=len(bad),
            seconds=round(self._monotonic() - made.begun, 2),
            p95_before=p95(usual),
            p95_after=p95(since[new]),
            first_failure=_words(bad[0]) if bad else "",
        )

    async def drop(self, deployment_id: UUID) -> None:
        """Nothing is measured any more."""
        made = self._open.pop(deployment_id, None)
        if made is not None and made.visiting is not None:
            made.visiting.cancel()
            await asyncio.gather(made.visiting, return_exceptions=True)


def p95(tally: Tally) -> float | None:
    if sum(tally.latency) < LEAST_TIMED:
        return None
    found = tally.quantile(0.95)
    return None if found is None else round(found, 4)


def failed(answer: Answer) -> bool:
    return bool(answer.error) or answer.status is None or answer.status >= SERVER_ERROR


def _words(answer: Answer) -> str:
    return f"the first: {answer.error or f'HTTP {answer.status}'}"


def _visitor(router: Router, routes: Routes, path: str) -> Callable[[], Awaitable[Answer]]:
    async def visit() -> Answer:
        return await router.visit(routes, path=path, limit=LIMIT)

    return visit


async def _visit(
    answers: list[Answer], visit: Callable[[], Awaitable[Answer]], every: float, *, most: int
) -> None:
    """One after the other is not enough: a visit that hangs must not hide the next ones."""
    under_way: set[asyncio.Task[None]] = set()

    async def once() -> None:
        answers.append(await visit())

    try:
        for _ in range(most):
            task = asyncio.create_task(once())
            under_way.add(task)
            task.add_done_callback(under_way.discard)
            await asyncio.sleep(every)
    finally:
        # Those that are out are heard: they began before the drain's end.
        await asyncio.gather(*under_way, return_exceptions=True)
