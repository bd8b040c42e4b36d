"""One request of the platform's own through the edge, judged as a visitor would."""

import asyncio
import re
import time
from dataclasses import dataclass
from datetime import timedelta

from autostack.drivers.routers.probe import target
from autostack.engine.release import Answer

LARGEST = 64 * 1024
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]{1,15})[ \t]*\r\n", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the edge is, for whom the request is, and what marks it as ours."""

    port: int
    host: str
    header: str


async def visited(place: Place, *, path: str, limit: timedelta) -> Answer:
    """A status, or why there is none; a body that is cut off is no answer."""
    begun = time.monotonic()
    status, error = None, ""
    try:
        async with asyncio.timeout(limit.total_seconds()):
            status = await _ask(place, path)
    except TimeoutError:
        error = f"no answer within {limit.total_seconds():g} seconds"
    except asyncio.IncompleteReadError as cut:
        error = "the answer was cut off" if cut.partial else "closed without an answer"
    except (OSError, ValueError, asyncio.LimitOverrunError) as failure:
        error = str(failure) or type(failure).__name__
    return Answer(attempts=1, seconds=time.monotonic() - begun, status=status, error=error)


async def _ask(place: Place, path: str) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", place.port, limit=2 * LARGEST)
    try:
        writer.write(
            f"GET {target(path)} HTTP/1.1\r\nHost: {place.host}\r\n{place.header}\r\n"
            "User-Agent: AutoStack\r\nAccept: */*\r\nConnection: close\r\n\r\n".encode("ascii")
        )
        head = await reader.readuntil(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if length:
            await reader.readexactly(min(LARGEST, int(length[1])))
        return int(head.split(None, 2)[1])
    finally:
        writer.close()
