"""Waiting for what a test expects, with a deadline."""

import asyncio
import time
import urllib.request
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

LIMIT = 20.0
T = TypeVar("T")


async def get(address: str, *, limit: float = LIMIT) -> str:
    """The body of the first answer."""

    def ask() -> str:
        with urllib.request.urlopen(f"http://{address}/", timeout=2) as answer:
            return str(answer.read().decode())

    deadline = time.monotonic() + limit
    while True:
        try:
            return await asyncio.to_thread(ask)
        except OSError:
            if time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.02)


async def until(
    ask: Callable[[], Awaitable[T]], wanted: Callable[[T], bool], *, limit: float = LIMIT
) -> T:
    deadline = time.monotonic() + limit
    while True:
        answer = await ask()
        if wanted(answer):
            return answer
        assert time.monotonic() < deadline, answer
        await asyncio.sleep(0.05)


async def printed(file: Path, text: str, *, limit: float = LIMIT) -> str:
    """The output, once it holds `text`."""

    async def look() -> str:
        return read(file)

    return await until(look, lambda seen: text in seen, limit=limit)


def read(file: Path) -> str:
    return file.read_text() if file.exists() else ""
