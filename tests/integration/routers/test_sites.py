"""A site is routed to its server only when that one answers."""

import asyncio
import time
from datetime import timedelta
from pathlib import Path

import pytest

from autostack.drivers.routers.documents import Sites
from autostack.drivers.routers.sites import until_open
from autostack.engine.errors import SwitchUnconfirmed
from tests.platform import free_ports

LATE = 0.3


def at(port: int) -> Sites:
    return Sites(address=f"127.0.0.1:{port}", root=Path("/nonexistent"), key="key")


async def test_a_server_that_has_just_been_started_is_waited_for() -> None:
    [port] = free_ports(1)
    begun = time.monotonic()

    waiting = asyncio.create_task(until_open(at(port), limit=timedelta(seconds=10)))
    await asyncio.sleep(LATE)
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", port)
    async with server:
        await waiting

    assert time.monotonic() - begun >= LATE


async def test_a_server_that_never_answers_is_not_waited_for_without_end() -> None:
    [port] = free_ports(1)

    with pytest.raises(SwitchUnconfirmed):
        await until_open(at(port), limit=timedelta(seconds=0.2))
