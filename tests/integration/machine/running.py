"""Run by test_run and killed: one sandboxed command that leaves children everywhere."""

import asyncio
import os
import sys
from pathlib import Path
from uuid import UUID

from autostack.core.home import Home
from autostack.drivers.machine import network
from autostack.drivers.machine.run import run
from autostack.drivers.machine.sandbox import Machine, Network, Sandbox

COMMAND = ["/bin/sh", "-c", "setsid sleep 987 & (sleep 987 &) ; echo on; sleep 987"]


async def main() -> None:
    home = Home(Path(sys.argv[1]))
    machine = Machine(home=home, host=network.allot(home, root=False))
    box = Sandbox(
        id=UUID(sys.argv[2]),
        uid=machine.host.first_uid if machine.root else os.geteuid(),
        workdir="/",
        network=Network.NONE,
    )
    await run(box, COMMAND, machine=machine, on_output=lambda data: print(data, flush=True))  # noqa: T201


if __name__ == "__main__":
    asyncio.run(main())
