"""What every Runtime promises, the fake included."""

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import psutil
import pytest

from autostack.engine.ports import Runtime
from autostack.engine.release import (
    Artifact,
    Exit,
    InstanceSpec,
    InstanceState,
    NetworkPlace,
    Observation,
)
from tests.fakes import FakeLog, FakeRuntime
from tests.integration.docker.yards import Yard
from tests.integration.runtimes import machines
from tests.integration.runtimes.asking import until

GRACE = timedelta(seconds=5)
LIMIT = timedelta(seconds=30)
PAUSE = 0.5


@dataclass(frozen=True, slots=True)
class Side:
    """One implementation, and what makes specs it can run."""

    runtime: Runtime
    spec: Callable[..., InstanceSpec]
    placed: bool = True
    """Whether an instance gets the very address its spec names; a container engine has its own."""


def fake_spec(*command: str) -> InstanceSpec:
    one = uuid4()
    return InstanceSpec(
        id=one, project_id=one, environment_id=one, release_id=one, process="web",
        artifact=Artifact(id="a", kind="directory", location="/nowhere"),
        command=command or ("serve",), uid=os.getuid(),
        place=NetworkPlace(address="127.0.0.1", port=1), output=Path("/dev/null"),
    )  # fmt: skip


@pytest.fixture(
    scope="module",
    params=[
        "fake",
        pytest.param("process", marks=pytest.mark.needs("linux")),
        pytest.param("docker", marks=pytest.mark.needs("docker")),
    ],
)
def side(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Side]:
    if request.param == "fake":
        yield Side(FakeRuntime(), fake_spec)
        return
    if request.param == "docker":
        engine = request.getfixturevalue("docker_engine")
        yard = Yard.on(engine, tmp_path_factory.mktemp("contract"))
        yield Side(yard.runtime, yard.spec, placed=False)
        yard.close()
        return
    with machines.house(tmp_path_factory.mktemp("contract")) as house:
        yield Side(house.runtime, house.spec)


async def test_a_started_instance_runs_where_its_spec_says(side: Side) -> None:
    spec = side.spec()

    instance = await side.runtime.start(spec)

    assert instance.id == spec.id
    host, _, port = instance.address.partition(":")
    assert (host == spec.place.address) is side.placed
    assert int(port) == spec.place.port
    assert await state(side.runtime, spec.id, InstanceState.RUNNING)
    await side.runtime.stop(spec.id, grace=GRACE)


async def test_starting_what_runs_returns_it(side: Side) -> None:
    spec = side.spec()
    first = await side.runtime.start(spec)
    await state(side.runtime, spec.id, InstanceState.RUNNING)

    second = await side.runtime.start(spec)

    assert second == first
    assert [seen.id for seen in await everything(side.runtime)].count(spec.id) == 1
    await side.runtime.stop(spec.id, grace=GRACE)


async def test_a_stopped_instance_is_missing(side: Side) -> None:
    spec = side.spec()
    await side.runtime.start(spec)

    await side.runtime.stop(spec.id, grace=GRACE)

    assert (await side.runtime.inspect(spec.id)).state is InstanceState.MISSING
    assert spec.id not in {seen.id for seen in await everything(side.runtime)}


async def test_stopping_what_is_gone_is_not_an_error(side: Side) -> None:
    await side.runtime.stop(uuid4(), grace=GRACE)


async def test_what_never_was_is_missing(side: Side) -> None:
    assert (await side.runtime.inspect(uuid4())).state is InstanceState.MISSING


async def test_the_first_round_of_watching_lists_everything(side: Side) -> None:
    specs = [side.spec(), side.spec()]
    for spec in specs:
        await side.runtime.start(spec)

    seen = await everything(side.runtime)

    assert {spec.id for spec in specs} <= {one.id for one in seen}
    for spec in specs:
        await side.runtime.stop(spec.id, grace=GRACE)


async def test_a_release_command_is_run_to_its_end(side: Side) -> None:
    log = FakeLog()

    ended = await side.runtime.run_once(side.spec("/bin/true"), limit=LIMIT, log=log)

    assert ended == Exit(code=0)


async def test_a_check_command_is_answered_from_inside(side: Side) -> None:
    spec = side.spec()
    await side.runtime.start(spec)
    await state(side.runtime, spec.id, InstanceState.RUNNING)

    yes = await side.runtime.ask(spec.id, sh('test -n "$PORT" && exit 0'), limit=LIMIT)
    no = await side.runtime.ask(spec.id, sh("exit 3"), limit=LIMIT)

    assert yes.error == ""
    assert "exit code 3" in no.error
    await side.runtime.stop(spec.id, grace=GRACE)


async def test_a_check_command_that_hangs_is_ended(side: Side) -> None:
    spec = side.spec()
    await side.runtime.start(spec)
    await state(side.runtime, spec.id, InstanceState.RUNNING)

    late = await side.runtime.ask(spec.id, sh("sleep 98712"), limit=timedelta(seconds=1))

    assert "did not end within 1 seconds" in late.error
    await until(sleepers, lambda found: not found)
    assert (await side.runtime.inspect(spec.id)).state is InstanceState.RUNNING
    await side.runtime.stop(spec.id, grace=GRACE)


async def test_what_is_gone_answers_no_check_command(side: Side) -> None:
    answer = await side.runtime.ask(uuid4(), sh("exit 0"), limit=LIMIT)

    assert answer.error


def sh(line: str) -> tuple[str, ...]:
    return ("sh", "-c", line)


async def sleepers() -> list[int]:
    return [one.pid for one in psutil.process_iter() if "98712" in " ".join(arguments(one))]


def arguments(process: psutil.Process) -> list[str]:
    with suppress(psutil.Error):
        return process.cmdline()
    return []


async def state(runtime: Runtime, instance_id: UUID, wanted: InstanceState) -> Observation:
    return await until(lambda: runtime.inspect(instance_id), lambda seen: seen.state is wanted)


async def everything(runtime: Runtime) -> list[Observation]:
    """The first round: what comes before the first pause."""
    seen: list[Observation] = []
    rounds = aiter(runtime.watch())
    with suppress(TimeoutError, StopAsyncIteration):
        while True:
            seen.append(await asyncio.wait_for(anext(rounds), PAUSE))
    return seen
