"""Load on one address, and an honest count of what went wrong.

    with load.during(Load(url="http://127.18.3.7:8080/", bodies=(b"one", b"two"))) as measured:
        ...  # redeploy
    assert measured.result.failed == 0, measured.result

Raw sockets, no client library: nothing is retried behind the count.
"""

import asyncio
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

LIMIT = 1 << 22


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What to ask for, and how often.

    `rate` new connections a second, one request each; `keep_alive` clients that ask again and
    again on one connection, `pause` seconds apart; `slow` clients that ask for
    `/slow?seconds={slow_seconds}` one after the other. A body that is not in `bodies` is wrong;
    none given: any body is right.
    """

    url: str
    host: str | None = None
    bodies: tuple[bytes, ...] = ()
    rate: float = 100
    keep_alive: int = 0
    pause: float = 0.01
    slow: int = 0
    slow_seconds: float = 2
    timeout: float = 15

    @property
    def address(self) -> tuple[str, int]:
        parts = urlsplit(self.url)
        return parts.hostname or "", parts.port or 80

    @property
    def path(self) -> str:
        parts = urlsplit(self.url)
        return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came back. Times are in seconds and leave the slow requests out."""

    sent: int
    ok: int
    refused: int
    reset: int
    timed_out: int
    server_errors: int
    truncated: int
    wrong: int
    bodies: Mapping[bytes, int]
    lost: Sequence[float]
    """When each request that failed was begun, by the monotonic clock."""
    p50: float
    p95: float
    p99: float
    longest: float

    @property
    def failed(self) -> int:
        return self.sent - self.ok

    def failed_since(self, moment: float) -> int:
        """How many of those begun after `moment` (monotonic) failed."""
        return sum(begun > moment for begun in self.lost)


class Truncated(Exception):
    pass


class ServerError(Exception):
    pass


class Wrong(Exception):
    pass


@dataclass
class Tally:
    ok: int = 0
    failures: Counter[str] = field(default_factory=Counter[str])
    bodies: Counter[bytes] = field(default_factory=Counter[bytes])
    times: list[float] = field(default_factory=list[float])
    lost: list[float] = field(default_factory=list[float])

    async def count(self, request: Awaitable[bytes], load: Load, *, timed: bool = True) -> bool:
        """Whether it went well; on False the connection is good for nothing more."""
        begun = time.monotonic()
        try:
            async with asyncio.timeout(load.timeout):
                body = await request
            self._check(body, load)
        except (OSError, Truncated, ServerError, Wrong, ValueError) as failure:
            self.failures[_kind(failure)] += 1
            self.lost.append(begun)
            return False
        self.ok += 1
        if timed:
            self.times.append(time.monotonic() - begun)
        return True

    def _check(self, body: bytes, load: Load) -> None:
        self.bodies[body[:100]] += 1
        if load.bodies and body not in load.bodies:
            raise Wrong

    def result(self) -> Result:
        times = sorted(self.times) or [0.0]
        return Result(
            sent=self.ok + self.failures.total(),
            ok=self.ok,
            refused=self.failures["refused"],
            reset=self.failures["reset"],
            timed_out=self.failures["timed_out"],
            server_errors=self.failures["server_errors"],
            truncated=self.failures["truncated"],
            wrong=self.failures["wrong"],
            bodies=dict(self.bodies),
            lost=tuple(self.lost),
            p50=_quantile(times, 0.5),
            p95=_quantile(times, 0.95),
            p99=_quantile(times, 0.99),
            longest=times[-1],
        )


def _kind(failure: Exception) -> str:
    match failure:
        case TimeoutError():
            return "timed_out"
        case ConnectionRefusedError():
            return "refused"
        case ServerError():
            return "server_errors"
        case Truncated():
            return "truncated"
        case Wrong() | ValueError():
            return "wrong"
        case _:
            return "reset"


def _quantile(ordered: Sequence[float], part: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))]


async def run(load: Load, *, seconds: float) -> Result:
    """Load for this long; requests on their way at the end are waited for."""
    stop = asyncio.Event()
    asyncio.get_running_loop().call_later(seconds, stop.set)
    return await until(load, stop)


async def until(load: Load, stop: asyncio.Event) -> Result:
    tally = Tally()
    async with asyncio.TaskGroup() as clients:
        clients.create_task(_new_connections(load, tally, stop))
        for _ in range(load.keep_alive):
            clients.create_task(_keep_alive(load, tally, stop))
        for _ in range(load.slow):
            clients.create_task(_slow(load, tally, stop))
    return tally.result()


@dataclass
class Measured:
    """Filled when the load has ended."""

    _result: Result | None = None

    @property
    def result(self) -> Result:
        assert self._result is not None, "the load has not ended yet"
        return self._result

    def end(self, result: Result) -> None:
        self._result = result


@contextmanager
def during(load: Load) -> Generator[Measured]:
    """Load while the block runs, from a thread of its own."""
    measured, began = Measured(), threading.Event()
    handle: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    async def work() -> None:
        stop = asyncio.Event()
        handle.append((asyncio.get_running_loop(), stop))
        began.set()
        measured.end(await until(load, stop))

    thread = threading.Thread(target=lambda: asyncio.run(work()), daemon=True)
    thread.start()
    began.wait(5)
    try:
        yield measured
    finally:
        loop, stop = handle[0]
        loop.call_soon_threadsafe(stop.set)
        thread.join(load.timeout + load.slow_seconds + 5)


async def _new_connections(load: Load, tally: Tally, stop: asyncio.Event) -> None:
    """Open loop: a slow answer does not slow the next request down."""
    if not load.rate:
        return
    begun, sent = time.monotonic(), 0
    async with asyncio.TaskGroup() as requests:
        while not stop.is_set():
            due = int((time.monotonic() - begun) * load.rate)
            for _ in range(due - sent):
                requests.create_task(tally.count(_single(load, load.path), load))
            sent = due
            await asyncio.sleep(1 / load.rate)


async def _slow(load: Load, tally: Tally, stop: asyncio.Event) -> None:
    path = f"/slow?seconds={load.slow_seconds:g}"
    while not stop.is_set():
        if not await tally.count(_single(load, path), load, timed=False):
            await asyncio.sleep(0.05)


async def _keep_alive(load: Load, tally: Tally, stop: asyncio.Event) -> None:
    while not stop.is_set():
        client = Client(load)
        try:
            good = True
            while good and not stop.is_set():
                good = await tally.count(client.ask(load.path, close=False), load)
                await asyncio.sleep(load.pause)
        finally:
            client.close()


async def _single(load: Load, path: str) -> bytes:
    client = Client(load)
    try:
        return await client.ask(path, close=True)
    finally:
        client.close()


class Client:
    """One connection, opened by its first request."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, path: str, *, close: bool) -> bytes:
        """The body, read to its end."""
        if self._streams is None:
            self._streams = await asyncio.open_connection(*self._load.address, limit=LIMIT)
        reader, writer = self._streams
        writer.write(_request(self._load, path, close=close))
        try:
            status, headers = await _head(reader)
            body = await _body(reader, headers)
        except asyncio.IncompleteReadError as error:
            raise Truncated from error
        if status >= 500:
            raise ServerError(status)
        return body

    def close(self) -> None:
        if self._streams is not None:
            with suppress(OSError):
                self._streams[1].transport.abort()


def _request(load: Load, path: str, *, close: bool) -> bytes:
    host = load.host or "{}:{}".format(*load.address)
    connection = "close" if close else "keep-alive"
    return (
        f"GET {path} HTTP/1.1\r\nHost: {host}\r\nAccept: */*\r\nConnection: {connection}\r\n\r\n"
    ).encode()


async def _head(reader: asyncio.StreamReader) -> tuple[int, Mapping[bytes, bytes]]:
    try:
        first, *lines = (await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")
    except asyncio.IncompleteReadError as error:
        if not error.partial:
            raise ConnectionResetError from error
        raise
    pairs = (line.partition(b":") for line in lines if line)
    return int(first.split()[1]), {name.lower(): value.strip() for name, _, value in pairs}


async def _body(reader: asyncio.StreamReader, headers: Mapping[bytes, bytes]) -> bytes:
    if b"content-length" in headers:
        return await reader.readexactly(int(headers[b"content-length"]))
    if headers.get(b"transfer-encoding", b"").lower() != b"chunked":
        return await reader.read()
    body = b""
    while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
        body += (await reader.readexactly(size + 2))[:-2]
    await reader.readuntil(b"\r\n")
    return body
