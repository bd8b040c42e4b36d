"""Slow, hanging and lying apps, as the next version of one that serves under load."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import psutil
import pytest

from tests import load
from tests.gitserver import GitServer
from tests.load import Result
from tests.platform import Platform, User, platform, request, until
from tests.reliability import faulty
from tests.reliability.gate import Rows
from tests.reliability.world import World

pytestmark = [pytest.mark.faults, pytest.mark.needs("root")]

WATCH = 10
MB = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Yard:
    platform: Platform
    user: User
    git: GitServer
    world: World


@dataclass(slots=True, kw_only=True)
class Tried:
    """What came of a new version, and of the requests meanwhile."""

    found: Any
    result: Result
    body: bytes
    url: str


@pytest.fixture(scope="module")
def yard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Yard]:
    with (
        GitServer(tmp_path_factory.mktemp("git")) as git,
        platform(AUTOSTACK_WATCH_SECONDS=str(WATCH)) as up,
    ):
        rows = Rows(up)
        yield Yard(platform=up, user=User.register(up), git=git, world=World(up, rows))
        rows.close()


def try_out(
    yard: Yard, before: str, *, old: str = "", files: Mapping[str, str] | None = None
) -> Tried:
    """A first version that serves, then one that does `before`; both settled."""
    name = f"faulty-{uuid4().hex[:8]}"
    yard.git.create(name, faulty.app("one", old))
    project = yard.user.create_project(name, yard.git.url(name))["id"]
    first = yard.user.wait(yard.user.deploy(project)["id"], settled=True)
    url = f"http://{first['url']}/"
    yard.git.commit(name, {**faulty.app("two", before), **(files or {})}, "worse")
    with load.during(load.Load(url=url, rate=20, keep_alive=2)) as measured:
        asked = yard.user.request_deployment(project)["id"]
        found = yard.user.wait(asked, settled=True)
    whole = yard.world
    until(lambda: whole.at_rest() and not whole.surplus(), what=f"{whole.surplus()}")
    return Tried(found=found, result=measured.result, body=request("GET", url).body, url=url)


def test_one_that_binds_late_is_waited_for(yard: Yard) -> None:
    tried = try_out(yard, faulty.BINDS_LATE)

    assert (tried.found["status"], tried.body) == ("success", b"two\n")
    assert tried.result.failed == 0, tried.result


def test_one_that_says_by_its_command_when_it_is_ready_is_waited_for(yard: Yard) -> None:
    tried = try_out(yard, faulty.GETS_READY, files=faulty.READY)

    assert (tried.found["status"], tried.body) == ("success", b"two\n")
    assert tried.result.failed == 0, tried.result


def test_one_that_is_well_only_while_it_is_checked_is_taken_back(yard: Yard) -> None:
    tried = try_out(yard, faulty.LIES)

    assert (tried.found["status"], tried.body) == ("failed", b"one\n")
    assert "of requests with an error" in tried.found["error_message"]
    # The platform lost none; all that failed, the app itself answered.
    assert tried.result.failed == tried.result.server_errors, tried.result


def test_one_that_exits_after_five_seconds_is_taken_back(yard: Yard) -> None:
    tried = try_out(yard, faulty.EXITS)

    assert (tried.found["status"], tried.body) == ("failed", b"one\n")
    assert "ended with exit code 3" in tried.found["error_message"]


def test_one_that_ignores_sigterm_is_ended_for_certain(yard: Yard) -> None:
    tried = try_out(yard, "", old=faulty.DEAF)

    assert (tried.found["status"], tried.body) == ("success", b"two\n")
    assert tried.result.failed == 0, tried.result


@pytest.mark.attack("I28")
def test_what_an_app_forked_ends_with_it(yard: Yard) -> None:
    tried = try_out(yard, "", old=faulty.forks(7391))

    assert tried.found["status"] == "success"
    assert tried.result.failed == 0, tried.result
    assert not [
        one for one in psutil.process_iter(["cmdline"]) if one.info["cmdline"] == ["sleep", "7391"]
    ]


def test_a_leak_of_memory_is_named_and_taken_back(yard: Yard) -> None:
    tried = try_out(yard, faulty.LEAKS)

    assert (tried.found["status"], tried.body) == ("failed", b"one\n")
    assert tried.found["diagnosis"]["code"] == "out_of_memory"


def test_memory_that_grows_to_its_limit_is_taken_back_and_a_warm_up_is_not(yard: Yard) -> None:
    seconds = {"grows": 3600, "warms-up": 25}
    asked = {name: watched(yard, name, faulty.takes(each)) for name, each in seconds.items()}

    found = {name: yard.user.wait(one, limit=300, settled=True) for name, one in asked.items()}

    assert found["grows"]["status"] == "failed"
    assert "reaches its limit of 512 MB" in found["grows"]["error_message"]
    assert found["warms-up"]["watch"]["state"] == "passed"
    held = found["warms-up"]["watch"]["memory"]["web"]
    assert held["now"] > held["before"] + 64 * MB


def watched(yard: Yard, name: str, before: str) -> str:
    """A second version, watched for long enough to see where its memory goes."""
    yard.git.create(name, faulty.app("one"))
    project = yard.user.create_project(name, yard.git.url(name))["id"]
    yard.user.wait(yard.user.deploy(project)["id"], settled=True)
    path = f"/projects/{project}/environments/production"
    yard.user.call("PATCH", path, {"watch": {"seconds": 45}})
    yard.git.commit(name, faulty.app("two", before), "takes more")
    return str(yard.user.request_deployment(project)["id"])


def test_too_many_open_files_end_the_app_and_nothing_else(yard: Yard) -> None:
    tried = try_out(yard, faulty.OPENS)

    assert (tried.found["status"], tried.body) == ("failed", b"one\n")
    assert "Too many open files" in tried.found["diagnosis"]["proof"]
    assert tried.result.failed == 0, tried.result


@pytest.mark.attack("I22")
def test_a_flood_of_output_costs_its_lines_and_no_visitor(yard: Yard) -> None:
    tried = try_out(yard, faulty.FLOODS)

    assert (tried.found["status"], tried.body) == ("success", b"two\n")
    assert tried.result.failed == 0, tried.result
    environment = tried.found["environment_id"]
    [row] = [one for one in yard.world.living() if str(one["environment_id"]) == environment]
    spool = yard.platform.home.instance_output(row["id"])
    until(lambda: spool.stat().st_blocks * 512 < 16 * MB, what="a spool that is read and freed")
    until(lambda: "lines dropped" in told(yard, environment), what="word of what was dropped")


def told(yard: Yard, environment: str) -> str:
    """What the platform itself says between the lines of the app."""
    found, cursor = list[str](), ""
    while True:
        page = yard.user.call("GET", f"/environments/{environment}/logs?limit=1000{cursor}")
        found += [one["text"] for one in page["items"] if not one["text"].startswith("y")]
        if not page["next_cursor"] or not page["items"]:
            return "\n".join(found)
        cursor = f"&cursor={page['next_cursor']}"
