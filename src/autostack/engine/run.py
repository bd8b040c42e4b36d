"""One deployment while it is being carried out: its order, its tools, and what was seen."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Coroutine, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID

from autostack.core.logs.redaction import Redaction
from autostack.engine.errors import StepTimedOut
from autostack.engine.order import OpenLogSink, Order, Tools
from autostack.engine.plan import Plan
from autostack.engine.ports import Journal, StepRecord
from autostack.engine.release import Exit, Listener, Step

KEPT_LINES = 1000
"""A compiler says a lot below the line that names the package."""
KEPT_LINE = 2000

T = TypeVar("T")


class RememberingLog:
    """Passes everything on and remembers the last lines of programs, for the diagnosis."""

    def __init__(self, sink: OpenLogSink) -> None:
        self._sink = sink
        self._rest = b""
        self.lines: deque[str] = deque(maxlen=KEPT_LINES)

    def say(self, text: str, *, step: Step, level: str = "info") -> None:
        self._sink.say(text, step=step, level=level)

    def output(self, data: bytes, *, step: Step) -> None:
        self._sink.output(data, step=step)
        *whole, self._rest = (self._rest + data).split(b"\n")
        self.lines.extend(line.decode(errors="replace")[:KEPT_LINE] for line in whole)
        self._rest = self._rest[-KEPT_LINE:]

    def close(self) -> None:
        self._sink.close()

    def last(self) -> tuple[str, ...]:
        rest = self._rest.decode(errors="replace")
        return (*self.lines, rest) if rest else tuple(self.lines)


class Run:
    """What the steps share. Everything that must outlive a crash is in the journal instead."""

    def __init__(self, order: Order, tools: Tools, journal: Journal) -> None:
        self.order = order
        self.tools = tools
        self.journal = journal
        self.log = RememberingLog(tools.open_log(order.id, order.secrets))
        self._redaction = Redaction(order.secrets)
        self.at = Step.FETCH
        self.plan: Plan | None = order.reuse.plan if order.reuse else None
        self.exit: Exit | None = None
        self.memory: int | None = None
        """What whoever ended with `exit` was allowed to use, in bytes."""
        self.port: int | None = None
        self.listeners: tuple[Listener, ...] = ()
        self.suspect: UUID | None = None
        """The instance a failure is about: its last lines tell why."""

    @asynccontextmanager
    async def step(
        self, step: Step, *, limit: timedelta | None = None
    ) -> AsyncGenerator[StepRecord]:
        """A journal step under its deadline."""
        self.at = step
        limit = limit or self.tools.deadline(step)
        async with self.journal.step(step) as record:
            if limit is None:
                yield record
                return
            deadline = asyncio.timeout(limit.total_seconds())
            try:
                async with deadline:
                    yield record
            except TimeoutError:
                if deadline.expired():
                    raise StepTimedOut(step, limit.total_seconds()) from None
                raise

    def say(self, text: str, *, level: str = "info") -> None:
        self.log.say(text, step=self.at, level=level)

    async def warn(self, text: str) -> None:
        self.say(text, level="warning")
        await self.journal.warned(text)

    def redact(self, text: str) -> str:
        return self._redaction.hide(text.encode(errors="replace")).decode(errors="replace")


async def together(works: Sequence[Awaitable[T]]) -> list[T]:
    """All at once; the first failure ends the others and is raised as it is."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        return list(await asyncio.gather(*tasks))
    finally:
        await end(*tasks)


async def end(*tasks: asyncio.Future[T]) -> None:
    """Cancel what still runs and wait until it is really over."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def guarded(work: Coroutine[Any, Any, T], guard: Coroutine[Any, Any, None]) -> T:
    """The result of the work. When the guard ends first, by raising, the work is ended and the
    guard's error raised.
    """
    body, watcher = asyncio.ensure_future(work), asyncio.ensure_future(guard)
    try:
        await asyncio.wait({body, watcher}, return_when=asyncio.FIRST_COMPLETED)
        if not body.done():
            await end(body)
            watcher.result()
        return body.result()
    finally:
        await end(body)
        await end(watcher)
