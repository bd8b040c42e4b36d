"""Every page, in both themes and down to the width of a phone, for everybody."""

from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.browser import PASSWORD, Theme, Visit
from tests.browser.conftest import ROOT
from tests.e2e.repositories import publish
from tests.gitserver import GitServer
from tests.platform import Platform, User

AXE = ROOT / "dashboard/node_modules/axe-core/axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
EMAIL = "access@example.com"
LONG = "a-very-long-name-of-a-project-that-somebody-chose-without-thinking-of-phones"
PHONE = 360


@dataclass(frozen=True)
class Things:
    """What the pages show."""

    project: str
    good: str
    bad: str


@pytest.fixture(scope="module")
def things(local: Platform, git: GitServer) -> Things:
    user = User.register(local, EMAIL)
    project = user.create_project(LONG, publish(git, "access", ROOT / "examples/flask"))["id"]
    user.create_project("empty", git.url("access"))
    variables = f"/projects/{project}/environments/production/variables"
    user.call("PUT", variables, {"dotenv": "DATABASE_URL=x\nA_NAME_THAT_IS_QUITE_LONG_INDEED=y\n"})
    user.call("POST", f"/projects/{project}/environments", {"name": "staging"})
    good = user.deploy(project)["id"]
    git.commit("access", {"app.py": "raise SystemExit('no')\n"}, "Break it " + "very " * 30)
    bad = user.request_deployment(project)["id"]
    assert user.wait(bad)["status"] == "failed"
    return Things(project, good, bad)


def pages(things: Things) -> dict[str, str]:
    """Every page, and what is on it once it is complete."""
    project = f"/projects/{things.project}"
    return {
        "": LONG,
        "/projects/new": "Show the plan",
        project: "Recent deployments",
        f"{project}/deployments": "Break it",
        f"{project}/logs": "gunicorn",
        f"{project}/traffic": "Unanswered",
        f"{project}/variables": "DATABASE_URL",
        f"{project}/settings": "Danger zone",
        f"{project}/deployments/{things.good}": "Live.",
        f"{project}/deployments/{things.bad}": "Nothing changed for visitors",
        "/deployments": "Break it",
        "/activity": "made the environment staging",
        "/settings": "Kept in this browser.",
        "/settings/security": "Where you are signed in",
        "/settings/tokens": "No tokens.",
        "/settings/teams": "personal",
        "/settings/about": "autostack login",
        "/server": "free",
    }


def violations(page: Page) -> list[str]:
    """What axe finds; run through the debugger, for the page's own policy lets nothing in."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found: Any = page.evaluate(
        "tags => axe.run(document, {runOnly: tags, resultTypes: ['violations']})", TAGS
    )
    return [
        f"{one['id']}: {node['target']} {node['failureSummary']}"
        for one in found["violations"]
        for node in one["nodes"]
    ]


@pytest.mark.parametrize(("theme", "width"), [("dark", 1280), ("light", PHONE)])
def test_every_page_is_accessible(visit: Visit, things: Things, theme: Theme, width: int) -> None:
    visitor = visit(theme=theme, width=width)
    page = visitor.sign_in(EMAIL)

    problems: dict[str, list[str]] = {}
    for path, shown in pages(things).items():
        page.goto(visitor.base + path)
        expect(page.get_by_text(shown).first).to_be_attached()
        page.wait_for_timeout(250)
        problems[path] = violations(page)
        wide = page.evaluate("document.documentElement.scrollWidth")
        if wide > width:
            problems[path].append(f"{wide} pixels wide")

    assert {path: found for path, found in problems.items() if found} == {}


DOORS = [
    "/sign-in",
    "/register",
    "/forgot-password",
    "/reset-password",
    "/reset-password#token=x",
    "/confirm-email#token=x",
    "/oauth?error=access_denied",
    "/invitation#token=x",
]


@pytest.mark.parametrize("path", DOORS)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_doors_are_accessible(visit: Visit, path: str, theme: Theme) -> None:
    page = visit(theme=theme, width=PHONE).open(path)
    expect(page.get_by_role("heading", level=1)).to_be_visible()

    assert violations(page) == []


def test_dialogs_are_accessible(visit: Visit, things: Things) -> None:
    visitor = visit(theme="dark")
    page = visitor.sign_in(EMAIL)
    page.goto(f"{visitor.base}/projects/{things.project}")
    page.get_by_role("button", name="Roll back…").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    page.wait_for_timeout(300)

    assert violations(page) == []


@pytest.mark.parametrize(("theme", "width"), [("dark", 1280), ("light", PHONE)])
def test_what_opens_in_the_settings_is_accessible(
    visit: Visit, things: Things, theme: Theme, width: int
) -> None:
    visitor = visit(theme=theme, width=width)
    page = visitor.sign_in(EMAIL)
    page.goto(f"{visitor.base}/settings/tokens")
    page.get_by_role("button", name="New token").click()
    page.get_by_label("Project", exact=True).select_option(things.project)
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.goto(f"{visitor.base}/settings/security")
    page.get_by_role("button", name="Turn on…").click()
    page.get_by_role("region", name="Second factor").get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_label("Code")).to_be_visible()

    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_the_keyboard_is_enough(visit: Visit, things: Things) -> None:
    visitor = visit()
    page = visitor.sign_in(EMAIL)
    expect(page.get_by_role("link", name=LONG)).to_be_visible()

    page.keyboard.press("/")
    expect(page.get_by_label("Find a project")).to_be_focused()
    page.keyboard.type("empty")
    expect(page.get_by_role("link", name=LONG)).to_have_count(0)
    page.keyboard.press("Escape")

    page.keyboard.press("Control+k")
    expect(page.get_by_role("combobox")).to_be_focused()
    page.keyboard.type("a-very")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/projects/{things.project}")

    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("s")
    page.wait_for_url("**/dashboard/settings")


@pytest.mark.attack("O01")
def test_what_a_program_prints_is_never_markup(
    visit: Visit, local: Platform, git: GitServer
) -> None:
    user = User.register(local, "markup@example.com")
    evil = "\x1b[31m<img src=x onerror=alert(1)>\x1b[0m"
    git.create("markup", {"Procfile": "web: false\n", "release.txt": evil})
    project = user.create_project("markup", git.url("markup"))["id"]
    overrides = {"overrides": {"build_command": "cat release.txt"}}
    user.call("PATCH", f"/projects/{project}", overrides)
    asked = user.request_deployment(project)["id"]
    user.wait(asked)
    visitor = visit()
    page = visitor.sign_in("markup@example.com")

    page.goto(f"{visitor.base}/projects/{project}/deployments/{asked}")
    page.get_by_role("log").press("Home")

    line = page.get_by_role("log").get_by_text("<img src=x onerror=alert(1)>", exact=True)
    expect(line.first).to_be_attached()
    assert page.get_by_role("log").locator("img").count() == 0
