"""What becomes of instances whose supervisor died."""

import asyncio
import os
import signal
from datetime import timedelta
from pathlib import Path

import pytest

from autostack.core.home import Home
from autostack.drivers.runtimes.process import ProcessRuntime
from autostack.engine.errors import StartRefused
from autostack.engine.release import InstanceState
from tests.integration.runtimes import machines
from tests.integration.runtimes.asking import get
from tests.platform import until

pytestmark = pytest.mark.needs("linux")


async def test_they_serve_on_are_reported_to_a_new_supervisor_and_can_be_ended(
    tmp_path: Path,
) -> None:
    with machines.house(tmp_path) as house:
        spec = house.spec()
        instance = await house.runtime.start(spec)
        await get(instance.address)
        home = Home(house.machine.home.root)

        kill_supervisor(home)
        alone = await house.runtime.inspect(spec.id)
        served = await get(instance.address)
        home.supervisor_socket.unlink()
        with machines.supervisor(home):
            after = await house.runtime.inspect(spec.id)
            again = await house.runtime.start(spec)
            await house.runtime.stop(spec.id, grace=timedelta(seconds=5))
            gone = await house.runtime.inspect(spec.id)

    assert served == "hello"
    assert (alone.state, alone.orphan) == (InstanceState.RUNNING, False)
    assert (after.state, after.orphan) == (InstanceState.RUNNING, True)
    assert again == instance
    assert gone.state is InstanceState.MISSING


async def test_a_start_waits_for_a_supervisor_that_is_away(tmp_path: Path) -> None:
    with machines.house(tmp_path) as house:
        home = Home(house.machine.home.root)
        kill_supervisor(home)
        starting = asyncio.create_task(house.runtime.start(house.spec()))
        await asyncio.sleep(0.5)
        waited = not starting.done()
        home.supervisor_socket.unlink()
        with machines.supervisor(home):
            served = await get((await starting).address)

    assert waited
    assert served == "hello"


async def test_a_start_is_refused_when_the_supervisor_stays_away(tmp_path: Path) -> None:
    with machines.house(tmp_path) as house:
        kill_supervisor(Home(house.machine.home.root))
        runtime = ProcessRuntime(house.machine, patience=timedelta(seconds=0.2))

        with pytest.raises(StartRefused, match="supervisor is down"):
            await runtime.start(house.spec())


def kill_supervisor(home: Home) -> None:
    until((home.run / "supervisord.pid").exists)  # it listens a moment before it notes its pid
    os.kill(int((home.run / "supervisord.pid").read_text()), signal.SIGKILL)
