"""A redeployment under load loses nothing, for the app itself and for its neighbour."""

from contextlib import ExitStack
from pathlib import Path

import pytest

from tests import load
from tests.e2e.apps import hard_coded_port
from tests.e2e.repositories import publish
from tests.gitserver import GitServer
from tests.platform import User


def test_a_redeploy_under_load_fails_no_request_of_the_app_or_its_neighbour(
    user: User, git: GitServer, examples: Path
) -> None:
    app = user.create_project("loaded", publish(git, "loaded", examples / "flask"))["id"]
    neighbour = user.create_project("beside", publish(git, "beside", examples / "flask"))["id"]
    url, beside = (f"http://{user.deploy(one)['url']}/" for one in (app, neighbour))
    git.commit("loaded", {"VERSION": "v2\n"}, "second version")
    old, new = b"Hello from Flask v1\n", b"Hello from Flask v2\n"

    with ExitStack() as stack:
        short = stack.enter_context(
            load.during(load.Load(url=url, bodies=(old, new), rate=200, keep_alive=4))
        )
        long = stack.enter_context(load.during(load.Load(url=url, rate=0, slow=4)))
        other = stack.enter_context(load.during(load.Load(url=beside, bodies=(old,), rate=50)))
        found = user.wait(user.deploy(app)["id"], settled=True)

    assert found["status"] == "success"
    assert found["settled_at"] is not None
    for measured in (short, long, other):
        assert measured.result.failed == 0, measured.result
    assert short.result.bodies[new] > 0
    assert long.result.ok > 0


@pytest.mark.needs("root")
def test_two_versions_that_want_the_same_port_redeploy_without_a_failed_request(
    user: User, git: GitServer
) -> None:
    git.create("sameport", hard_coded_port("one"))
    project = user.create_project("sameport", git.url("sameport"))["id"]
    first = user.deploy(project)
    git.commit("sameport", hard_coded_port("two"), "second version")

    watched = load.Load(url=f"http://{first['url']}/", bodies=(b"one\n", b"two\n"), rate=50)
    with load.during(watched) as measured:
        second = user.wait(user.deploy(project)["id"], settled=True)

    assert second["status"] == "success"
    assert measured.result.failed == 0, measured.result
    assert measured.result.bodies[b"two\n"] > 0
    assert any("5000" in warning for warning in second["warnings"])
