"""Runs git: a process group of its own that ends as a whole, bounded in time, output and disk."""

import asyncio
import contextlib
import os
import signal
import threading
from asyncio import StreamReader
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

OUTPUT_LIMIT = 32 * 1024 * 1024
_STDERR_KEPT = 64 * 1024


class TookTooLong(Exception):
    """The time limit passed; the process group is gone."""


class GrewTooLarge(Exception):
    """Disk or output passed its limit; the process group is gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    code: int
    out: bytes
    err: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """`size` measures the disk a command takes, asked every `every` seconds."""

    seconds: float
    size: Callable[[], int] | None = None
    limit: int = 0
    every: float = 0.1


async def run(
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    cwd: Path,
    bounds: Bounds,
    uid: int | None = None,
    stdin: IO[bytes] | None = None,
    stdout: IO[bytes] | None = None,
    keep: Sequence[int] = (),
) -> Done:
    """Run to the end. However it is left (limit, error, cancellation), nothing it started in
    its group is alive afterwards. `keep` are descriptors it inherits.
    """
    process = await asyncio.create_subprocess_exec(
        *argv,
        env=env,
        cwd=cwd,
        stdin=stdin or DEVNULL,
        stdout=stdout or PIPE,
        stderr=PIPE,
        start_new_session=True,
        pass_fds=keep,
        user=uid,
        group=uid,
        extra_groups=None if uid is None else [],
    )
    try:
        async with asyncio.timeout(bounds.seconds):
            return await _finish(process, bounds)
    except TimeoutError as error:
        raise TookTooLong from error
    finally:
        await _end(process)


async def _finish(process: Process, bounds: Bounds) -> Done:
    try:
        async with asyncio.TaskGroup() as tasks:
            watching = tasks.create_task(_watch(bounds))
            out = tasks.create_task(_read(process.stdout))
            err = tasks.create_task(_tail(process.stderr))
            await asyncio.wait([out, err, tasks.create_task(process.wait())])
            watching.cancel()
            # A fast one may have ended between two looks.
            await _look(bounds)
    except* GrewTooLarge as group:
        raise GrewTooLarge from group
    assert process.returncode is not None
    return Done(code=process.returncode, out=out.result(), err=err.result())


async def _watch(bounds: Bounds) -> None:
    while True:
        await asyncio.sleep(bounds.every)
        await _look(bounds)


async def _look(bounds: Bounds) -> None:
    if bounds.size is not None and await asyncio.to_thread(bounds.size) > bounds.limit:
        raise GrewTooLarge


async def _read(stream: StreamReader | None) -> bytes:
    kept = bytearray()
    while stream is not None and (piece := await stream.read(65536)):
        kept += piece
        if len(kept) > OUTPUT_LIMIT:
            raise GrewTooLarge
    return bytes(kept)


async def _tail(stream: StreamReader | None) -> str:
    """The end of it: a server may send progress for ever, the reason comes last."""
    kept = bytearray()
    while stream is not None and (piece := await stream.read(65536)):
        kept += piece
        del kept[:-_STDERR_KEPT]
    return kept.decode("utf-8", "replace")


async def _end(process: Process) -> None:
    """Kill the group, which outlives its leader: git leaves its transport helper behind. After
    a good end there is none, and its number may be another's by now.
    """
    if process.returncode == 0:
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    await asyncio.shield(process.wait())


async def in_thread(work: Callable[[Callable[[], bool]], None]) -> None:
    """Work on files off the loop. It asks `stopped()` now and then; a canceled caller waits
    until it has stopped.
    """
    stop = threading.Event()
    working = asyncio.create_task(asyncio.to_thread(work, stop.is_set))
    try:
        await asyncio.shield(working)
    except asyncio.CancelledError:
        stop.set()
        await asyncio.wait([working])
        raise
