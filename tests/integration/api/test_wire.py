"""Requests whose head has no end, at a real server."""

import asyncio
import time
from collections.abc import AsyncGenerator

import pytest
import uvicorn
from fastapi import FastAPI

from autostack.web.wire import Bounded


class Impatient(Bounded):
    head_time = 0.3


@pytest.fixture
async def port() -> AsyncGenerator[int]:
    app = FastAPI()

    @app.get("/slow")
    async def slow() -> str:
        await asyncio.sleep(0.8)
        return "done"

    config = uvicorn.Config(app, http=Impatient, port=0, log_level="error", lifespan="off")
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn tells nobody
        await asyncio.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await running


async def ask(port: int, *pieces: bytes, pause: float = 0.05) -> bytes:
    """Everything that comes back until the other side hangs up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    found = b""
    try:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause)
        found = await reader.read()
    except ConnectionError:
        found += b"hung up"
    finally:
        writer.close()
    return found


async def test_a_header_without_end_is_refused_before_it_fills_memory(port: int) -> None:
    head = b"GET / HTTP/1.1\r\nHost: localhost\r\nX: "

    answer = await ask(port, head, *(b"x" * 16_384 for _ in range(100)), pause=0)

    assert b" 431 " in answer or answer.endswith(b"hung up")


@pytest.mark.parametrize("pieces", [[], [b"GET / HT"], [b"GET / HTTP/1.1\r\n", b"A: b\r\n"] * 5])
async def test_a_head_that_does_not_come_is_given_up(port: int, pieces: list[bytes]) -> None:
    began = time.monotonic()

    answer = await ask(port, *pieces, pause=0.1)

    assert b" 408 " in answer or answer.endswith(b"hung up")
    assert time.monotonic() - began < 5


async def test_ordinary_requests_take_the_time_they_need(port: int) -> None:
    head = b"GET /slow HTTP/1.1\r\nHost: localhost\r\n"

    answer = await ask(port, head + b"\r\n", head + b"Connection: close\r\n\r\n")

    assert answer.count(b"200 OK") == 2
    assert answer.count(b'"done"') == 2
