"""Every page of the dashboard, what opens on it, and how it looks when something is wrong."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from playwright.sync_api import Page, expect

from tests.browser.browser import ADMIN, PASSWORD
from tests.browser.things import LONG, MANY, NEW

Act = Callable[[Page], object]


@dataclass(frozen=True, kw_only=True)
class Screen:
    """`shows` is on the page once it is complete; then `acts` are done, one after the other."""

    name: str
    path: str
    shows: str
    acts: Sequence[Act] = ()
    by: str | None = ADMIN
    refused: tuple[int, ...] = ()
    """The statuses of what the API is to refuse."""
    often: bool = False
    """Looked at with every change, and not only before a release."""


def press(name: str, within: str | None = None) -> Act:
    def act(page: Page) -> None:
        place = page.get_by_role("region", name=within, exact=True) if within else page
        place.get_by_role("button", name=name).first.click()

    return act


def type_in(label: str, text: str, within: str | None = None) -> Act:
    def act(page: Page) -> None:
        place = page.get_by_role("region", name=within, exact=True) if within else page
        place.get_by_label(label).first.fill(text)

    return act


def key(name: str) -> Act:
    return lambda page: page.keyboard.press(name)


def see(text: str) -> Act:
    return lambda page: expect(page.get_by_text(text).first).to_be_visible()


def see_role(role: str) -> Act:
    return lambda page: expect(page.locator(f"[role={role}]").first).to_be_visible()


def point_at(selector: str) -> Act:
    return lambda page: page.locator(selector).first.hover()


def choose(label: str, option: str) -> Act:
    return lambda page: page.get_by_label(label).select_option(option)


def silent(address: str) -> Act:
    """From the next load on the API does not answer there: what is shown meanwhile stays."""
    script = """asked => {
  const real = window.fetch
  const never = new Promise(() => undefined)
  const isMeant = one => String(one.url ?? one).endsWith(asked)
  window.fetch = (one, ...rest) => isMeant(one) ? never : real(one, ...rest)
}"""

    def act(page: Page) -> None:
        page.add_init_script(f"({script})({json.dumps(address)})")
        page.reload()

    return act


def broken(address: str) -> Act:
    """From the next load on the API refuses there."""
    problem = {"detail": f"The machine under {LONG} says no.", "code": "no", "hint": "Ask it why."}

    def act(page: Page) -> None:
        page.route(address, lambda route: route.fulfill(status=418, json=problem))
        page.reload()

    return act


def no_clipboard(page: Page) -> None:
    page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject() }")


DIALOG = see_role("dialog")
ALERT = see_role("alertdialog")
MENU = see_role("menu")
PROBLEM = see_role("alert")
PROJECT = "/projects/{project}"
EMPTY = "/projects/{empty}"

LISTS = (
    Screen(name="projects", path="/", shows=LONG, often=True),
    Screen(name="200 projects", path="/", shows="More projects", by=MANY, often=True),
    Screen(
        name="no project fits",
        path="/",
        shows=LONG,
        acts=[type_in("Find a project", "zzz"), see("Nothing matches")],
    ),
    Screen(name="no projects", path="/", shows="Deploy your first project", by=NEW, often=True),
    Screen(
        name="projects on their way",
        path="/",
        shows="Projects",
        acts=[silent("/overview?limit=100"), see_role("status")],
    ),
    Screen(
        name="projects failed",
        path="/",
        shows="Projects",
        acts=[broken("**/overview?limit=100"), see("could not be loaded")],
        refused=(418,),
    ),
    Screen(name="deployments", path="/deployments", shows="Break it", often=True),
    Screen(name="no deployments", path="/deployments", shows="Nothing was deployed yet", by=NEW),
    Screen(name="activity", path="/activity", shows="made the environment staging", often=True),
    Screen(
        name="no activity",
        path="/activity",
        shows="signed in",
        by=NEW,
        acts=[choose("About", "token."), see("Nothing found")],
    ),
    Screen(
        name="activity failed",
        path="/activity",
        shows="signed in",
        by=NEW,
        acts=[broken("**/audit?*"), see("could not be loaded")],
        refused=(418,),
    ),
    Screen(name="server", path="/server", shows="free", often=True),
    Screen(name="users", path="/server/users", shows=MANY, often=True),
    Screen(name="limits", path="/server/limits", shows="AUTOSTACK_LOGIN_RATE", often=True),
    Screen(
        name="server of another",
        path="/server",
        shows="For the administrator",
        by=NEW,
        refused=(403,),
    ),
    Screen(name="nowhere", path="/no/such/page", shows="does not exist", refused=(404,)),
)

AROUND = (
    Screen(
        name="palette",
        path="/",
        shows="More projects",
        by=MANY,
        acts=[key("Control+k"), see_role("option")],
        often=True,
    ),
    Screen(
        name="palette with nothing",
        path="/activity",
        shows="signed in",
        by=NEW,
        acts=[
            key("Control+k"),
            type_in("Go to a project or a page", "zzz"),
            see("Nothing is called that"),
        ],
    ),
    Screen(
        name="keyboard",
        path="/activity",
        shows="signed in",
        by=NEW,
        acts=[key("?"), DIALOG],
        often=True,
    ),
    Screen(
        name="account",
        path="/activity",
        shows="signed in",
        by=NEW,
        acts=[press("Account"), MENU],
        often=True,
    ),
    Screen(name="themes", path="/activity", shows="signed in", by=NEW, acts=[press("Theme"), MENU]),
)

PROJECTS = (
    Screen(name="new project", path="/projects/new", shows="Show the plan", often=True),
    Screen(
        name="no plan",
        path="/projects/new",
        shows="Show the plan",
        acts=[
            type_in("Git repository", "nonsense"),
            press("Show the plan"),
            see("This repository address cannot be used"),
        ],
        refused=(400, 422),
        often=True,
    ),
    Screen(name="overview", path=PROJECT, shows="Recent deployments", often=True),
    Screen(name="overview of nothing", path=EMPTY, shows="Nothing serves yet", often=True),
    Screen(
        name="overview of a paused environment",
        path=f"{PROJECT}?environment=staging",
        shows="Auto-deploy is paused",
    ),
    Screen(
        name="no such project",
        path="/projects/00000000-0000-0000-0000-000000000000",
        shows="No such project",
        refused=(404,),
        often=True,
    ),
    Screen(
        name="project on its way",
        path=PROJECT,
        shows="Recent deployments",
        acts=[silent("/overview"), see_role("status")],
    ),
    Screen(
        name="rollback",
        path=PROJECT,
        shows="Recent deployments",
        acts=[press("Roll back…"), see("Pause auto-deploy")],
        often=True,
    ),
    Screen(
        name="another environment",
        path=PROJECT,
        shows="Recent deployments",
        acts=[press("Add", "Environments"), DIALOG],
    ),
    Screen(
        name="environment refused",
        path=PROJECT,
        shows="Recent deployments",
        acts=[
            press("Add", "Environments"),
            lambda page: page.get_by_role("dialog").get_by_label("Name").fill("staging"),
            lambda page: page.get_by_role("dialog").get_by_role("button", name="Add").click(),
            PROBLEM,
        ],
        refused=(409,),
    ),
    Screen(name="stop", path=PROJECT, shows="Recent deployments", acts=[press("Stop"), ALERT]),
    Screen(
        name="a deployment that is pointed at",
        path=PROJECT,
        shows="Break it",
        acts=[point_at("section[aria-labelledby=recent] li")],
    ),
    Screen(name="its deployments", path=f"{PROJECT}/deployments", shows="Break it", often=True),
    Screen(
        name="none of its deployments",
        path=f"{EMPTY}/deployments",
        shows="Nothing was deployed yet",
    ),
    Screen(name="traffic", path=f"{PROJECT}/traffic", shows="Unanswered", often=True),
    Screen(name="no traffic", path=f"{EMPTY}/traffic", shows="Unanswered"),
)

DEPLOYMENTS = (
    Screen(name="success", path=f"{PROJECT}/deployments/{{good}}", shows="Live.", often=True),
    Screen(
        name="failure",
        path=f"{PROJECT}/deployments/{{bad}}",
        shows="Nothing changed for visitors",
        often=True,
    ),
    Screen(
        name="no such deployment",
        path=f"{PROJECT}/deployments/00000000-0000-0000-0000-000000000000",
        shows="No such deployment",
        refused=(404,),
    ),
    Screen(
        name="a toast",
        path=f"{PROJECT}/deployments/{{good}}",
        shows="Live.",
        acts=[no_clipboard, press("Copy the log"), see("could not be copied")],
    ),
    Screen(name="log", path=f"{PROJECT}/logs", shows="gunicorn", often=True),
    Screen(
        name="the whole screen of log",
        path=f"{PROJECT}/logs",
        shows="gunicorn",
        acts=[press("Fill the screen"), press("Show times"), press("Wrap long lines")],
        often=True,
    ),
    Screen(
        name="found in the log",
        path=f"{PROJECT}/logs",
        shows="gunicorn",
        acts=[type_in("Find in the log", "gunicorn"), press("Next match"), see("2 of")],
    ),
    Screen(
        name="not found in the log",
        path=f"{PROJECT}/logs",
        shows="gunicorn",
        acts=[type_in("Find in the log", "zzz"), see("No match")],
    ),
    Screen(
        name="a marked line and one that is pointed at",
        path=f"{PROJECT}/deployments/{{good}}#L2",
        shows="Live.",
        acts=[press("Show times"), point_at("[role=log] [data-index='3']")],
        often=True,
    ),
    Screen(name="no log", path=f"{EMPTY}/logs", shows="the last 2,000 lines"),
)

SETTINGS = (
    Screen(name="variables", path=f"{PROJECT}/variables", shows="DATABASE_URL", often=True),
    Screen(name="no variables", path=f"{EMPTY}/variables", shows="No variables", often=True),
    Screen(
        name="many variables",
        path=f"{PROJECT}/variables",
        shows="DATABASE_URL",
        acts=[press("Paste .env"), see("Text of a .env file")],
    ),
    Screen(
        name="variable refused",
        path=f"{PROJECT}/variables",
        shows="DATABASE_URL",
        acts=[type_in("Name", "1 2"), press("Save"), PROBLEM],
        refused=(422,),
    ),
    Screen(
        name="variable removed",
        path=f"{PROJECT}/variables",
        shows="DATABASE_URL",
        acts=[press("Remove DATABASE_URL"), ALERT],
    ),
    Screen(name="project settings", path=f"{PROJECT}/settings", shows="Danger zone", often=True),
    Screen(name="settings of nothing", path=f"{EMPTY}/settings", shows="No hook"),
    Screen(
        name="new hook",
        path=f"{PROJECT}/settings",
        shows="Danger zone",
        acts=[press("New hook"), see("Forge")],
    ),
    Screen(
        name="deliveries",
        path=f"{PROJECT}/settings",
        shows="Danger zone",
        acts=[press("Show the deliveries of GitHub"), see("this push is for other")],
        often=True,
    ),
    Screen(
        name="no deliveries",
        path=f"{PROJECT}/settings",
        shows="Danger zone",
        acts=[press("Show the deliveries of GitLab"), see("Nothing was delivered yet")],
    ),
    Screen(
        name="new secret",
        path=f"{PROJECT}/settings",
        shows="Danger zone",
        acts=[press("New secret of GitLab"), ALERT, press("Make a new secret"), see("Secret")],
    ),
    Screen(
        name="move",
        path=f"{PROJECT}/settings",
        shows="Danger zone",
        acts=[press("Move to another team…"), DIALOG],
    ),
    Screen(
        name="delete",
        path=f"{PROJECT}/settings",
        shows="Danger zone",
        acts=[press("Delete project…"), ALERT],
        often=True,
    ),
)

ACCOUNT = (
    Screen(name="profile", path="/settings", shows="Kept in this browser.", often=True),
    Screen(
        name="security",
        path="/settings/security",
        shows="Where you are signed in",
        often=True,
    ),
    Screen(name="tokens", path="/settings/tokens", shows="all projects", often=True),
    Screen(name="teams", path="/settings/teams", shows="personal", often=True),
    Screen(name="about", path="/settings/about", shows="autostack login", often=True),
    Screen(
        name="new token",
        path="/settings/tokens",
        shows="No tokens",
        by=MANY,
        acts=[press("New token"), see("Life")],
    ),
    Screen(
        name="token revoked",
        path="/settings/tokens",
        shows="all projects",
        acts=[press("Revoke CI"), ALERT],
    ),
    Screen(
        name="second factor",
        path="/settings/security",
        shows="Where you are signed in",
        acts=[
            press("Turn on…", "Second factor"),
            type_in("Password", PASSWORD, "Second factor"),
            press("Go on", "Second factor"),
            see("Type this into your authenticator"),
        ],
        often=True,
    ),
    Screen(
        name="password refused",
        path="/settings/security",
        shows="Where you are signed in",
        acts=[
            type_in("Current password", "not mine at all", "Password"),
            type_in("New password", "violet harbour kettle", "Password"),
            press("Change the password"),
            PROBLEM,
        ],
        refused=(403,),
    ),
    Screen(
        name="new team",
        path="/settings/teams",
        shows="personal",
        by=NEW,
        acts=[press("New team"), see("Make the team")],
    ),
    Screen(
        name="members",
        path="/settings/teams/{team}",
        shows="invited as developer",
        often=True,
    ),
    Screen(
        name="invited",
        path="/settings/teams/{team}",
        shows="invited as developer",
        acts=[
            type_in("E-mail of whom to invite", "baker@example.com"),
            press("Invite"),
            see("is shown this once"),
        ],
    ),
)

DOORS = (
    Screen(name="sign in", path="/sign-in", shows="Sign in", by=None, often=True),
    Screen(
        name="not signed in",
        path="/sign-in",
        shows="Sign in",
        by=None,
        acts=[
            type_in("E-mail", NEW),
            type_in("Password", "not mine at all"),
            press("Sign in"),
            see("Invalid credentials"),
        ],
        refused=(401,),
        often=True,
    ),
    Screen(name="register", path="/register", shows="Make an account", by=None, often=True),
    Screen(
        name="register again",
        path="/register",
        shows="Make an account",
        by=None,
        acts=[
            type_in("E-mail", NEW),
            type_in("Password", PASSWORD),
            press("Make the account"),
            PROBLEM,
        ],
        refused=(409,),
    ),
    Screen(name="forgot", path="/forgot-password", shows="Forgot your password?", by=None),
    Screen(
        name="forgot without mail",
        path="/forgot-password",
        shows="Forgot your password?",
        by=None,
        acts=[type_in("E-mail", NEW), press("Send the letter"), see("autostack admin")],
        refused=(503,),
    ),
    Screen(name="half a link", path="/reset-password", shows="This link is not whole", by=None),
    Screen(name="reset", path="/reset-password#token=x", shows="Set a new password", by=None),
    Screen(name="confirm", path="/confirm-email#token=x", shows="Confirm your address", by=None),
    Screen(name="came back", path="/oauth?error=access_denied", shows="You said no", by=None),
    Screen(name="invitation", path="/invitation#token=x", shows="Join a team", by=None),
    Screen(
        name="invitation of a stranger",
        path="/invitation#token=x",
        shows="Join a team",
        by=None,
        acts=[press("Join"), press("I have no account yet"), see("At least")],
        refused=(401,),
    ),
)

SCREENS = (*LISTS, *AROUND, *PROJECTS, *DEPLOYMENTS, *SETTINGS, *ACCOUNT, *DOORS)
