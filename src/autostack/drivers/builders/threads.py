"""Blocking file work in a thread that ends when its task is canceled."""

import asyncio
from collections.abc import Callable
from threading import Event
from typing import TypeVar

T = TypeVar("T")


class Stopped(Exception):
    """The task that wanted the work is gone."""


def go_on(stop: Event) -> None:
    if stop.is_set():
        raise Stopped


async def in_thread(work: Callable[[Event], T]) -> T:
    """Never leaves the thread behind: a canceled task waits until `work` has seen `stop`."""
    stop = Event()
    future = asyncio.ensure_future(asyncio.to_thread(work, stop))
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        stop.set()
        await asyncio.wait({future})
        if not future.cancelled():
            future.exception()
        raise
