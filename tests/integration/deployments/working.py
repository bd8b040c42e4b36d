"""The real worker, with a job queue of its own."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

from autostack.entrypoints.worker import work_on
from autostack.features.deployments.tasks import Works


@asynccontextmanager
async def working(works: Works, url: str) -> AsyncGenerator[asyncio.Task[None]]:
    task = asyncio.create_task(work_on(works, url))
    try:
        yield task
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def until(true: Callable[[], Awaitable[bool]], *, limit: float = 60) -> float:
    begun = time.monotonic()
    async with asyncio.timeout(limit):
        while not await true():  # noqa: ASYNC110 - rows tell nobody
            await asyncio.sleep(0.005)
    return time.monotonic() - begun
