"""The whole way of one user, in a browser, against a real platform and a real repository."""

import re

from playwright.sync_api import Page, expect

from tests.browser.browser import PATIENCE, Visit
from tests.gitserver import GitServer
from tests.platform import request

APP = """\
import os

from flask import Flask

app = Flask(__name__)
GREETING = os.environ["SHOP_GREETING"]


@app.get("/")
def hello() -> str:
    return f"{GREETING} 1"
"""
FILES = {"app.py": APP, "requirements.txt": "flask\ngunicorn\n"}


def status(page: Page, wanted: str) -> None:
    badge = page.locator(f"header [data-status={wanted}]")
    expect(badge).to_be_visible(timeout=2 * PATIENCE)


def site(page: Page) -> str:
    address = page.get_by_role("link", name="Visit").get_attribute("href")
    assert address is not None
    return request("GET", address).body.decode()


def test_a_user_gets_from_a_repository_to_a_rollback(visit: Visit, git: GitServer) -> None:
    git.create("shop", FILES)
    traveller = visit()
    page = traveller.register("journey@example.com")
    expect(page.get_by_role("heading", name="Deploy your first project")).to_be_visible()

    page.get_by_role("link", name="New project").first.click()
    page.get_by_label("Git repository").fill(git.url("shop"))
    page.get_by_role("button", name="Show the plan").click()
    plan = page.get_by_role("list", name="Plan")
    expect(plan).to_contain_text("Flask")
    expect(plan).to_contain_text("app.py:5")
    expect(page.get_by_label("SHOP_GREETING")).to_be_visible()
    page.get_by_role("button", name="Deploy").click()

    status(page, "failed")
    box = page.get_by_role("region", name="Why it failed")
    expect(box).to_contain_text("SHOP_GREETING")
    expect(box).to_contain_text("Nothing changed for visitors")

    box.get_by_role("link", name="Set SHOP_GREETING").click()
    expect(page.get_by_label("Name", exact=True)).to_have_value("SHOP_GREETING")
    page.get_by_label("Value").fill("good day")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("button", name="Remove SHOP_GREETING")).to_be_visible()

    page.get_by_role("button", name="Deploy", exact=True).click()
    log = page.get_by_role("log")
    expect(log).to_contain_text("Live.", timeout=2 * PATIENCE)
    status(page, "success")
    assert site(page) == "good day 1"

    git.commit("shop", {"app.py": APP.replace("1", "2")}, "Count on")
    page.get_by_role("button", name="Deploy again").click()
    expect(page.get_by_role("heading", name="Count on")).to_be_visible(timeout=2 * PATIENCE)
    status(page, "success")
    assert site(page) == "good day 2"
    expect(page.get_by_text(re.compile("0 of .* failed")).first).to_be_visible()

    page.get_by_role("navigation", name="Breadcrumb").get_by_role("link", name="shop").click()
    page.get_by_role("button", name="Roll back…").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Variables")
    dialog.get_by_role("button", name="Roll back to release").click()
    expect(page.get_by_role("heading", name="Roll back to")).to_be_visible()
    status(page, "success")
    assert site(page) == "good day 1"

    page.get_by_role("navigation", name="Breadcrumb").get_by_role("link", name="shop").click()
    tabs = page.get_by_role("navigation", name="Project")
    tabs.get_by_role("link", name="Settings").click()
    page.get_by_role("button", name="Delete project…").click()
    confirm = page.get_by_role("alertdialog").get_by_role("button", name="Delete project")
    expect(confirm).to_be_disabled()
    page.get_by_role("alertdialog").get_by_role("textbox").fill("shop")
    confirm.click()
    expect(page.get_by_role("heading", name="Deploy your first project")).to_be_visible()
