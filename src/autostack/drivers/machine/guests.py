"""A command that is run inside a sandbox in which something runs already."""

import asyncio
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

from autostack.drivers.machine import processes
from autostack.drivers.machine.run import pass_on, start
from autostack.engine.release import Answer

ENTRANCE = str(Path(__file__).with_name("enter.py"))
KEPT = 4096
"""Bytes of its output, the last ones."""
SHOWN = 200


def describe(launch: Mapping[str, Any], init: int, command: Sequence[str]) -> dict[str, Any]:
    """What enter.py is told. `launch` is how the sandbox was described to its launcher."""
    kept = ("cgroups", "uid", "limits", "workdir", "env")
    return {
        **{name: launch[name] for name in kept},
        # Without a sandbox there is no filter.
        "seccomp": launch.get("seccomp", ""),
        "init": init,
        "command": list(command),
    }


async def ask(told: Mapping[str, Any], *, limit: timedelta) -> Answer:
    """Its end as an answer; on cancellation and after `limit` it is killed."""
    begun = time.monotonic()
    process = await start([sys.executable, "-I", "-S", ENTRANCE], told)
    printed = bytearray()
    try:
        async with asyncio.timeout(limit.total_seconds()):
            await pass_on(process, partial(keep, printed))
            code = await process.wait()
    except TimeoutError:
        return late(limit, time.monotonic() - begun)
    finally:
        await asyncio.shield(_end(process))
    return answer(code, bytes(printed), time.monotonic() - begun)


def keep(printed: bytearray, data: bytes) -> None:
    """The end of all that is printed."""
    printed += data
    del printed[:-KEPT]


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    await asyncio.to_thread(processes.kill_below, process.pid)
    with suppress(ProcessLookupError):
        process.kill()
    await process.wait()


def answer(code: int, printed: bytes, seconds: float) -> Answer:
    lines = printed.decode(errors="replace").split("\n")
    last = next((line.strip() for line in reversed(lines) if line.strip()), "")
    words = f"the check command ended with exit code {code}"
    said = f"{words}: {last[:SHOWN]}" if last else words
    return Answer(attempts=1, seconds=seconds, error=said if code else "")


def late(limit: timedelta, seconds: float) -> Answer:
    words = f"the check command did not end within {limit.total_seconds():g} seconds"
    return Answer(attempts=1, seconds=seconds, error=words)
