"""Run by test_without_root as a normal user: one instance from start to stop, told as JSON."""

import asyncio
import json
import os
import sys
from datetime import timedelta
from pathlib import Path

from autostack.drivers.machine import isolation
from autostack.drivers.machine.run import run
from autostack.drivers.machine.sandbox import Sandbox
from autostack.engine.errors import SandboxUnavailable
from autostack.engine.release import InstanceSpec, InstanceState
from tests.integration.runtimes import machines
from tests.integration.runtimes.asking import get, printed, until

CHECK = ("sh", "-c", 'test -f server.py && test -n "$PORT" || echo "$(pwd) $PORT"; exit 7')
"""Its place and its environment; and that its end is heard of."""


async def tell(house: machines.House) -> dict[str, object]:
    spec = house.spec(POLITE="1")
    instance = await house.runtime.start(spec)
    answer = await get(instance.address)
    listeners = await house.runtime.listeners(spec.id)
    asked = await house.runtime.ask(spec.id, CHECK, limit=timedelta(seconds=30))
    await until(
        lambda: house.runtime.inspect(spec.id), lambda seen: seen.state is InstanceState.RUNNING
    )
    await house.runtime.stop(spec.id, grace=timedelta(seconds=5))
    return {
        "uid": os.geteuid(),
        "answer": answer,
        "check": asked.error,
        "found": [one.port for one in listeners] == [spec.place.port],
        "printed": spec.output.read_text(),
        "after": (await house.runtime.inspect(spec.id)).state,
        "fatal": [problem.what for problem in isolation.missing(house.machine) if problem.fatal],
        "cautions": len(isolation.cautions(house.machine)),
    }


async def tell_of_no_sandbox(house: machines.House) -> dict[str, object]:
    """What only matters there: the app's own copy, its directory's names, and what it starts."""
    told = await tell(house)
    code = "echo x >> server.py; setsid sleep 987 & echo $(pwd) $FROM_BUILD; wait"
    spec = house.spec("/bin/sh", "-c", code, AT="/app/x")
    await house.runtime.start(spec)
    output = await printed(spec.output, "yes")
    await house.runtime.stop(spec.id, grace=timedelta(seconds=1))
    ran = await run(
        Sandbox(id=spec.id, uid=0, workdir="/"),
        ["/bin/sh", "-c", "setsid sleep 987 & sleep 987"],
        machine=house.machine,
        on_output=lambda _: None,
        limit=timedelta(seconds=1),
    )
    return {
        **told,
        "in its copy": str(spec.id) in output,
        "source": is_untouched(spec),
        "timed out": ran.timed_out,
        "left": sleepers(),
    }


def is_untouched(spec: InstanceSpec) -> bool:
    return Path(spec.artifact.location, "app", "server.py").read_text() == machines.SERVER


def sleepers() -> int:
    return sum(is_sleeper(process) for process in Path("/proc").iterdir())


def is_sleeper(process: Path) -> bool:
    try:
        mine = process.stat().st_uid == os.geteuid()
        return mine and (process / "cmdline").read_bytes() == b"sleep\x00987\x00"
    except OSError:
        return False


async def refusal(house: machines.House) -> str:
    try:
        await house.runtime.start(house.spec())
    except SandboxUnavailable as error:
        return str(error)
    return "started"


def main() -> object:
    unsafe = "UNSAFE" in os.environ
    with machines.house(Path(sys.argv[1]), unsafe=unsafe) as built:
        if "REFUSED" in os.environ:
            return asyncio.run(refusal(built))
        return asyncio.run(tell_of_no_sandbox(built) if unsafe else tell(built))


if __name__ == "__main__":
    print(json.dumps(main()))  # noqa: T201
