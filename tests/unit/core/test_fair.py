"""Who waits longest is served first, and nothing is lost when somebody gives up."""

import asyncio
from contextlib import suppress

import pytest

from autostack.core.fair import InOrder


async def test_a_newcomer_does_not_take_what_another_waits_for() -> None:
    queue = InOrder[str]()
    waiting = asyncio.create_task(queue.get())
    await asyncio.sleep(0)

    queue.put_nowait("one")

    with pytest.raises(asyncio.QueueEmpty):
        queue.get_nowait()
    assert await waiting == "one"


async def test_what_went_to_one_who_gave_up_goes_to_the_next() -> None:
    queue = InOrder[str]()
    first, second = asyncio.create_task(queue.get()), asyncio.create_task(queue.get())
    await asyncio.sleep(0)

    queue.put_nowait("one")
    first.cancel()
    with suppress(asyncio.CancelledError):
        await first

    assert await second == "one"


async def test_who_gave_up_earlier_is_passed_over() -> None:
    queue = InOrder[str]()
    waiting = asyncio.create_task(queue.get())
    await asyncio.sleep(0)
    waiting.cancel()
    with suppress(asyncio.CancelledError):
        await waiting

    queue.put_nowait("one")

    assert queue.get_nowait() == "one"


async def test_the_last_put_is_taken_first() -> None:
    queue = InOrder[int]()
    queue.put_nowait(1)
    queue.put_nowait(2)

    assert [await queue.get(), await queue.get()] == [2, 1]
