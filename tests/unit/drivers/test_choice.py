"""One runtime for a deployment and the reconciler, which may act on an instance at once."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import cast
from uuid import UUID, uuid4

from autostack.drivers.runtimes.choice import ChosenRuntime
from autostack.drivers.runtimes.docker import DockerRuntime
from autostack.drivers.runtimes.process import ProcessRuntime
from autostack.engine.release import Artifact, Instance, InstanceSpec, Limits, NetworkPlace
from tests.fakes import FakeRuntime


class Slow(FakeRuntime):
    """Whose starts take until they are let."""

    def __init__(self) -> None:
        super().__init__()
        self.begun = asyncio.Event()
        self.let = asyncio.Event()

    async def start(self, spec: InstanceSpec) -> Instance:
        self.begun.set()
        await self.let.wait()
        return await super().start(spec)

    def owns(self, instance_id: UUID) -> bool:
        return False


def spec() -> InstanceSpec:
    return InstanceSpec(
        id=uuid4(), project_id=uuid4(), environment_id=uuid4(), release_id=uuid4(),
        process="web", artifact=Artifact(id="1", kind="directory", location="/1"),
        command=("serve",), env={}, uid=1, place=NetworkPlace(address="10.0.0.1", port=1),
        limits=Limits(memory=1, pids=1), output=Path("/dev/null"),
    )  # fmt: skip


async def test_an_end_waits_for_the_start_of_the_same_instance_and_comes_last() -> None:
    slow, one, other = Slow(), spec(), uuid4()
    runtime = ChosenRuntime(
        processes=cast("ProcessRuntime", slow), containers=cast("DockerRuntime", slow)
    )
    starting = asyncio.create_task(runtime.start(one))
    await slow.begun.wait()
    ending = asyncio.create_task(runtime.stop(one.id, grace=timedelta()))
    await runtime.stop(other, grace=timedelta())

    slow.let.set()
    await asyncio.gather(starting, ending)

    assert slow.ended == [other, one.id]
    assert slow.running == {}
