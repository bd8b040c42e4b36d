"""Run by test_without_root as a normal user: one instance from start to stop, told as JSON."""

import asyncio
import json
import os
import sys
from datetime import timedelta
from pathlib import Path

from autostack.drivers.machine import isolation
from autostack.engine.release import InstanceState
from tests.integration.runtimes import machines
from tests.integration.runtimes.asking import get, until


async def tell(house: machines.House) -> dict[str, object]:
    spec = house.spec(POLITE="1")
    instance = await house.runtime.start(spec)
    answer = await get(instance.address)
    listeners = await house.runtime.listeners(spec.id)
    await until(
        lambda: house.runtime.inspect(spec.id), lambda seen: seen.state is InstanceState.RUNNING
    )
    await house.runtime.stop(spec.id, grace=timedelta(seconds=5))
    return {
        "uid": os.geteuid(),
        "answer": answer,
        "found": [one.port for one in listeners] == [spec.place.port],
        "printed": spec.output.read_text(),
        "after": (await house.runtime.inspect(spec.id)).state,
        "fatal": [problem.what for problem in isolation.missing(house.machine) if problem.fatal],
    }


if __name__ == "__main__":
    with machines.house(Path(sys.argv[1])) as built:
        print(json.dumps(asyncio.run(tell(built))))  # noqa: T201
