"""Teams in the dashboard: made, joined by a link, and what a role is refused."""

import re

from playwright.sync_api import Locator, Page, expect

from tests.browser.access import violations
from tests.browser.browser import PASSWORD, Visit
from tests.platform import Platform, User


def test_somebody_is_invited_makes_an_account_and_joins(visit: Visit) -> None:
    owner = visit()
    page = owner.register("founder@example.com")
    page.goto(f"{owner.base}/settings/teams")
    teams = page.get_by_role("region", name="Teams")
    teams.get_by_role("button", name="New team").click()
    teams.get_by_label("Name").fill("Bakers")
    teams.get_by_role("button", name="Make the team").click()
    teams.get_by_role("link", name="Bakers").click()
    members = page.get_by_role("region", name="Bakers")
    members.get_by_label("E-mail of whom to invite").fill("baker@example.com")
    members.get_by_role("button", name="Invite").click()
    link = members.locator("code").inner_text()
    members.get_by_role("button", name="I kept it").click()
    expect(members).to_contain_text("invited as developer")
    assert link not in page.content()

    _join(visit, link)

    page.reload()
    role = members.get_by_label("Role of baker@example.com")
    expect(role).to_have_value("developer")
    expect(members.get_by_text("invited as")).to_have_count(0)
    assert violations(page) == []
    role.select_option("viewer")
    _removed(page, members)


def _join(visit: Visit, link: str) -> None:
    """Somebody without an account: asked who they are only when it is needed."""
    guest = visit(expected=(401,))
    page = guest.open(f"/invitation#{link.partition('#')[2]}")
    page.get_by_role("button", name="Join").click()
    page.get_by_role("button", name="I have no account yet").click()
    page.get_by_label("E-mail").fill("baker@example.com")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Make the account and join").click()
    expect(page.get_by_text("You are developer of")).to_be_visible()
    assert "token=" not in page.url
    page.get_by_role("link", name="To the projects").click()
    expect(page.get_by_role("navigation", name="Main")).to_be_visible()


def _removed(page: Page, members: Locator) -> None:
    members.get_by_role("button", name="Remove baker@example.com").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Remove").click()
    expect(members.get_by_text("baker@example.com")).to_have_count(0)


def test_what_a_role_may_not_do_is_not_offered_and_says_why(local: Platform, visit: Visit) -> None:
    owner = User.register(local, "miller@example.com")
    team = owner.call("POST", "/teams", {"name": "Millers"})["id"]
    repo = "https://git.example.com/a/mill.git"
    body = {"name": "mill", "repo_url": repo, "team_id": team}
    project = owner.call("POST", "/projects", body)["id"]
    guest = User.register(local, "guest@example.com")
    invited = {"email": "guest@example.com", "role": "viewer"}
    token = owner.call("POST", f"/teams/{team}/invitations", invited)["token"]
    guest.call("POST", "/invitations/accept", {"token": token})
    member = f"/teams/{team}/members/{guest.call('GET', '/auth/me')['id']}"
    visitor = visit()
    page = visitor.sign_in("guest@example.com")

    page.goto(f"{visitor.base}/projects/{project}/settings")
    delete = page.get_by_role("button", name="Delete project…")
    expect(delete).to_be_disabled()
    expect(delete).to_have_accessible_description(re.compile("^You are viewer of Millers"))
    expect(page.get_by_label("Name", exact=True)).to_be_disabled()
    expect(page.get_by_role("button", name="Save")).to_have_count(0)
    assert violations(page) == []
    delete.click(force=True)
    page.get_by_role("link", name="Overview").click()
    expect(page.get_by_role("region", name="Environments")).to_be_visible()
    deploy = page.get_by_role("button", name="Deploy", exact=True)
    expect(deploy).to_be_disabled()
    expect(page.get_by_role("alertdialog")).to_have_count(0)
    assert violations(page) == []

    owner.call("PATCH", member, {"role": "developer"})
    expect(deploy).to_have_accessible_description(re.compile("^production is protected"))
    expect(page.get_by_role("button", name="Add", exact=True)).to_be_enabled()
    owner.call("PATCH", member, {"role": "admin"})
    expect(deploy).to_be_enabled()
