"""Clients that keep their connection and time each answer; nothing is retried."""

import asyncio
import time
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import urlsplit

T = TypeVar("T")
_LIMIT = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What to ask for. `token` signs in, `host` is asked for instead of the address."""

    url: str
    token: str = ""
    host: str = ""

    @property
    def address(self) -> tuple[str, int]:
        parts = urlsplit(self.url)
        return parts.hostname or "", parts.port or 80

    @property
    def head(self) -> bytes:
        parts = urlsplit(self.url)
        signed_in = f"Authorization: Bearer {self.token}\r\n" if self.token else ""
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return (
            f"GET {path} HTTP/1.1\r\nHost: {self.host or parts.netloc}\r\n{signed_in}\r\n".encode()
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """Seconds of each good answer, ordered, and how many were not good."""

    seconds: tuple[float, ...]
    failed: int
    lasted: float

    @property
    def rate(self) -> float:
        return len(self.seconds) / self.lasted

    def quantile(self, part: float) -> float:
        if not self.seconds:
            return float("nan")
        return self.seconds[min(len(self.seconds) - 1, int(len(self.seconds) * part))]


def ask(targets: Sequence[Target], *, clients: int, seconds: float, pause: float = 0) -> Answers:
    """Each client asks the targets in turn, `pause` seconds between its answers."""
    return asyncio.run(_ask(targets, clients, seconds, pause))


async def _ask(targets: Sequence[Target], clients: int, seconds: float, pause: float) -> Answers:
    times: list[float] = []
    began = time.monotonic()

    def over() -> bool:
        return time.monotonic() >= began + seconds

    failures = await asyncio.gather(
        *(
            _client(targets, over, pause, pause * number / clients, times)
            for number in range(clients)
        )
    )
    lasted = time.monotonic() - began
    return Answers(seconds=tuple(sorted(times)), failed=sum(failures), lasted=lasted)


async def ask_while(target: Target, other: Coroutine[None, None, T]) -> tuple[Answers, T]:
    """One client, twenty times a second while `other` goes on, and what that gave."""
    times: list[float] = []
    began = time.monotonic()
    task = asyncio.create_task(other)
    failed = await _client([target], task.done, 0.05, 0, times)
    lasted = time.monotonic() - began
    return Answers(seconds=tuple(sorted(times)), failed=failed, lasted=lasted), await task


async def _client(
    targets: Sequence[Target],
    over: Callable[[], bool],
    pause: float,
    late: float,
    times: list[float],
) -> int:
    """How many of its requests failed; they do not all begin at once."""
    await asyncio.sleep(late)
    failed, number = 0, 0
    reader, writer = await asyncio.open_connection(*targets[0].address)
    while not over():
        begun = time.monotonic()
        try:
            async with asyncio.timeout(_LIMIT):
                good = await _one(reader, writer, targets[number % len(targets)])
        except (OSError, EOFError, TimeoutError, ValueError):
            good = False
            writer.close()
            reader, writer = await asyncio.open_connection(*targets[0].address)
        if good:
            times.append(time.monotonic() - begun)
        failed, number = failed + (not good), number + 1
        if pause:
            await asyncio.sleep(pause)
    writer.close()
    return failed


async def _one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, target: Target) -> bool:
    writer.write(target.head)
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).lower().split(b"\r\n")
    length = next(line for line in lines if line.startswith(b"content-length:"))
    await reader.readexactly(int(length.partition(b":")[2]))
    return first.split()[1] == b"200"
