"""Real builds in the real sandbox."""

import asyncio
import json
import shutil
import stat
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from threading import Event
from uuid import UUID, uuid4

import psutil
import pytest

from autostack.core.home import Home
from autostack.core.host import FIRST_UID, Host
from autostack.drivers.builders import trees
from autostack.drivers.builders.workspace import GONE, WorkspaceBuilder
from autostack.drivers.machine.sandbox import Machine, Network
from autostack.engine.detect import Tree, detect
from autostack.engine.errors import (
    BuildFailed,
    BuildOutOfMemory,
    BuildTimedOut,
    OutOfDisk,
    PublishMissing,
    ToolchainUnavailable,
    TreeRefused,
)
from autostack.engine.plan import BuildStep, Family, Overrides, Plan, Process, Toolchain
from autostack.engine.ports import BuildSpec
from autostack.engine.release import MIB, Artifact, Checkout, Limits
from tests.fakes import FakeLog

pytestmark = pytest.mark.needs("root")
UID = FIRST_UID + 60_002
PROJECT = uuid4()


@pytest.fixture
def builder(tmp_path: Path) -> WorkspaceBuilder:
    home = Home(tmp_path / "home")
    home.instances.mkdir(parents=True)
    host = Host(bridge=None, subnet=None, first_uid=FIRST_UID)
    return WorkspaceBuilder(Machine(home=home, host=host), network=Network.HOST)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    path = tmp_path / "tree"
    path.mkdir()
    return path


def write(tree: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(text)


def spec_of(tree: Path, plan: Plan, *, uid: int = UID, project: UUID = PROJECT) -> BuildSpec:
    return BuildSpec(
        id=uuid4(),
        project_id=project,
        checkout=Checkout(tree=tree, sha="a" * 40),
        plan=plan,
        env={"TOLD": "user"},
        uid=uid,
        limits=Limits(memory=1024 * MIB, pids=512, disk=1024 * MIB, seconds=120),
    )


def scripted(*lines: str, network: bool = False) -> Plan:
    steps = tuple(
        BuildStep(title="Build", command=("sh", "-c", line), network=network) for line in lines
    )
    return Plan(
        family=Family.PROCFILE,
        build=steps,
        processes=(Process(name="web", command=("./serve",)),),
    )


def detected(tree: Path) -> Plan:
    with Tree(tree) as view:
        return detect(view, overrides=Overrides(), variables=())


def app_of(artifact: Artifact) -> Path:
    return Path(artifact.location) / "app"


def mode_of(artifact: Artifact) -> int:
    return stat.S_IMODE(Path(artifact.location).stat().st_mode)


async def test_a_build_is_sealed_and_says_what_it_needs(
    builder: WorkspaceBuilder, tree: Path
) -> None:
    write(tree, {"app.py": "x", ".venv/evil": "x"})
    plan = scripted("id -u > who; echo $TOLD > told; mkfifo pipe; chmod 4777 app.py; touch ~/seen")

    artifact = await builder.build(spec_of(tree, plan), log=FakeLog())

    app = app_of(artifact)
    assert (app / "who").read_text() == f"{UID}\n"
    assert (app / "told").read_text() == "user\n"
    assert not (app / "pipe").exists()
    assert not (app / ".venv").exists()
    assert (app / "app.py").stat().st_uid == 0
    assert not (app / "app.py").stat().st_mode & stat.S_ISUID
    assert mode_of(artifact) == 0o700
    told = json.loads((app.parent / "artifact.json").read_text())
    assert told.keys() == {"mounts", "path", "env", "digest", "size", "peak_memory"}
    assert (artifact.size, artifact.peak_memory) == (told["size"], told["peak_memory"])
    assert artifact.peak_memory > 0


async def test_the_checkout_stays_as_it_was(builder: WorkspaceBuilder, tree: Path) -> None:
    write(tree, {"app.py": "before"})

    await builder.build(spec_of(tree, scripted("echo after > app.py")), log=FakeLog())

    assert (tree / "app.py").read_text() == "before"


async def test_a_flask_app_is_installed_once_and_used_again(
    builder: WorkspaceBuilder, tree: Path
) -> None:
    write(
        tree,
        {"requirements.txt": "flask==3.1.3\n", "app.py": "import flask\napp = flask.Flask('')\n"},
    )
    first = await builder.build(spec_of(tree, detected(tree)), log=FakeLog())
    write(tree, {"app.py": "import flask\napp = flask.Flask('x')\n"})
    log = FakeLog()

    second = await builder.build(spec_of(tree, detected(tree)), log=log)

    assert log.printed == b""
    for artifact in (first, second):
        assert (app_of(artifact) / ".venv" / "bin" / "gunicorn").exists()
        assert list(app_of(artifact).glob(".venv/lib/*/site-packages/flask/__pycache__/app.*.pyc"))
    assert "Flask('x')" in (app_of(second) / "app.py").read_text()


async def test_a_release_keeps_its_packages_when_the_cache_is_gone(
    builder: WorkspaceBuilder, tree: Path
) -> None:
    write(tree, {"requirements.txt": "itsdangerous==2.2.0\n", "Procfile": "web: python a.py\n"})
    artifact = await builder.build(spec_of(tree, detected(tree)), log=FakeLog())

    await asyncio.to_thread(shutil.rmtree, builder.machine.home.caches)

    assert list(app_of(artifact).glob(".venv/lib/*/site-packages/itsdangerous/__init__.py"))


async def test_a_later_step_cannot_change_packages_others_share(
    builder: WorkspaceBuilder, tree: Path
) -> None:
    write(tree, {"requirements.txt": "itsdangerous==2.2.0\n", "Procfile": "web: x\n"})
    installed = detected(tree)
    init = ".venv/lib/python3.*/site-packages/itsdangerous/__init__.py"
    evil = BuildStep(title="Build", command=("sh", "-c", f"echo evil >> {init}"), network=False)
    await builder.build(spec_of(tree, installed), log=FakeLog())

    with pytest.raises(BuildFailed):
        await builder.build(
            spec_of(tree, replace(installed, build=(*installed.build, evil))), log=FakeLog()
        )

    for found in builder.machine.home.caches.glob(f"*/layers/*/{init}"):
        assert "evil" not in found.read_text()


async def test_another_user_of_the_same_project_can_use_its_cache(
    builder: WorkspaceBuilder, tree: Path
) -> None:
    write(tree, {"requirements.txt": "itsdangerous==2.2.0\n", "Procfile": "web: x\n"})
    await builder.build(spec_of(tree, detected(tree)), log=FakeLog())
    write(tree, {"requirements.txt": "itsdangerous==2.1.2\n"})

    artifact = await builder.build(spec_of(tree, detected(tree), uid=UID + 1), log=FakeLog())

    assert artifact.size > 0


@pytest.mark.attack("I05")
async def test_projects_cannot_see_each_others_caches(
    builder: WorkspaceBuilder, tree: Path
) -> None:
    write(tree, {"a": ""})
    plan = scripted("echo secret > /cache/home/mine")
    await builder.build(spec_of(tree, plan, project=uuid4()), log=FakeLog())

    artifact = await builder.build(
        spec_of(tree, scripted("ls -A /cache/home > seen"), project=uuid4()), log=FakeLog()
    )

    assert (app_of(artifact) / "seen").read_text() == ""


@pytest.mark.attack("B23")
async def test_nothing_of_the_platform_is_seen_by_a_build(
    builder: WorkspaceBuilder, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTOSTACK_SECRET_KEY", "hunter2")
    write(tree, {"a": ""})
    home = builder.machine.home.root
    plan = scripted(f"env > seen; ls {home}/artifacts {home}/caches >> seen 2>&1; true")

    artifact = await builder.build(spec_of(tree, plan), log=FakeLog())

    seen = (app_of(artifact) / "seen").read_text()
    assert "hunter2" not in seen
    assert seen.count("No such file or directory") == 2


async def test_each_way_to_fail_has_its_own_error(builder: WorkspaceBuilder, tree: Path) -> None:
    write(tree, {"a": ""})
    spec = spec_of(tree, scripted("exit 7"))
    impossible = replace(scripted(), toolchains=(Toolchain(name="node", version="3"),))
    hungry = scripted("python3 -c 'x = bytearray(400 << 20); print(len(x))'")

    with pytest.raises(BuildFailed, match="Build failed with exit code 7"):
        await builder.build(spec, log=FakeLog())
    with pytest.raises(BuildTimedOut):
        await builder.build(
            replace(spec, plan=scripted("sleep 60"), limits=replace(spec.limits, seconds=1)),
            log=FakeLog(),
        )
    with pytest.raises(BuildOutOfMemory):
        await builder.build(
            replace(spec, plan=hungry, limits=replace(spec.limits, memory=64 * MIB)), log=FakeLog()
        )
    with pytest.raises(OutOfDisk):
        await builder.build(
            replace(
                spec,
                plan=scripted("head -c 9000000 /dev/urandom > a; cp a b"),
                limits=replace(spec.limits, disk=10 * MIB),
            ),
            log=FakeLog(),
        )
    with pytest.raises(ToolchainUnavailable, match="Node 3"):
        await builder.build(replace(spec, plan=impossible), log=FakeLog())
    assert list(builder.machine.home.artifacts.iterdir()) == []


@pytest.mark.attack("G26")
async def test_a_build_that_fills_the_disk_is_ended_while_it_runs(
    builder: WorkspaceBuilder, tree: Path
) -> None:
    write(tree, {"a": ""})
    plan = scripted(
        "for n in $(seq 90); do head -c 1000000 /dev/urandom > $n; done; echo full; sleep 60"
    )
    spec = spec_of(tree, plan)
    log = FakeLog()
    began = asyncio.get_running_loop().time()

    with pytest.raises(OutOfDisk, match="a build of more than 10 MB"):
        await builder.build(replace(spec, limits=replace(spec.limits, disk=10 * MIB)), log=log)

    assert asyncio.get_running_loop().time() - began < 30


async def test_a_canceled_build_leaves_no_process_and_no_files(
    builder: WorkspaceBuilder, tree: Path
) -> None:
    write(tree, {"a": ""})
    plan = scripted("setsid sleep 4242 & sleep 4243")
    task = asyncio.create_task(builder.build(spec_of(tree, plan), log=FakeLog()))
    await _until_two_sleep()

    began = asyncio.get_running_loop().time()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task

    assert asyncio.get_running_loop().time() - began < 2
    assert _sleepers() == []
    assert list(builder.machine.home.artifacts.iterdir()) == []


async def _until_two_sleep() -> None:
    for _ in range(400):
        if len(_sleepers()) == 2:
            return
        await asyncio.sleep(0.05)
    pytest.fail("the build did not start its processes")


def _sleepers() -> list[int]:
    wanted = (["sleep", "4242"], ["sleep", "4243"])
    return [
        process.pid
        for process in psutil.process_iter(["cmdline"])
        if process.info["cmdline"] in wanted
    ]


async def test_what_a_killed_build_left_is_swept(builder: WorkspaceBuilder, tree: Path) -> None:
    left = builder.machine.home.artifacts / f".{uuid4()}"
    left.mkdir(parents=True)
    (left / "file").touch()
    write(tree, {"a": ""})
    kept = await builder.build(spec_of(tree, scripted()), log=FakeLog())

    await builder.sweep()

    await until_only(builder, kept)


async def test_a_build_does_not_wait_until_its_workspace_is_gone(
    builder: WorkspaceBuilder, tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on, remove = Event(), trees.remove

    def slowly(path: Path) -> None:
        if path.name.endswith(f".{GONE}"):
            go_on.wait(60)
        remove(path)

    monkeypatch.setattr(trees, "remove", slowly)
    write(tree, {"a": ""})

    kept = await builder.build(spec_of(tree, scripted()), log=FakeLog())
    left = [one.name for one in builder.machine.home.artifacts.iterdir() if one.name != kept.id]
    go_on.set()

    assert [name.rpartition(".")[2] for name in left] == [GONE]
    await until_only(builder, kept)


async def until_only(builder: WorkspaceBuilder, kept: Artifact) -> None:
    async with asyncio.timeout(60):
        while [one.name for one in builder.machine.home.artifacts.iterdir()] != [kept.id]:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_a_site_holds_only_what_is_published(builder: WorkspaceBuilder, tree: Path) -> None:
    write(tree, {"index.html": "hi", ".env": "SECRET=1", "a/.git/x": "", ".well-known/y": ""})

    artifact = await builder.build(spec_of(tree, detected(tree)), log=FakeLog())

    found = {str(path.relative_to(app_of(artifact))) for path in app_of(artifact).rglob("*")}
    assert found == {"index.html", "a", ".well-known", ".well-known/y"}
    assert mode_of(artifact) == 0o755


async def test_a_site_cannot_publish_files_of_the_host(
    builder: WorkspaceBuilder, tree: Path
) -> None:
    write(tree, {"a": ""})
    plan = Plan(
        family=Family.NODE,
        publish="dist",
        build=(
            BuildStep(title="Build", command=("sh", "-c", "mkdir dist; ln -s /etc/passwd dist/x")),
        ),
    )

    with pytest.raises(TreeRefused, match="leads out"):
        await builder.build(spec_of(tree, plan), log=FakeLog())
    with pytest.raises(PublishMissing):
        await builder.build(spec_of(tree, replace(plan, build=())), log=FakeLog())


async def test_a_link_is_no_way_to_publish_the_host(builder: WorkspaceBuilder, tree: Path) -> None:
    write(tree, {"a": ""})
    step = BuildStep(title="Build", command=("ln", "-s", "/etc", "dist"))
    plan = Plan(family=Family.NODE, publish="dist", build=(step,))

    with pytest.raises(PublishMissing):
        await builder.build(spec_of(tree, plan), log=FakeLog())
