"""A check command inside a container that runs."""

import asyncio
import io
import signal
import time
from collections.abc import Sequence
from contextlib import closing
from datetime import timedelta
from typing import IO
from uuid import UUID

from autostack.drivers.machine import guests, processes
from autostack.drivers.machine.docker import Client, Engine, shows
from autostack.drivers.runtimes.docker_calls import said
from autostack.drivers.runtimes.docker_container import name_of
from autostack.engine.errors import EngineUnavailable
from autostack.engine.release import Answer

CHUNK = 65536
HEAD = 8
LONGEST = 500
REFUSED = 400


async def ask(
    engine: Engine, instance_id: UUID, command: Sequence[str], *, limit: timedelta
) -> Answer:
    """Its end as an answer; on cancellation and after `limit` it is killed."""
    begun = time.monotonic()
    try:
        return await _ask(engine, name_of(instance_id), command, limit)
    except (_Refused, EngineUnavailable) as error:
        return Answer(attempts=1, seconds=time.monotonic() - begun, error=str(error))


class _Refused(Exception):
    """The engine would not run it."""


async def _ask(engine: Engine, container: str, command: Sequence[str], limit: timedelta) -> Answer:
    begun = time.monotonic()
    made = await engine.ask(lambda client: _create(client, container, command))
    running = engine.begin(lambda client: _run(client, made))
    try:
        done, _ = await asyncio.wait({running}, timeout=limit.total_seconds())
    finally:
        if not running.done():
            running.add_done_callback(_heard)
            await asyncio.shield(engine.ask(lambda client: _kill(client, made)))
    seconds = time.monotonic() - begun
    return guests.answer(*running.result(), seconds) if done else guests.late(limit, seconds)


def _heard(running: "asyncio.Future[tuple[int, bytes]]") -> None:
    """Nobody waits for it any more: whatever came of it is no news."""
    if not running.cancelled():
        running.exception()


def _create(client: Client, container: str, command: Sequence[str]) -> str:
    from docker.errors import APIError  # noqa: PLC0415 - see machine.docker

    try:
        return str(client.exec_create(container, list(command))["Id"])
    except APIError as error:
        raise _Refused(said(error)) from error


def _run(client: Client, made: str) -> tuple[int, bytes]:
    # The SDK's own call keeps either everything that is printed or its connection.
    url = f"{client.base_url}/v{client.api_version}/exec/{made}/start"
    answer = client.post(
        url,
        params={},
        data=io.BytesIO(b'{"Detach": false, "Tty": false}'),
        headers={"Content-Type": "application/json"},
        stream=True,
        timeout=None,
    )
    with closing(answer):
        if answer.status_code >= REFUSED:
            raise _Refused(answer.text.strip()[:LONGEST])
        printed = _last(answer.raw)
    return int(client.exec_inspect(made)["ExitCode"] or 0), printed


def _last(stream: IO[bytes]) -> bytes:
    """What it printed, each piece behind a head with its length."""
    printed = bytearray()
    while len(head := stream.read(HEAD)) == HEAD:
        left = int.from_bytes(head[4:])
        while left and (data := stream.read(min(left, CHUNK))):
            left -= len(data)
            guests.keep(printed, data)
    return bytes(printed)


def _kill(client: Client, made: str) -> None:
    """What we cannot see from here ends with its container."""
    seen = client.exec_inspect(made)
    pid = int(seen.get("Pid") or 0)
    if seen["Running"] and shows(pid, seen["ContainerID"]):
        processes.kill_below(pid)
        processes.send([pid], signal.SIGKILL)
