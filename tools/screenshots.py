"""`make screenshots`: the dashboard's pictures in docs/images, from a real platform.

Starts a platform of its own, deploys a few of the examples into it, sends them visitors, breaks
one, and photographs the pages in Chromium: light and dark, on a desk and on a phone.
"""

import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

from autostack.entrypoints import built
from tests.browser.browser import PASSWORD, Theme, enter, launch
from tests.e2e.repositories import files
from tests.gitserver import GitServer
from tests.platform import Platform, User, platform, request

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "docs/images"
EMAIL = "ada@example.com"
DESK, PHONE = (1280, 800), (390, 844)
APPS = {"storefront": "flask", "docs": "static", "billing": "fastapi"}
VISITS = 400
NO_MODULE = "import mailer\n"


def main() -> None:
    built.build()
    IMAGES.mkdir(parents=True, exist_ok=True)
    with platform(AUTOSTACK_WATCH_SECONDS="2") as local, repositories() as git:
        pages = seed(local, git)
        with sync_playwright() as engine:
            browser = launch(engine)
            for theme in ("light", "dark"):
                photograph(browser, local, pages, theme)
            browser.close()


@contextmanager
def repositories() -> Generator[GitServer]:
    with tempfile.TemporaryDirectory() as folder, GitServer(Path(folder)) as git:
        yield git


def seed(local: Platform, git: GitServer) -> dict[str, str]:
    """Deployed apps with visitors, and one that broke; the pages to show, by picture."""
    user = User.register(local, EMAIL, PASSWORD)
    ids = {name: deploy(user, git, name, example) for name, example in APPS.items()}
    git.commit("billing", {"app.py": NO_MODULE, "main.py": NO_MODULE}, "Send invoices by mail")
    broken = user.request_deployment(ids["billing"])["id"]
    git.commit("storefront", {"VERSION": "v2\n"}, "Cache product pages at the edge")
    served = user.deploy(ids["storefront"])
    for _ in range(VISITS):
        request("GET", f"http://{served['url']}/")
    user.wait(served["id"], settled=True)
    user.wait(broken)
    time.sleep(12)  # the edge's figures are stored every few seconds
    shop = f"/projects/{ids['storefront']}"
    return {
        "projects": "",
        "project": shop,
        "deployment": f"{shop}/deployments/{served['id']}",
        "failed": f"/projects/{ids['billing']}/deployments/{broken}",
        "variables": f"{shop}/variables",
    }


def deploy(user: User, git: GitServer, name: str, example: str) -> str:
    git.create(name, files(ROOT / "examples" / example))
    project = str(user.create_project(name, git.url(name))["id"])
    user.deploy(project)
    return project


def photograph(browser: Browser, local: Platform, pages: dict[str, str], theme: Theme) -> None:
    for size, suffix in ((DESK, ""), (PHONE, "-phone")):
        page = visitor(browser, local, theme, size)
        for name, path in pages.items():
            page.goto(f"{local.api}/dashboard{path}")
            expect(page.get_by_text("Live", exact=True)).to_be_visible()
            page.wait_for_load_state("load")
            page.wait_for_timeout(1500)
            page.screenshot(path=IMAGES / f"{name}{suffix}-{theme}.png")
        page.context.close()


def visitor(browser: Browser, local: Platform, theme: Theme, size: tuple[int, int]) -> Page:
    width, height = size
    context = browser.new_context(
        color_scheme=theme,
        viewport={"width": width, "height": height},
        reduced_motion="reduce",
    )
    page = context.new_page()
    page.goto(f"{local.api}/dashboard/sign-in")
    return enter(page, EMAIL, "Sign in")


if __name__ == "__main__":
    main()
