"""The Docker builder on a real engine: what a Dockerfile may do, and how a build ends."""

import asyncio
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from autostack.engine.errors import (
    BaseImageUnavailable,
    BuildFailed,
    BuildOutOfMemory,
    BuildTimedOut,
    DockerfileRefused,
)
from autostack.engine.plan import Family, Plan, Process
from autostack.engine.ports import BuildSpec
from autostack.engine.release import MIB, Checkout, Limits
from tests.docker import BASE, TestEngine
from tests.fakes import FakeLog
from tests.integration.docker.yards import Yard

pytestmark = pytest.mark.needs("docker")
GRACE = timedelta(seconds=1)


def spec(
    tree: Path,
    *lines: str,
    files: Mapping[str, str] | None = None,
    limits: Limits | None = None,
    project: UUID | None = None,
    **env: str,
) -> BuildSpec:
    content = {"Dockerfile": "\n".join((f"FROM {BASE}", *lines)) + "\n", **(files or {})}
    for name, text in content.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(text)
    plan = Plan(family=Family.DOCKERFILE, processes=(Process(name="web", command=()),))
    return BuildSpec(
        id=uuid4(),
        project_id=project or uuid4(),
        checkout=Checkout(tree=tree, sha="a" * 40),
        plan=plan,
        env=env,
        uid=1,
        limits=limits or Limits(memory=512 * MIB, pids=200, seconds=60),
    )


async def test_an_image_has_a_name_and_labels_of_its_build(
    yard: Yard, docker_engine: TestEngine, tmp_path: Path
) -> None:
    built = spec(tmp_path / "tree", "RUN echo built > /made")

    artifact = await yard.builder.build(built, log=FakeLog())

    with docker_engine.client() as client:
        image = client.inspect_image(f"autostack/{built.project_id}:{built.id}")
    assert (artifact.kind, artifact.location) == ("image", image["Id"])
    assert image["Config"]["Labels"]["autostack.project"] == str(built.project_id)
    assert artifact.size > 0
    assert artifact.peak_memory > 0


async def test_unchanged_instructions_are_kept_from_before(yard: Yard, tmp_path: Path) -> None:
    lines = ("COPY wanted /wanted", "RUN sleep 2; echo $RANDOM > /made")
    first = spec(tmp_path / "tree", *lines, files={"wanted": "a"})
    await yard.builder.build(first, log=FakeLog())
    log = FakeLog()

    await yard.builder.build(spec(tmp_path / "tree", *lines, files={"wanted": "a"}), log=log)

    assert b"Using cache" in log.printed


async def test_what_dockerignore_names_stays_outside(yard: Yard, tmp_path: Path) -> None:
    files = {".dockerignore": "secret\n*.log\n", "secret": "x", "a.log": "x", "kept": "x"}
    built = spec(tmp_path / "tree", "COPY . /src", "RUN echo found: $(ls -A /src)", files=files)
    log = FakeLog()

    await yard.builder.build(built, log=log)

    found = log.printed.split(b"found: ")[-1].split(b"\n")[0].split()
    assert b"kept" in found
    assert not {b"secret", b"a.log"} & set(found)


async def test_a_variable_gets_in_only_where_the_dockerfile_declares_it(
    yard: Yard, docker_engine: TestEngine, tmp_path: Path
) -> None:
    lines = ("ARG WANTED", "RUN echo told: $WANTED; env > /seen; ! grep s3cr3t /seen")
    built = spec(tmp_path / "tree", *lines, WANTED="value", TOKEN="s3cr3t")
    log = FakeLog()

    artifact = await yard.builder.build(built, log=log)

    with docker_engine.client() as client:
        image = str(client.inspect_image(artifact.location))
    assert b"told: value" in log.printed
    assert "s3cr3t" not in image


async def test_a_command_that_fails_is_named_with_its_code(yard: Yard, tmp_path: Path) -> None:
    with pytest.raises(BuildFailed, match=r"exit 3 failed with exit code 3"):
        await yard.builder.build(spec(tmp_path / "tree", "RUN exit 3"), log=FakeLog())


async def test_a_dockerfile_that_makes_no_sense_is_refused_in_words(
    yard: Yard, tmp_path: Path
) -> None:
    with pytest.raises(DockerfileRefused, match=r"(?i)unknown instruction"):
        await yard.builder.build(spec(tmp_path / "tree", "NONSENSE x"), log=FakeLog())


async def test_a_file_that_is_missing_is_refused_in_words(yard: Yard, tmp_path: Path) -> None:
    with pytest.raises(DockerfileRefused, match="nowhere"):
        await yard.builder.build(spec(tmp_path / "tree", "COPY nowhere /"), log=FakeLog())


async def test_a_base_image_that_cannot_be_fetched_is_named(yard: Yard, tmp_path: Path) -> None:
    """There is no registry here: the engine fails to reach one, whatever it is called."""
    lines = ("FROM registry.invalid/nobody/nothing:1",)

    with pytest.raises(BaseImageUnavailable, match=r"registry\.invalid/nobody/nothing:1"):
        await yard.builder.build(spec(tmp_path / "tree", *lines), log=FakeLog())


async def test_memory_of_a_build_is_capped(yard: Yard, tmp_path: Path) -> None:
    hungry = 'RUN ["python3", "-c", "x = bytearray(300_000_000)"]'
    limits = Limits(memory=128 * MIB, pids=200, seconds=60)

    with pytest.raises(BuildOutOfMemory):
        await yard.builder.build(spec(tmp_path / "tree", hungry, limits=limits), log=FakeLog())


async def test_processes_of_a_build_are_capped(yard: Yard, tmp_path: Path) -> None:
    forks = "import os, time\nfor _ in range(99):\n    os.fork() or (time.sleep(5), os._exit(0))"
    limits = Limits(memory=512 * MIB, pids=40, seconds=60)
    built = spec(
        tmp_path / "tree", "COPY forks.py .", "RUN python3 forks.py", limits=limits,
        files={"forks.py": forks},
    )  # fmt: skip
    log = FakeLog()

    with pytest.raises(BuildFailed):
        await yard.builder.build(built, log=log)

    assert b"BlockingIOError" in log.printed


async def test_a_build_that_takes_too_long_is_ended(yard: Yard, tmp_path: Path) -> None:
    built = spec(tmp_path / "tree", "RUN sleep 61", limits=Limits(seconds=3))
    began = time.monotonic()

    with pytest.raises(BuildTimedOut):
        await yard.builder.build(built, log=FakeLog())

    while await running("sleep 61"):
        assert time.monotonic() - began < 30
        await asyncio.sleep(0.1)


@pytest.mark.parametrize("modern", [False, True])
async def test_a_canceled_build_ends_its_processes(
    yard: Yard, tmp_path: Path, *, modern: bool
) -> None:
    option = "--mount=type=cache,target=/kept " if modern else ""
    built = spec(tmp_path / "tree", f"RUN {option}echo begun; exec sleep 62")
    log = FakeLog()
    building = asyncio.create_task(yard.builder.build(built, log=log))
    while not await running("sleep 62"):
        assert not building.done()
        await asyncio.sleep(0.1)
    began = time.monotonic()

    building.cancel()
    with suppress(asyncio.CancelledError):
        await building

    while await running("sleep 62"):
        assert time.monotonic() - began < 5
        await asyncio.sleep(0.1)


async def test_a_dockerfile_for_buildkit_is_built_by_it(yard: Yard, tmp_path: Path) -> None:
    lines = ("RUN --mount=type=cache,target=/kept echo from buildkit | tee /made",)
    log = FakeLog()

    artifact = await yard.builder.build(spec(tmp_path / "tree", *lines), log=log)

    assert artifact.location.startswith("sha256:")
    assert b"RUN --mount=type=cache" in log.printed
    assert b"from buildkit\n" in log.printed


async def test_a_failure_in_buildkit_is_named_with_its_code(yard: Yard, tmp_path: Path) -> None:
    lines = ("RUN --mount=type=cache,target=/kept exit 4",)

    with pytest.raises(BuildFailed, match="exit code 4"):
        await yard.builder.build(spec(tmp_path / "tree", *lines), log=FakeLog())


@pytest.mark.parametrize("asked", ["--security=insecure", "--network=host"])
async def test_b17_a_dockerfile_gets_no_rights_it_asks_for(
    yard: Yard, tmp_path: Path, asked: str
) -> None:
    log = FakeLog()
    lines = (f"RUN {asked} echo it-ran",)

    with pytest.raises((BuildFailed, DockerfileRefused)):
        await yard.builder.build(spec(tmp_path / "tree", *lines), log=log)

    assert b"it-ran\n" not in log.printed


async def test_b17_a_front_end_of_a_stranger_is_named_and_not_run(
    yard: Yard, tmp_path: Path
) -> None:
    tree = tmp_path / "tree"
    text = f"# syntax=evil.invalid/frontend\nFROM {BASE}\nRUN true\n"

    with pytest.raises((BaseImageUnavailable, DockerfileRefused), match="evil"):
        await yard.builder.build(spec(tree, files={"Dockerfile": text}), log=FakeLog())


async def test_an_image_in_use_is_not_removed(yard: Yard, tmp_path: Path) -> None:
    built = spec(tmp_path / "tree", 'CMD ["sleep", "60"]')
    artifact = await yard.builder.build(built, log=FakeLog())
    instance = yard.spec(artifact=artifact)
    await yard.runtime.start(instance)

    await yard.builder.remove(artifact)
    still = FakeLog()
    await yard.builder.build(built, log=still)

    assert still.said == ["This image is here already."]
    await yard.runtime.stop(instance.id, grace=GRACE)
    await yard.builder.remove(artifact)
    await yard.builder.build(built, log=(gone := FakeLog()))
    assert gone.said == []


async def running(command: str) -> bool:
    """Whether a process of this command line lives on this machine."""

    def look() -> bool:
        wanted = command.replace(" ", "\0").encode() + b"\0"
        return any(read(place) == wanted for place in Path("/proc").glob("[0-9]*/cmdline"))

    return await asyncio.to_thread(look)


def read(place: Path) -> bytes:
    try:
        return place.read_bytes()
    except OSError:
        return b""


async def test_images_are_found_by_their_labels_with_what_only_they_hold(
    yard: Yard, tmp_path: Path
) -> None:
    built = spec(tmp_path / "tree", "RUN head -c 3000000 /dev/urandom > /made")
    artifact = await yard.builder.build(built, log=FakeLog())

    stored = await yard.builder.stored()
    sizes = await yard.builder.sizes()
    await yard.builder.remove(artifact)
    left = await yard.builder.stored()

    assert (built.project_id, built.id) in {(one.project, one.build) for one in stored}
    assert 3_000_000 <= sizes[built.project_id] < artifact.size
    assert built.id not in {one.build for one in left}
