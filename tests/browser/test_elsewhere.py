"""Signing in with a provider, in Chromium: one that others wrote, and its own page."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.access import violations
from tests.browser.browser import PASSWORD, Visit, Visitor
from tests.browser.conftest import build
from tests.browser.test_doors import sign_out
from tests.oidc import mock
from tests.platform import Platform, User, platform

ADMIN = "first@example.com"


@pytest.fixture(scope="module")
def local() -> Iterator[Platform]:
    build()
    with (
        mock() as issuer,
        platform(
            AUTOSTACK_LOGIN_RATE="1000/minute",
            AUTOSTACK_OIDC_ISSUER=issuer,
            AUTOSTACK_OIDC_ID="autostack",
            AUTOSTACK_OIDC_SECRET="the secret there",
            AUTOSTACK_OIDC_NAME="Example",
        ) as up,
    ):
        User.register(up, ADMIN)
        yield up


@pytest.fixture
def visit(visit: Visit) -> Visit:
    """The provider's page wants a style of somebody else's, who cannot be asked here."""

    def make(*, expected: tuple[int, ...]) -> Visitor:
        made = visit(expected=expected)
        made.context.route(
            re.compile(r"^https://cdn\."),
            lambda route: route.fulfill(status=200, content_type="text/css", body=""),
        )
        return made

    return make


def choose(page: Page, subject: str) -> None:
    """At the provider's page."""
    page.locator("input[name=sub]").fill(subject)
    page.get_by_role("button", name="Authorize").click()


def test_somebody_signs_in_elsewhere_and_comes_back(visit: Visit) -> None:
    visitor = visit(expected=(404, 409))
    page = visitor.open("/sign-in?next=/dashboard/settings")
    assert violations(page) == []

    page.get_by_role("button", name="Continue with Example").click()
    choose(page, "grace@example.com")

    profile = page.get_by_role("region", name="Account", exact=True)
    expect(profile).to_contain_text("grace@example.com")
    assert page.url.endswith("/dashboard/settings")
    linked = page.get_by_role("region", name="Linked accounts")
    expect(linked).to_contain_text("Example")
    linked.get_by_role("button", name="Unlink Example").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Unlink").click()
    expect(page.get_by_role("alertdialog")).to_contain_text("could not sign in any more")


def test_who_says_no_there_is_told_so(visit: Visit) -> None:
    page = visit(expected=(404,)).open("/sign-in")

    page.get_by_role("button", name="Continue with Example").click()
    page.get_by_role("button", name="Deny").click()

    expect(page.get_by_role("alert").first).to_contain_text("You said no there.")
    assert re.search(r"/dashboard/oauth$", page.url)


def test_an_address_that_has_an_account_is_linked_from_within_it(visit: Visit) -> None:
    visitor = visit(expected=(404, 409))
    page = visitor.open("/sign-in")
    page.get_by_role("button", name="Continue with Example").click()
    choose(page, ADMIN)
    expect(page.get_by_role("alert").first).to_contain_text("There is already an account")

    page = visitor.sign_in(ADMIN)
    page.goto(f"{visitor.base}/settings")
    linked = page.get_by_role("region", name="Linked accounts")
    linked.get_by_role("button", name="Link Example…").click()
    linked.get_by_label("Password").fill(PASSWORD)
    linked.get_by_role("button", name="Go to Example").click()
    choose(page, ADMIN)
    expect(linked).to_contain_text(ADMIN)
    assert violations(page) == []

    sign_out(page)
    page.get_by_role("button", name="Continue with Example").click()
    choose(page, ADMIN)
    expect(page.get_by_role("navigation", name="Main")).to_be_visible()
