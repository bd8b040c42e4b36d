"""Push hooks, the rollback that pauses them, other teams, activity, and the end of a project."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.access import violations
from tests.browser.browser import Visit
from tests.e2e.apps import tells
from tests.e2e.test_hooks import deliver
from tests.gitserver import GitServer
from tests.platform import Platform, User

EMAIL = "hooks@example.com"


@pytest.fixture(scope="module")
def project(local: Platform, git: GitServer) -> str:
    """With two releases, so that one can be brought back."""
    user = User.register(local, EMAIL)
    git.create("hooked", tells("v1"))
    made = str(user.create_project("hooked", git.url("hooked"))["id"])
    user.deploy(made)
    git.commit("hooked", tells("v2"), "second version")
    user.deploy(made)
    return made


def settings(visit: Visit, project: str) -> Page:
    visitor = visit()
    page = visitor.sign_in(EMAIL)
    page.goto(f"{visitor.base}/projects/{project}/settings")
    return page


def test_a_hook_is_made_used_looked_into_and_removed(
    visit: Visit, git: GitServer, project: str
) -> None:
    page = settings(visit, project)
    hooks = page.get_by_role("region", name="Push hook")
    expect(hooks).to_contain_text("No hook")
    hooks.get_by_role("button", name="New hook").click()
    hooks.get_by_label("Forge").select_option("github")
    hooks.get_by_role("button", name="Make the hook").click()
    expect(hooks.get_by_role("button", name="Copy address")).to_be_visible()
    expect(hooks.get_by_role("button", name="Copy secret")).to_be_visible()
    assert violations(page) == []
    url, secret = hooks.locator("code").all_inner_texts()
    hooks.get_by_role("button", name="I kept them").click()
    assert secret not in page.content()

    hooks.get_by_role("button", name="Show the deliveries of GitHub").click()
    expect(hooks).to_contain_text("Nothing was delivered yet.")
    repository = {"full_name": "a/hooked", "clone_url": git.url("hooked"), "default_branch": "main"}
    payload = {"ref": "refs/heads/other", "after": "5f" * 20, "repository": repository}
    deliver({"url": url, "secret": secret}, payload)
    hooks.get_by_role("button", name="Look again").click()
    deliveries = hooks.get_by_role("list", name="Deliveries")
    expect(deliveries).to_contain_text("production follows main; this push is for other.")
    assert violations(page) == []

    hooks.get_by_role("button", name="New secret of GitHub").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Make a new secret").click()
    fresh = hooks.locator("code")
    expect(fresh).to_have_count(1)
    assert fresh.inner_text() != secret
    hooks.get_by_role("button", name="I kept it").click()
    hooks.get_by_role("button", name="Remove GitHub").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Remove the hook").click()
    expect(hooks).to_contain_text("No hook")


def test_a_rollback_pauses_pushes_until_they_are_switched_back_on(
    visit: Visit, local: Platform, git: GitServer, project: str
) -> None:
    user = User.register(local, EMAIL)
    made = user.call("POST", f"/projects/{project}/hooks", {"provider": "github"})
    visitor = visit()
    page = visitor.sign_in(EMAIL)
    page.goto(f"{visitor.base}/projects/{project}")
    page.get_by_role("button", name="Roll back…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("Pause auto-deploy")).to_be_checked()
    page.wait_for_timeout(300)
    assert violations(page) == []

    dialog.get_by_role("button", name="Roll back to release").click()
    expect(page.locator("header [data-status=success]")).to_be_visible()
    page.get_by_role("navigation", name="Breadcrumb").get_by_role("link", name="hooked").click()
    expect(page.get_by_text("Auto-deploy is paused")).to_be_visible()
    repository = {"full_name": "a/hooked", "clone_url": git.url("hooked"), "default_branch": "main"}
    payload = {"ref": "refs/heads/main", "after": "5f" * 20, "repository": repository}
    assert deliver(made, payload)[1]["outcome"] == "paused"
    page.get_by_role("button", name="Switch it back on").click()
    expect(page.get_by_text("Auto-deploy is paused")).to_have_count(0)

    assert user.call("GET", f"/projects/{project}/environments")["items"][0]["auto_deploy"]


def test_activity_tells_who_did_what(visit: Visit, local: Platform, project: str) -> None:
    user = User.register(local, EMAIL)
    user.call("POST", f"/projects/{project}/environments", {"name": "trial"})
    visitor = visit()
    page = visitor.sign_in(EMAIL)
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Activity").click()
    told = page.get_by_role("list", name="Activity", exact=True)
    newest = told.get_by_role("listitem").filter(has_text="made the environment trial").first
    expect(newest).to_contain_text(f"{EMAIL} made the environment trial · hooked")
    expect(newest.locator("time")).to_have_attribute("title", re.compile(r"\d{4}, \d"))
    expect(told).to_contain_text("signed in")

    page.get_by_label("About").select_option("environment.")
    expect(told.get_by_text("signed in")).to_have_count(0)
    expect(newest).to_be_visible()
    page.get_by_label("About").select_option("token.")
    expect(page.get_by_role("heading", name="Nothing found")).to_be_visible()
    assert violations(page) == []


def test_a_project_moves_to_another_team_and_is_deleted(
    visit: Visit, local: Platform, project: str
) -> None:
    user = User.register(local, EMAIL)
    user.call("POST", "/teams", {"name": "Shop people"})
    page = settings(visit, project)
    danger = page.get_by_role("region", name="Danger zone")
    expect(danger).to_contain_text("It belongs to you alone.")
    danger.get_by_role("button", name="Move to another team…").click()
    dialog = page.get_by_role("dialog")
    page.wait_for_timeout(300)
    assert violations(page) == []
    dialog.get_by_role("button", name="Move the project").click()
    expect(danger).to_contain_text("It belongs to Shop people.")

    danger.get_by_role("button", name="Delete project…").click()
    confirm = page.get_by_role("alertdialog")
    expect(confirm.get_by_role("button", name="Delete project")).to_be_disabled()
    confirm.get_by_role("textbox").fill("hooked")
    confirm.get_by_role("button", name="Delete project").click()

    expect(page.get_by_role("heading", name="Deploy your first project")).to_be_visible()
    # What was still on its way would come back as a failed request, which fails the test.
    page.wait_for_timeout(1000)
