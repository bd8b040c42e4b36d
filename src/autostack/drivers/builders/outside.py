"""Trusted programs with arguments of our making, run outside every sandbox."""

import asyncio
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from autostack.drivers.builders import registries

LIMIT = 180.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    done: bool
    said: str = ""
    """What it wrote to its standard error."""


async def run(argv: Sequence[str], env: Mapping[str, str], *, limit: float = LIMIT) -> Outcome:
    usual = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    process = await asyncio.create_subprocess_exec(
        *argv,
        cwd="/",
        env={**usual, **registries.SYSTEM_TRUST, **registries.environment(), **env},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    try:
        async with asyncio.timeout(limit):
            _, said = await process.communicate()
    except TimeoutError:
        return Outcome(done=False, said=f"no end after {limit:g} seconds")
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return Outcome(done=process.returncode == 0, said=said.decode(errors="replace"))
