"""The contract of engine.ports.Builder, for the workspace builder and for the fake."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import pytest

from autostack.core.home import Home
from autostack.core.host import FIRST_UID, Host
from autostack.drivers.builders.docker import DockerBuilder
from autostack.drivers.builders.docker_plan import BaseImages
from autostack.drivers.builders.workspace import WorkspaceBuilder
from autostack.drivers.machine.docker import Engine
from autostack.drivers.machine.sandbox import Machine, Network
from autostack.engine.errors import BuildError, BuildFailed
from autostack.engine.plan import BuildStep, Family, Plan, Process
from autostack.engine.ports import Builder, BuildSpec
from autostack.engine.release import Checkout, Limits
from tests.docker import BASE, TestEngine
from tests.fakes import FakeBuilder, FakeLog

LIMITS = Limits(memory=1024**3, seconds=60)


def plan(*command: str) -> Plan:
    return Plan(
        family=Family.PROCFILE,
        build=(BuildStep(title="Build", command=command, network=False),) if command else (),
        processes=(Process(name="web", command=("./serve",)),),
    )


@pytest.fixture(
    params=[
        "fake",
        pytest.param("workspace", marks=pytest.mark.needs("root")),
        pytest.param("docker", marks=pytest.mark.needs("docker")),
    ]
)
def builder(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Builder]:
    if request.param == "fake":
        yield FakeBuilder()
        return
    home = Home(tmp_path / "home")
    home.instances.mkdir(parents=True)
    if request.param == "docker":
        running: TestEngine = request.getfixturevalue("docker_engine")
        engine = Engine(running.host, home=home.root)
        yield DockerBuilder(engine, home, bases=BaseImages(procfile=BASE), network="none")
        engine.close()
        return
    host = Host(bridge=None, subnet=None, first_uid=FIRST_UID)
    yield WorkspaceBuilder(Machine(home=home, host=host), network=Network.HOST)


@pytest.fixture
def spec(tmp_path: Path) -> BuildSpec:
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "serve").write_text("#!/bin/sh\n")
    return BuildSpec(
        id=uuid4(),
        project_id=uuid4(),
        checkout=Checkout(tree=tree, sha="a" * 40),
        plan=plan("sh", "-c", "echo built; echo made > made"),
        env={},
        uid=FIRST_UID + 60_001,
        limits=LIMITS,
    )


def slow(builder: Builder, spec: BuildSpec) -> BuildSpec:
    if isinstance(builder, FakeBuilder):
        builder.hold = asyncio.Event()
        return spec
    return with_plan(spec, plan("sleep", "60"))


def broken(builder: Builder, spec: BuildSpec) -> BuildSpec:
    if isinstance(builder, FakeBuilder):
        builder.failure = BuildFailed("Build", 3)
        return spec
    return with_plan(spec, plan("sh", "-c", "exit 3"))


def with_plan(spec: BuildSpec, plan: Plan) -> BuildSpec:
    return BuildSpec(
        id=spec.id,
        project_id=spec.project_id,
        checkout=spec.checkout,
        plan=plan,
        env=spec.env,
        uid=spec.uid,
        limits=spec.limits,
    )


def mended(builder: Builder, spec: BuildSpec) -> BuildSpec:
    if isinstance(builder, FakeBuilder):
        builder.hold = builder.failure = None
    return spec


async def test_a_build_is_named_by_its_id_and_prints_into_the_log(
    builder: Builder, spec: BuildSpec
) -> None:
    log = FakeLog()

    artifact = await builder.build(spec, log=log)

    assert artifact.id == str(spec.id)
    assert b"buil" in log.printed


async def test_the_same_id_is_built_once(builder: Builder, spec: BuildSpec) -> None:
    first = await builder.build(spec, log=FakeLog())
    again = FakeLog()

    second = await builder.build(spec, log=again)

    assert second == first
    assert again.printed == b""


async def test_a_failed_build_leaves_nothing_under_its_name(
    builder: Builder, spec: BuildSpec
) -> None:
    with pytest.raises(BuildError):
        await builder.build(broken(builder, spec), log=FakeLog())
    log = FakeLog()

    await builder.build(mended(builder, spec), log=log)

    assert log.printed


async def test_a_canceled_build_leaves_nothing_under_its_name(
    builder: Builder, spec: BuildSpec
) -> None:
    task = asyncio.create_task(builder.build(slow(builder, spec), log=FakeLog()))
    await asyncio.sleep(0.5)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task
    log = FakeLog()

    await builder.build(mended(builder, spec), log=log)

    assert log.printed


async def test_removing_twice_is_no_error_and_a_new_build_follows(
    builder: Builder, spec: BuildSpec
) -> None:
    artifact = await builder.build(spec, log=FakeLog())
    await builder.remove(artifact)
    await builder.remove(artifact)
    log = FakeLog()

    await builder.build(spec, log=log)

    assert log.printed
