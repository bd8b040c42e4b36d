"""A thousand deployments asked for at once."""

from collections.abc import Iterator

import pytest

from tests.gitserver import GitServer
from tests.platform import Platform, User, platform, request, until
from tests.reliability import faulty
from tests.reliability.gate import Rows
from tests.reliability.world import World

pytestmark = [pytest.mark.faults, pytest.mark.needs("root")]

PROJECTS, EACH = 20, 50
LIMIT = 1500.0
OVER = "select from deployments where settled_at is not null"


@pytest.fixture(scope="module")
def local() -> Iterator[Platform]:
    with platform(AUTOSTACK_WATCH_SECONDS="0") as up:
        yield up


@pytest.mark.timeout(1800)
def test_of_a_thousand_requests_all_end_in_order_and_the_newest_of_each_serves(
    local: Platform, tmp_path_factory: pytest.TempPathFactory
) -> None:
    user, rows = User.register(local), Rows(local)
    world = World(local, rows)
    with GitServer(tmp_path_factory.mktemp("git")) as git:
        git.create("many", faulty.app("one"))
        url = git.url("many")
        projects = [user.create_project(f"many-{one}", url)["id"] for one in range(PROJECTS)]

        for _ in range(EACH):
            for project in projects:
                user.request_deployment(project)
        until(lambda: rows.count(OVER) == PROJECTS * EACH, limit=LIMIT, what="all are over")
        until(lambda: not world.surplus(), what="nothing left")

    found = rows.all("select * from deployments order by project_id, number")
    assert {row["status"] for row in found} == {"success", "superseded"}
    for project in projects:
        mine = [row for row in found if str(row["project_id"]) == project]
        begun = [row["started_at"] for row in mine if row["started_at"]]
        assert begun == sorted(begun)
        assert mine[-1]["status"] == "success"
        assert request("GET", f"http://{mine[-1]['url']}/").body == b"one\n"
    rows.close()
