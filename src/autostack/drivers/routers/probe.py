"""Asks an instance whether it serves, by plain HTTP or TCP."""

import asyncio
import time
from contextlib import suppress
from urllib.parse import quote

from autostack.engine.plan import Check
from autostack.engine.release import Answer

LARGEST = 64 * 1024
POLITE_SECONDS = 0.1


class NoAnswer(Exception):
    """Something answered, and it was not HTTP."""


class HttpProbe:
    """The port `Probe`. One question is one connection, closed afterwards.

    A check without a path is answered by the connection itself: no status and no error.
    """

    async def once(self, address: str, check: Check) -> Answer:
        begun = time.monotonic()
        status, error = None, ""
        try:
            async with asyncio.timeout(check.timeout):
                status = await _ask(address, check.path)
        except TimeoutError:
            error = f"no answer within {check.timeout:g} seconds"
        except ConnectionRefusedError:
            error = "connection refused"
        except (OSError, NoAnswer, ValueError) as failure:
            error = str(failure) or type(failure).__name__
        return Answer(attempts=1, seconds=time.monotonic() - begun, status=status, error=error)


async def _ask(address: str, path: str | None) -> int | None:
    host, _, port = address.rpartition(":")
    reader, writer = await asyncio.open_connection(host.strip("[]"), int(port), limit=LARGEST)
    try:
        if path is None:
            return None
        writer.write(_request(address, path))
        return await _status(reader)
    finally:
        writer.close()


def target(path: str) -> str:
    """A path as it may stand in a request line, whatever was typed."""
    return quote(path if path.startswith("/") else f"/{path}", safe="/?&=%:@!$'()*+,;~-._")


def _request(address: str, path: str) -> bytes:
    return (
        f"GET {target(path)} HTTP/1.1\r\nHost: {address}\r\nUser-Agent: AutoStack-Check\r\n"
        "Accept: */*\r\nConnection: close\r\n\r\n"
    ).encode("ascii")


async def _status(reader: asyncio.StreamReader) -> int:
    while True:
        status = _parsed(await reader.readline())
        if status >= 200 or status == 101:  # noqa: PLR2004 - below are interim answers
            break
        while (await reader.readline()).strip():
            pass
    await _hear_out(reader)
    return status


def _parsed(line: bytes) -> int:
    if not line:
        raise NoAnswer("it closed the connection without an answer")
    words = line.split(None, 2)
    match words:
        case [version, status, *_] if version.startswith(b"HTTP/") and status.isdigit():
            return int(status)
        case _:
            raise NoAnswer("what answers does not speak HTTP")


async def _hear_out(reader: asyncio.StreamReader) -> None:
    """Hanging up in the middle makes some servers log an error; a moment's patience avoids it."""
    with suppress(TimeoutError, OSError):
        async with asyncio.timeout(POLITE_SECONDS):
            await reader.read(LARGEST)
