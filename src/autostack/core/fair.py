"""A pool of connections that serves whoever waits longest."""

import asyncio
from collections import deque
from typing import TypeVar

from sqlalchemy.pool import AsyncAdaptedQueuePool, ConnectionPoolEntry
from sqlalchemy.util.queue import AsyncAdaptedQueue

T = TypeVar("T")


class InOrder(asyncio.LifoQueue[T]):
    """What is put goes to the first who waits. asyncio's own only wakes it: a newcomer may take
    the item first, and the one that was woken begins again behind all others.
    """

    def __init__(self, maxsize: int = 0) -> None:
        super().__init__(maxsize)
        self._waiting = deque[asyncio.Future[T]]()

    def put_nowait(self, item: T) -> None:
        while self._waiting:
            first = self._waiting.popleft()
            if not first.done():
                first.set_result(item)
                return
        super().put_nowait(item)

    async def get(self) -> T:
        if not self.empty():
            return self.get_nowait()
        place: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append(place)
        try:
            return await place
        except asyncio.CancelledError:
            if place.done() and not place.cancelled():
                self.put_nowait(place.result())
            raise


class _Connections(AsyncAdaptedQueue[ConnectionPoolEntry]):
    def __init__(self, maxsize: int = 0, use_lifo: bool = True) -> None:  # noqa: FBT001, FBT002 - as the pool calls it
        super().__init__(maxsize, use_lifo)
        self._queue = InOrder[ConnectionPoolEntry](maxsize)


class FairPool(AsyncAdaptedQueuePool):
    """Idle ones are used last in, first out: what a busy moment opened is closed again."""

    _queue_class = _Connections
