"""Pages hear of what happens, and find back after whatever interrupts them."""

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.browser import PATIENCE, Visit, enter
from tests.e2e.repositories import publish
from tests.gitserver import GitServer
from tests.platform import Platform, User

EXAMPLES = Path(__file__).parents[2] / "examples"
SLOW = "python -c 'import time\nfor n in range(40): print(\"tick\", n, flush=True); time.sleep(.5)'"


def test_another_tab_sees_a_deployment_without_asking(
    local: Platform, visit: Visit, git: GitServer
) -> None:
    visitor = visit()
    page = visitor.register("tabs@example.com")
    user = User.register(local, "tabs@example.com")
    project = user.create_project("tabs", publish(git, "tabs", EXAMPLES / "static"))
    page.reload()
    expect(page.get_by_role("link", name="tabs", exact=True)).to_be_visible()
    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    asked: list[str] = []
    page.on("request", lambda one: asked.append(one.url))

    user.deploy(project["id"])

    card = page.get_by_role("listitem").filter(has_text="tabs")
    expect(card.locator("[data-status=running]")).to_be_visible()
    assert [url for url in asked if "/overview?" in url] == []


def test_a_log_goes_on_after_the_api_was_away(
    local: Platform, visit: Visit, git: GitServer
) -> None:
    visitor = visit(expected=(502, 503))
    visitor.register("away@example.com")
    user = User.register(local, "away@example.com")
    project = user.create_project("away", publish(git, "away", EXAMPLES / "flask"))
    overrides = {"overrides": {"build_command": SLOW}}
    user.call("PATCH", f"/projects/{project['id']}", overrides)
    asked = user.request_deployment(project["id"])
    page = visitor.open(f"/projects/{project['id']}/deployments/{asked['id']}")
    log = page.get_by_role("log")
    expect(log).to_contain_text("tick 1")

    local.run("down")
    expect(page.get_by_text("Reconnecting…")).to_be_visible()
    local.up()

    expect(page.get_by_text("Live", exact=True)).to_be_visible()
    expect(page.locator("header [data-status=success]")).to_be_visible(timeout=2 * PATIENCE)
    expect(log).to_contain_text("Live.")
    visitor.faults.seen[:] = [one for one in visitor.faults.seen if "ERR_CONNECTION" not in one]


def test_who_is_signed_out_elsewhere_comes_back_to_the_same_page(
    local: Platform, visit: Visit
) -> None:
    visitor = visit(expected=(401,))
    page = visitor.register("session@example.com")
    page.goto(f"{visitor.base}/deployments")
    user = User.register(local, "session@example.com")
    sessions = user.call("GET", "/auth/sessions")["items"]

    for one in sessions:
        if not one["current"]:
            user.call("DELETE", f"/auth/sessions/{one['id']}")
    page.reload()

    page.wait_for_url("**/sign-in?next=**")
    enter(page, "session@example.com", "Sign in")
    page.wait_for_url("**/dashboard/deployments")


@pytest.mark.parametrize("path", ["/projects/nonsense", "/no/such/page"])
def test_an_address_that_leads_nowhere_says_so(visit: Visit, path: str) -> None:
    visitor = visit(expected=(404, 422))
    visitor.register(f"nowhere{len(path)}@example.com")

    page = visitor.open(path)

    expect(page.get_by_role("heading", name="No such project").or_(
        page.get_by_role("heading", name="This page does not exist"))).to_be_visible()  # fmt: skip
