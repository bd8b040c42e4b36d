"""The head of a request, bounded in size and time: uvicorn bounds neither with this parser."""

import asyncio
from asyncio import TimerHandle

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_LIMIT = 64 * 1024
HEAD_TIME = 30.0


class Bounded(HttpToolsProtocol):
    """Ends a connection whose next request does not get past its head. A head that arrives whole,
    as nearly all do, costs no timer.
    """

    head_limit = HEAD_LIMIT
    head_time = HEAD_TIME
    _in_head = True
    _head = 0
    _waiting: TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._in_head:
            self._head += len(data)
        super().data_received(data)
        if not self._in_head or self.transport.is_closing():
            return
        if self._head > self.head_limit:
            self._end(b"431 Request Header Fields Too Large")
        elif self._head and self._waiting is None:
            self._wait()

    def on_headers_complete(self) -> None:
        self._in_head, self._head = False, 0
        self._stop_waiting()
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._in_head, self._head = True, 0
        super().on_message_complete()

    def _wait(self) -> None:
        self._waiting = self.loop.call_later(self.head_time, self._give_up)

    def _stop_waiting(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _give_up(self) -> None:
        self._waiting = None
        answering = bool(self.cycle) and not self.cycle.response_complete
        if self._in_head and not answering:
            self._end(b"408 Request Timeout")

    def _end(self, status: bytes) -> None:
        rest = b"Content-Length: 0\r\nConnection: close\r\n\r\n"
        self.transport.write(b"HTTP/1.1 " + status + b"\r\n" + rest)
        self.transport.close()
