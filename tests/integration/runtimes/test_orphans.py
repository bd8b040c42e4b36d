"""What becomes of instances whose supervisor died."""

import os
import signal
from datetime import timedelta
from pathlib import Path

import pytest

from autostack.core.home import Home
from autostack.engine.release import InstanceState
from tests.integration.runtimes import machines
from tests.integration.runtimes.asking import get

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


def kill_supervisor(home: Home) -> None:
    os.kill(int((home.run / "supervisord.pid").read_text()), signal.SIGKILL)
