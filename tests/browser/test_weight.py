"""What a browser loads before a page can be used, and what it asks the API for."""

import gzip
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, Request, Response, expect

from tests.browser.browser import ADMIN, ROOT, Visit, Visitor
from tests.browser.conftest import build
from tests.e2e.apps import tells
from tests.gitserver import GitServer
from tests.platform import Platform, User

BUILT = ROOT / "dashboard/built"
LIMIT = 250_000
CALLS = 3
EVENTS = "/overview/events"
# Those marked `nomodule` are for browsers older than any the dashboard asks for, and not loaded.
SCRIPT = re.compile(r'<script(?![^>]*nomodule)[^>]*\ssrc="/dashboard/([^"]+)"', re.IGNORECASE)
EMAIL = "weight@example.com"
SERVER = {
    "/server": "free",
    "/server/users": "users shown",
    "/server/limits": "AUTOSTACK_REGISTRATION",
}
"""Pages for those who administer it."""


def test_no_page_loads_more_scripts_than_it_may() -> None:
    build()
    sizes: dict[str, int] = {}
    weights: dict[str, int] = {}

    for page in BUILT.rglob("*.html"):
        scripts = set(SCRIPT.findall(page.read_text(encoding="utf-8")))
        for script in scripts - sizes.keys():
            sizes[script] = len(gzip.compress((BUILT / script).read_bytes()))
        weights[str(page.relative_to(BUILT))] = sum(sizes[script] for script in scripts)

    assert min(weights.values()) > 100_000, "React alone is more: the scripts were not found"
    assert {page: size for page, size in weights.items() if size > LIMIT} == {}


@dataclass
class Calls:
    """What a page asks the API for, once each: when its stream of events stands late, it asks again
    for what may have changed before. Not counted are streams, which stay open, of events and of
    logs, and the renewal of the session.
    """

    seen: list[str] = field(default_factory=list[str])
    live: bool = False

    def asked(self, request: Request) -> None:
        found = urlsplit(request.url)
        if found.path.startswith(("/dashboard", "/auth/session")):
            return
        if request.headers.get("accept") == "text/event-stream":
            return
        call = f"{request.method} {found.path}?{found.query}".rstrip("?")
        if not (self.live and call in self.seen):
            self.seen.append(call)

    def answered(self, response: Response) -> None:
        self.live = self.live or urlsplit(response.url).path == EVENTS


@pytest.fixture(scope="module")
def pages(local: Platform, git: GitServer) -> dict[str, str]:
    """Every page of a project with a deployment and of a team, and what is on it."""
    user = User.register(local, EMAIL)
    git.create("weight", tells("v1"))
    project = user.create_project("weight", git.url("weight"))["id"]
    deployment = user.deploy(project)["id"]
    team = user.call("POST", "/teams", {"name": "Heavy lifters"})["id"]
    inside = f"/projects/{project}"
    return {
        "": "weight",
        "/projects/new": "Show the plan",
        inside: "Recent deployments",
        f"{inside}/deployments": "#1",
        f"{inside}/deployments/{deployment}": "Live.",
        f"{inside}/logs": "What its instances print",
        f"{inside}/traffic": "Unanswered",
        f"{inside}/variables": "No variables",
        f"{inside}/settings": "No hook",
        "/deployments": "#1",
        "/activity": "made the project",
        "/settings": "Kept in this browser.",
        "/settings/security": "this one",
        "/settings/tokens": "No tokens.",
        "/settings/teams": "Heavy lifters",
        f"/settings/teams/{team}": "E-mail of whom to invite",
        "/settings/about": "autostack login",
    }


def test_no_page_asks_the_api_more_often_than_it_may(visit: Visit, pages: dict[str, str]) -> None:
    visitor = visit()
    visitor.sign_in(EMAIL).close()

    calls = counted(visitor, pages) | counted(visit(somebody=ADMIN), SERVER)

    assert all("GET /auth/me" in found for found in calls.values()), "the calls were not found"
    assert {path: found for path, found in calls.items() if len(found) > CALLS} == {}


def counted(visitor: Visitor, pages: Mapping[str, str]) -> dict[str, list[str]]:
    calls: dict[str, list[str]] = {}
    for path, shown in pages.items():
        page = visitor.context.new_page()
        calls[path] = fresh(page, visitor.base + path, shown)
        page.close()
    return calls


def fresh(page: Page, address: str, shown: str) -> list[str]:
    """What a page asks for that somebody opens by its address, until it is complete."""
    calls = Calls()
    page.on("request", calls.asked)
    page.on("response", calls.answered)
    page.goto(address)
    expect(page.get_by_text(shown).first).to_be_attached()
    expect(page.get_by_role("status").filter(has_text="Live").first).to_be_attached()
    page.wait_for_timeout(500)
    return calls.seen
