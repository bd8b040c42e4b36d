"""Client of the platform's supervisor, over its unix socket."""

import asyncio
import json
import xmlrpc.client
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any

LIMIT = 10.0  # seconds for one call
ALREADY_STARTED = 60  # supervisor/xmlrpc.py, Faults


class ProgramState(IntEnum):
    """supervisord's own numbers (supervisor/states.py)."""

    STOPPED = 0
    STARTING = 10
    RUNNING = 20
    BACKOFF = 30
    STOPPING = 40
    EXITED = 100
    FATAL = 200
    UNKNOWN = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """`code` is how it ended last, negative when a signal of that number ended it; None before
    its first end.
    """

    group: str
    name: str
    state: ProgramState
    pid: int
    restarts: int
    code: int | None
    oom: bool
    stopping: bool


class SupervisorDown(ConnectionError):
    """Nobody answers on the socket."""


class Supervisor:
    """Adds, stops and lists programs. Each call is one connection with a deadline."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket

    async def add(self, name: str, argv: Sequence[str], *, state: Path) -> bool:
        """Start a program; False when one of this name is there already."""
        return bool(await self._call("autostack.add", name, list(argv), str(state)))

    async def wake(self, name: str) -> None:
        """Start one of the platform's own programs; nothing happens when it runs."""
        try:
            await self._call("supervisor.startProcess", name, False)  # noqa: FBT003 - XML-RPC
        except xmlrpc.client.Fault as fault:
            if fault.faultCode != ALREADY_STARTED:
                raise

    async def stop(self, name: str, *, grace: float) -> None:
        """Tell it to stop; the supervisor kills it after `grace` seconds. Returns at once."""
        await self._call("autostack.stop", name, float(grace))

    async def remove(self, name: str) -> bool:
        """Forget an ended program; False while it has not ended, or when it is unknown."""
        return bool(await self._call("autostack.remove", name))

    async def programs(self) -> list[Program]:
        """All of them, the platform's own included."""
        return [_program(told) for told in json.loads(await self._call("autostack.states"))]

    async def signal(self, name: str, number: str) -> None:
        """`number` is a name like HUP; for the platform's own programs."""
        await self._call("supervisor.signalProcess", name, number)

    async def _call(self, method: str, *arguments: Any) -> Any:  # noqa: ANN401 - XML-RPC
        body = xmlrpc.client.dumps(arguments, method).encode()
        try:
            async with asyncio.timeout(LIMIT):
                answer = await self._post(body)
        except (OSError, asyncio.IncompleteReadError) as error:
            raise SupervisorDown(str(error)) from error
        (value,), _ = xmlrpc.client.loads(answer, use_builtin_types=True)
        return value

    async def _post(self, body: bytes) -> bytes:
        reader, writer = await asyncio.open_unix_connection(self._socket)
        head = (
            f"POST /RPC2 HTTP/1.0\r\nContent-Type: text/xml\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        try:
            writer.write(head.encode() + body)
            headers = await reader.readuntil(b"\r\n\r\n")
            if b" 200 " not in headers.split(b"\r\n", 1)[0]:
                raise SupervisorDown(headers.split(b"\r\n", 1)[0].decode(errors="replace"))
            return await reader.readexactly(_length(headers))
        finally:
            writer.close()


def _length(headers: bytes) -> int:
    for line in headers.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            return int(value)
    raise SupervisorDown("an answer without a length")


def _program(told: dict[str, Any]) -> Program:
    return Program(
        group=told["group"],
        name=told["name"],
        state=ProgramState(told["state"]),
        pid=told["pid"],
        restarts=told["restarts"],
        code=told["code"],
        oom=told["oom"],
        stopping=told["stopping"],
    )
