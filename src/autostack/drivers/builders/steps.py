"""Running the commands of a plan in the build sandbox, one after the other."""

import asyncio
import shlex
import shutil
import textwrap
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Protocol
from uuid import uuid4

from autostack.core import space
from autostack.drivers.builders import trees
from autostack.drivers.builders.threads import in_thread
from autostack.drivers.machine.run import Ran
from autostack.drivers.machine.sandbox import Bind, Machine, Network, Sandbox
from autostack.engine.errors import BuildFailed, BuildOutOfMemory, BuildTimedOut, OutOfDisk
from autostack.engine.plan import BuildStep
from autostack.engine.ports import LogSink
from autostack.engine.release import MIB, Limits, Step

LINE = 500
"""Characters of a command that the log shows."""
SCRATCH = "/scratch"
"""Room for temporary files on disk; /tmp is memory."""
_LOOK = 1.0


class Run(Protocol):
    """`machine.run.run`, or a stand-in."""

    def __call__(
        self,
        box: Sandbox,
        command: Sequence[str],
        *,
        machine: Machine,
        on_output: Callable[[bytes], None],
        limit: timedelta | None = None,
    ) -> Awaitable[Ran]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """Where steps run: what is seen inside, as whom, and with which limits."""

    uid: int
    app: Path
    cache: Path
    temporary: Path
    read_only: tuple[Path, ...]
    binds: tuple[Bind, ...]
    path: tuple[str, ...]
    env: Mapping[str, str] = field(repr=False)
    limits: Limits
    network: Network
    deadline: float
    """Of the event loop's clock."""


@dataclass(slots=True)
class Steps:
    """Runs steps; remembers the highest memory any of them needed."""

    run: Run
    machine: Machine
    log: LogSink
    peak_memory: int = 0

    async def all(self, steps: Sequence[BuildStep], bench: Bench) -> None:
        for step in steps:
            await self.one(step, bench)

    async def one(self, step: BuildStep, bench: Bench) -> None:
        line = textwrap.shorten(shlex.join(step.command), LINE, placeholder=" …")
        self.log.say(f"{step.title}: {line}", step=Step.BUILD)
        left = max(0.1, bench.deadline - asyncio.get_running_loop().time())
        ran = await self._guarded(step, bench, limit=timedelta(seconds=left))
        self.peak_memory = max(self.peak_memory, ran.peak_memory)
        self._judge(step, ran, bench)

    async def _guarded(self, step: BuildStep, bench: Bench, *, limit: timedelta) -> Ran:
        """End the step when the disk runs full, or it takes too much: others live on it too."""
        before = shutil.disk_usage(bench.app).free
        running = asyncio.ensure_future(
            self.run(
                box(step, bench),
                step.command,
                machine=self.machine,
                on_output=lambda data: self.log.output(data, step=Step.BUILD),
                limit=limit,
            )
        )
        try:
            while not running.done():
                await asyncio.wait({running}, timeout=_LOOK)
                if not running.done():
                    require_space(bench.app, f"the step {step.title!r}")
                    await _require_modesty(bench, since=before)
            return running.result()
        finally:
            if not running.done():
                running.cancel()
                await asyncio.wait({running})

    def _judge(self, step: BuildStep, ran: Ran, bench: Bench) -> None:
        if ran.timed_out:
            raise BuildTimedOut(bench.limits.seconds or 0)
        if ran.exit.oom:
            raise BuildOutOfMemory(bench.limits.memory)
        if ran.exit.code != 0 or ran.exit.signal is not None:
            require_space(bench.app, f"the step {step.title!r}")
            signal = ran.exit.signal
            raise BuildFailed(step.title, ran.exit.code if signal is None else 128 + signal)


def box(step: BuildStep, bench: Bench) -> Sandbox:
    return Sandbox(
        id=uuid4(),
        uid=bench.uid,
        binds=(
            Bind(source=bench.app, target="/app", writable=True),
            Bind(source=bench.cache, target="/cache", writable=True),
            Bind(source=bench.temporary, target=SCRATCH, writable=True),
            *bench.binds,
        ),
        read_only=bench.read_only,
        env={**bench.env, **step.env, "TMPDIR": SCRATCH},
        path=bench.path,
        network=bench.network if step.network else Network.NONE,
        limits=bench.limits,
        background=True,
    )


def require_space(path: Path, what: str) -> None:
    """A build that would take the last of the disk is ended."""
    seen = space.space(path)
    if seen.free < space.end(seen.total):
        raise OutOfDisk(what)


async def _require_modesty(bench: Bench, *, since: int) -> None:
    """Looking at each file is dear, so only when the disk has lost as much as a build may take."""
    if since - shutil.disk_usage(bench.app).free <= bench.limits.disk:
        return
    places = (bench.app, bench.temporary)
    taken = await in_thread(lambda stop: sum(trees.size(place, stop=stop) for place in places))
    if taken > bench.limits.disk:
        raise OutOfDisk(f"a build of more than {bench.limits.disk // MIB} MB")
