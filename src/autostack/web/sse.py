"""Server-sent events: resumable, with a heartbeat, and ended by us when the server stops."""

import asyncio
import zlib
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from fastapi.responses import StreamingResponse
from pydantic_core import to_json

HEARTBEAT = timedelta(seconds=15)
_RETRY = b"retry: 2000\n\n"
_BEAT = b": beat\n\n"
# Of zlib's choices the quickest, and little to keep for each open stream: some 50 kB.
_LEVEL, _MEMORY, _GZIP = 1, 5, 16 + 13


@dataclass(frozen=True, slots=True, kw_only=True)
class Sse:
    """One event. `data` becomes JSON: plain values, models, or a list of models. `id` is what the
    client sends back as Last-Event-ID.
    """

    data: Any
    event: str = ""
    id: str = ""


def encode(event: Sse) -> bytes:
    lines = [f"id: {_line(event.id)}"] if event.id else []
    if event.event:
        lines.append(f"event: {_line(event.event)}")
    head = "\n".join([*lines, "data: "]).encode()
    return head + to_json(event.data, ensure_ascii=True) + b"\n\n"


def _line(text: str) -> str:
    return text.translate({10: None, 13: None, 0: None})


class Streams:
    """All open streams of a process. `close()` ends them, so that a server can stop."""

    def __init__(self, *, heartbeat: timedelta = HEARTBEAT) -> None:
        self._closing = asyncio.Event()
        self._heartbeat = heartbeat.total_seconds()
        self.open = 0

    def close(self) -> None:
        self._closing.set()

    def response(self, events: AsyncIterator[Sse], *, packed: bool = False) -> StreamingResponse:
        """A stream of these events, `packed` with gzip: for clients that accept that. The iterator
        is closed when the client has gone.
        """
        headers = {"Cache-Control": "no-cache, no-transform", "X-Accel-Buffering": "no"}
        if packed:
            headers |= {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
        pieces = self._bytes(events)
        return StreamingResponse(
            _packed(pieces) if packed else pieces, media_type="text/event-stream", headers=headers
        )

    async def _bytes(self, events: AsyncIterator[Sse]) -> AsyncGenerator[bytes]:
        closing = asyncio.ensure_future(self._closing.wait())
        step: asyncio.Future[Sse | None] | None = None
        self.open += 1
        try:
            yield _RETRY
            while not closing.done():
                step = step or asyncio.ensure_future(_next(events))
                await asyncio.wait(
                    (step, closing),
                    timeout=self._heartbeat,
                    return_when=asyncio.FIRST_COMPLETED,
                )
                if not step.done():
                    yield _BEAT
                    continue
                event, step = step.result(), None
                if event is None:
                    return
                yield encode(event)
        finally:
            self.open -= 1
            await _end(events, step, closing)


async def _packed(pieces: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    """Each piece can be unpacked as soon as it arrives."""
    squeeze = zlib.compressobj(_LEVEL, zlib.DEFLATED, _GZIP, _MEMORY)
    async with aclosing(pieces):
        async for piece in pieces:
            yield squeeze.compress(piece) + squeeze.flush(zlib.Z_SYNC_FLUSH)
    yield squeeze.flush()


async def _next(events: AsyncIterator[Sse]) -> Sse | None:
    return await anext(events, None)


async def _end(events: AsyncIterator[Sse], *tasks: asyncio.Future[Any] | None) -> None:
    waiting = [task for task in tasks if task is not None]
    for task in waiting:
        task.cancel()
    await asyncio.wait(waiting)
    if isinstance(events, AsyncGenerator):
        await events.aclose()
