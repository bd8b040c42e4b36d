"""What builds leave on disk, and that tidying up never takes what a build uses."""

import json
import os
from pathlib import Path
from time import time
from uuid import uuid4

import pytest

from autostack.core.home import Home
from autostack.core.host import FIRST_UID, Host
from autostack.drivers.builders.docker import DockerBuilder
from autostack.drivers.builders.docker_plan import BaseImages
from autostack.drivers.builders.store import BuildStore
from autostack.drivers.builders.workspace import WorkspaceBuilder
from autostack.drivers.machine.docker import Engine
from autostack.drivers.machine.sandbox import Machine

HOST = Host(bridge="as0", subnet="10.9.0.0/24", first_uid=FIRST_UID)
YESTERDAY = time() - 2 * 86_400


@pytest.fixture
def store(tmp_path: Path) -> BuildStore:
    """No engine is asked here."""
    home = Home(tmp_path)
    engine = Engine("unix:///nowhere", home=tmp_path)
    bases = BaseImages(python="p", node="n", procfile="d")
    return BuildStore(
        workspace=WorkspaceBuilder(machine=Machine(home=home, host=HOST)),
        images=DockerBuilder(engine, home, bases=bases),
    )


def put(path: Path, content: str = "x") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


async def test_finished_builds_are_listed_and_half_made_ones_are_not(store: BuildStore) -> None:
    build = uuid4()
    put(store.home.artifacts / str(build) / "artifact.json", "{}")
    put(store.home.artifacts / f".{uuid4()}" / "build/app/x")

    assert [one.id for one in await store.builds(images=False)] == [str(build)]


async def test_leftovers_go_and_what_is_being_built_stays(store: BuildStore) -> None:
    home, mine, project = store.home, uuid4(), uuid4()
    put(home.artifacts / f".{mine}" / "x")
    put(home.artifacts / f".{uuid4()}" / "x")
    put(home.artifacts / f".{uuid4()}.removed" / "x")
    put(home.toolchains / f".{uuid4()}" / "x")
    put(home.caches / str(project) / "layers" / ".half" / "x")
    store.workspace.building.add(mine)

    await store.leftovers()
    assert names(home.artifacts) == {f".{mine}"}
    assert len(names(home.toolchains)) == 1
    assert names(home.caches / str(project) / "layers") == set()

    store.workspace.building.clear()
    await store.leftovers()
    assert names(home.artifacts) == names(home.toolchains) == set()


async def test_toolchains_that_no_stored_build_needs_go(store: BuildStore) -> None:
    home = store.home
    python, node = home.toolchains / "python/cpython-3.12.1-linux", home.toolchains / "node-20.1.0"
    for used in (python, node):
        put(used / "bin/x")
    put(home.toolchains / "python/cpython-3.9.0-linux/bin/x")
    put(home.toolchains / "node-18.0.0/bin/x")
    document = {"mounts": [str(python), str(node)]}
    put(home.artifacts / str(uuid4()) / "artifact.json", json.dumps(document))

    store.workspace.building.add(uuid4())
    await store.toolchains()
    assert "node-18.0.0" in names(home.toolchains)

    store.workspace.building.clear()
    await store.toolchains()
    assert names(home.toolchains) == {"python", "node-20.1.0"}
    assert names(home.toolchains / "python") == {python.name}


async def test_packages_that_a_build_shares_stay_and_others_go_when_they_are_old(
    store: BuildStore,
) -> None:
    layers = store.home.caches / str(uuid4()) / "layers"
    for name in ("new", "old", "shared"):
        put(layers / name / ".venv/lib/x")
    shared = store.home.artifacts / str(uuid4()) / "app/x"
    shared.parent.mkdir(parents=True)
    os.link(layers / "shared/.venv/lib/x", shared)
    for name in ("old", "shared"):
        os.utime(layers / name, (YESTERDAY, YESTERDAY))

    await store.layers(every=False)
    assert names(layers) == {"new", "shared"}

    await store.layers(every=True)
    assert names(layers) == {"shared"}
    assert shared.read_text() == "x"


async def test_caches_are_cleared_the_oldest_first_and_never_under_a_build(
    store: BuildStore,
) -> None:
    old, new = uuid4(), uuid4()
    for project in (old, new):
        put(store.home.caches / str(project) / "store/pip/x")
    os.utime(store.home.caches / str(old) / "store", (YESTERDAY, YESTERDAY))

    assert await store.caches() == [old, new]
    async with store.workspace.lock(old):
        await store.clear(old)
        assert await store.caches() == [old, new]
    await store.clear(old)
    await store.clear(uuid4())

    assert await store.caches() == [new]
