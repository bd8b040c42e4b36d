"""Every page, in both themes and down to the width of a phone, for everybody."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.access import EVERY, PHONE, USUAL, Look, found_wrong
from tests.browser.browser import ADMIN, Visit
from tests.browser.screens import SCREENS, Screen, press, see, type_in
from tests.browser.things import LONG, Things
from tests.gitserver import GitServer
from tests.platform import Platform, User

STOPS = 70
"""More than there is on the page that is walked through."""

_HIDDEN = """() => {
  const one = document.activeElement
  if (!one || one === document.body) return null
  const { left, top, width, height } = one.getBoundingClientRect()
  const seen = [0.1, 0.5, 0.9].some(part => {
    const at = document.elementFromPoint(left + width / 2, top + height * part)
    return at && (one.contains(at) || at.contains(one))
  })
  return seen ? null : one.outerHTML.slice(0, 200)
}"""


def shown(visit: Visit, things: Things, screen: Screen) -> Page:
    visitor = visit(somebody=screen.by, expected=screen.refused)
    page = visitor.open(screen.path.format(**vars(things)))
    expect(page.get_by_text(screen.shows).first).to_be_attached()
    # Its title is set by scripts: only then do they answer to whatever is pressed.
    expect(page).to_have_title(re.compile(" · "))
    for act in screen.acts:
        act(page)
    return page


@pytest.mark.parametrize("screen", [one for one in SCREENS if one.often], ids=lambda one: one.name)
def test_a_screen_is_accessible(visit: Visit, things: Things, screen: Screen) -> None:
    page = shown(visit, things, screen)

    assert found_wrong(page, USUAL) == {}


@pytest.mark.slow
@pytest.mark.parametrize("screen", SCREENS, ids=lambda one: one.name)
def test_a_screen_is_accessible_in_every_theme_and_width(
    visit: Visit, things: Things, screen: Screen
) -> None:
    page = shown(visit, things, screen)

    assert found_wrong(page, EVERY) == {}


@pytest.mark.parametrize(
    "looks", [USUAL, pytest.param(EVERY, marks=pytest.mark.slow)], ids=["usual", "every"]
)
def test_a_plan_is_accessible(visit: Visit, things: Things, looks: list[Look]) -> None:
    page = visit(somebody=ADMIN).open("/projects/new")
    type_in("Git repository", things.repository)(page)
    press("Show the plan")(page)
    see("Variables it reads")(page)

    assert found_wrong(page, looks) == {}


def test_what_has_the_focus_is_never_under_the_bars(visit: Visit, things: Things) -> None:
    page = visit(somebody=ADMIN, width=PHONE).open(f"/projects/{things.project}")
    expect(page.get_by_text("Recent deployments")).to_be_attached()
    hidden: list[str] = []

    for step in ["Tab"] * STOPS + ["Shift+Tab"] * STOPS:
        page.keyboard.press(step)
        found = page.evaluate(_HIDDEN)
        if found:
            hidden.append(f"{step}: {found}")

    assert hidden == []


def test_single_keys_can_be_turned_off(visit: Visit) -> None:
    page = visit(somebody=ADMIN).open("/settings")
    expect(page.get_by_text("Kept in this browser.")).to_be_visible()
    page.keyboard.press("?")
    keyboard = page.get_by_role("dialog", name="Keyboard")
    keyboard.get_by_label("Single keys").uncheck()
    page.keyboard.press("Escape")
    expect(keyboard).to_have_count(0)

    for key in ["?", "g", "d", "/"]:
        page.keyboard.press(key)
    page.keyboard.press("Control+k")

    expect(page.get_by_role("combobox", name="Go to")).to_be_focused()
    expect(keyboard).to_have_count(0)
    assert page.url.endswith("/settings")


def test_the_keyboard_is_enough(visit: Visit, things: Things) -> None:
    page = visit(somebody=ADMIN).open()
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
