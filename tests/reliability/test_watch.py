"""A release that is worse than the one before is taken back by itself; one that is not stays."""

from collections.abc import Iterator

import pytest

from tests import load
from tests.e2e.apps import erring
from tests.gitserver import GitServer
from tests.platform import Platform, User, platform, request

WATCH = 20


@pytest.fixture(scope="module")
def local() -> Iterator[Platform]:
    with platform(AUTOSTACK_WATCH_SECONDS=str(WATCH)) as up:
        yield up


@pytest.fixture(scope="module")
def user(local: Platform) -> User:
    return User.register(local)


@pytest.fixture(scope="module")
def git(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitServer]:
    with GitServer(tmp_path_factory.mktemp("git")) as server:
        yield server


def test_a_version_that_fails_a_third_of_requests_is_taken_back_with_the_evidence(
    user: User, git: GitServer
) -> None:
    git.create("third", erring("one"))
    project = user.create_project("third", git.url("third"))["id"]
    url = f"http://{user.deploy(project)['url']}/"
    git.commit("third", erring("two", every=3), "worse")

    with load.during(load.Load(url=url, rate=20)) as measured:
        found = user.wait(user.deploy(project)["id"], settled=True)

    assert (found["status"], found["watch"]["state"]) == ("failed", "worse")
    assert found["watch"]["seconds"] < WATCH
    assert "of requests with an error" in found["error_message"]
    assert found["watch"]["before"]["errors"] == 0
    assert request("GET", url).body == b"one\n"
    # Every failure was the app's own answer; the way back costs nothing.
    result = measured.result
    assert result.failed == result.server_errors, result
    kept = user.call("GET", f"/deployments/{found['id']}")["release_id"]
    assert kept is not None


def test_a_good_version_stays_and_the_cost_of_its_switch_is_told(
    user: User, git: GitServer
) -> None:
    git.create("good", erring("one", every=50))
    project = user.create_project("good", git.url("good"))["id"]
    url = f"http://{user.deploy(project)['url']}/"
    git.commit("good", erring("two", every=50), "as good")

    with load.during(load.Load(url=url, rate=20)):
        found = user.wait(user.deploy(project)["id"], settled=True)

    assert (found["status"], found["watch"]["state"]) == ("success", "passed")
    assert found["watch"]["basis"] == "traffic"
    assert found["watch"]["requests"] > WATCH * 10
    assert (found["evidence"]["failed"], found["evidence"]["visits_failed"]) == (0, 0)
    assert found["evidence"]["requests"] > 0
    assert found["evidence"]["summary"].startswith(
        f"0 of {found['evidence']['requests']} requests failed"
    )


def test_what_visitors_got_is_told_by_minute(user: User) -> None:
    project = next(one for one in user.call("GET", "/projects")["items"] if one["name"] == "good")[
        "id"
    ]

    told = user.call("GET", f"/projects/{project}/environments/production/traffic?window=1h")

    assert (told["step"], len(told["points"])) == (60, 60)
    assert told["total"]["requests"] > WATCH * 10
    assert told["total"]["server_errors"] > 0
    assert told["total"]["p95"] is not None
    assert sum(point["requests"] for point in told["points"]) == told["total"]["requests"]


def test_without_visitors_health_decides_and_that_is_said(user: User, git: GitServer) -> None:
    git.create("lonely", erring("one"))
    project = user.create_project("lonely", git.url("lonely"))["id"]
    user.deploy(project)
    path = f"/projects/{project}/environments/production"
    user.call("PATCH", path, {"watch": {"seconds": 2}})
    git.commit("lonely", erring("two", every=1), "nobody sees it")

    found = user.wait(user.deploy(project)["id"], settled=True)

    assert (found["watch"]["state"], found["watch"]["basis"]) == ("passed", "health")
    assert found["watch"]["seconds"] < WATCH
    assert "0 of" in found["evidence"]["summary"]


def test_a_rollback_while_the_release_before_is_kept_starts_nothing(
    user: User, git: GitServer
) -> None:
    git.create("back", erring("one"))
    project = user.create_project("back", git.url("back"))["id"]
    first = user.deploy(project)
    environment = first["environment_id"]
    [kept] = user.call("GET", f"/environments/{environment}/instances")["items"]
    git.commit("back", erring("two"), "second version")
    user.deploy(project)
    url = f"http://{first['url']}/"

    with load.during(load.Load(url=url, rate=50)) as measured:
        asked = user.call("POST", f"/environments/{environment}/rollback", {})
        found = user.wait(asked["id"])
    running = user.call("GET", f"/environments/{environment}/instances")["items"]

    assert found["status"] == "success"
    assert request("GET", url).body == b"one\n"
    assert kept["id"] in {one["id"] for one in running if one["deployment_id"] == found["id"]}
    assert measured.result.failed == 0, measured.result
