"""Another hand at the edge's files, while an app serves."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from tests import load
from tests.gitserver import GitServer
from tests.platform import Platform, User, platform, request, until
from tests.reliability import faulty

pytestmark = pytest.mark.faults

HEAL = 60.0


@pytest.fixture(scope="module")
def local() -> Iterator[Platform]:
    with platform(AUTOSTACK_WATCH_SECONDS="1") as up:
        yield up


def test_half_written_route_files_stop_nobody_and_are_mended(
    local: Platform, tmp_path: Path
) -> None:
    user = User.register(local)
    with GitServer(tmp_path) as git:
        git.create("shop", faulty.app("one"))
        project = user.create_project("shop", git.url("shop"))["id"]
        first = user.wait(user.deploy(project)["id"], settled=True)
        url, environment = f"http://{first['url']}/", first["environment_id"]
        routes = local.home.edge / "routes"
        own, strange = routes / f"{environment}.yml", routes / f"{uuid4()}.yml"
        whole = own.read_text()
        half = whole[: len(whole) // 2]

        with load.during(load.Load(url=url, bodies=(b"one\n",), rate=50)) as measured:
            strange.write_text(half)
            until(lambda: not strange.exists(), limit=HEAL, what="the strange file put aside")
        own.write_text(half)
        until(lambda: own.exists() and own.read_text() == whole, limit=HEAL, what="it mended")
        until(lambda: request("GET", url).body == b"one\n", limit=HEAL, what="it served again")
        git.commit("shop", faulty.app("two"), "second version")
        found = user.deploy(project)

    assert measured.result.failed == 0, measured.result
    assert found["status"] == "success"
    assert request("GET", url).body == b"two\n"
