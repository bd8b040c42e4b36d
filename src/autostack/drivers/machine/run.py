"""Run one command in a sandbox to its end."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from autostack.drivers.machine.sandbox import Machine, Sandbox
from autostack.engine.release import Exit


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
    raise NotImplementedError
