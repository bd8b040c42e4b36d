"""Run one command in a sandbox to its end."""

import asyncio
import json
import os
import shutil
import signal
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from autostack.drivers.machine import cgroup, isolation, meter, network, processes
from autostack.drivers.machine.sandbox import Machine, Sandbox, Way
from autostack.engine.release import Exit

CHUNK = 65536
SIGNALED = 128  # a shell's and bubblewrap's way to say that a signal ended it


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """How it ended. Memory in bytes, 0 where nothing can measure it. `timed_out` when the limit
    ended it.
    """

    exit: Exit
    peak_memory: int = 0
    timed_out: bool = False


async def run(
    box: Sandbox,
    command: Sequence[str],
    *,
    machine: Machine,
    on_output: Callable[[bytes], None],
    limit: timedelta | None = None,
) -> Ran:
    """Run to the end; `on_output` gets stdout and stderr, in any pieces, as they come.

    On cancellation, or after `limit`, every process in the sandbox is gone when this returns.
    When this process dies the kernel ends them. Raises SandboxUnavailable.
    """
    way = Way(ends_with_parent=True)
    argv, told = await asyncio.to_thread(isolation.describe, box, command, way, machine=machine)
    await asyncio.to_thread(network.ensure, machine.host)
    cgroup.create(box.id, box.limits, under=box.group)
    started: list[asyncio.subprocess.Process] = []
    try:
        async with meter.watching(box.id, under=box.group, tree=lambda: _pid(started)) as metered:
            ended = await _to_its_end(box, argv, told, started, on_output, limit)
        return Ran(
            exit=ended or Exit(code=SIGNALED + signal.SIGKILL, signal=signal.SIGKILL),
            peak_memory=metered.peak,
            timed_out=ended is None,
        )
    finally:
        await asyncio.shield(_end(started[0] if started else None, box, machine))


def _pid(started: Sequence[asyncio.subprocess.Process]) -> int | None:
    return started[0].pid if started else None


async def _to_its_end(
    box: Sandbox,
    argv: Sequence[str],
    told: Mapping[str, Any],
    started: list[asyncio.subprocess.Process],
    on_output: Callable[[bytes], None],
    limit: timedelta | None,
) -> Exit | None:
    """None when the limit came first. What was started is left in `started`."""
    process = await start(argv, told)
    started.append(process)
    try:
        async with asyncio.timeout(limit.total_seconds() if limit else None):
            await pass_on(process, on_output)
            code = await process.wait()
    except TimeoutError:
        return None
    use = cgroup.use(box.id, under=box.group)
    return how_it_ended(code, oom=use.oom_kills > 0)


async def start(argv: Sequence[str], told: Mapping[str, Any]) -> asyncio.subprocess.Process:
    fd = os.memfd_create("autostack", os.MFD_CLOEXEC)
    try:
        os.write(fd, json.dumps(told).encode())
        os.lseek(fd, 0, os.SEEK_SET)
        return await asyncio.create_subprocess_exec(
            *argv,
            f"/dev/fd/{fd}",
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            pass_fds=(fd,),
            start_new_session=True,
            env={},
        )
    finally:
        os.close(fd)


async def pass_on(process: asyncio.subprocess.Process, on_output: Callable[[bytes], None]) -> None:
    assert process.stdout is not None
    while data := await process.stdout.read(CHUNK):
        on_output(data)


async def _end(process: asyncio.subprocess.Process | None, box: Sandbox, machine: Machine) -> None:
    """The sandbox ends with its first process, by the kernel's hand; the cgroup makes sure.
    Without a sandbox each process is ended by itself.
    """
    if process is not None and process.returncode is None:
        await asyncio.to_thread(processes.kill_below, process.pid)
    with suppress(ProcessLookupError):
        if process is not None:
            process.kill()
    await asyncio.to_thread(partial(cgroup.end, box.id, under=box.group))
    if process is not None:
        await process.wait()
    room = machine.home.instances / str(box.id)
    await asyncio.to_thread(shutil.rmtree, room, ignore_errors=True)


def how_it_ended(code: int, *, oom: bool) -> Exit:
    """Read the status bubblewrap passes on: 128 + n when signal n ended the command."""
    number = -code if code < 0 else code - SIGNALED
    by_signal = 0 < number < signal.NSIG
    return Exit(code=code, signal=number if by_signal else None, oom=oom and code != 0)
