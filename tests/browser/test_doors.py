"""Ways in, and what keeps others out: letters' links, a second factor, tokens for programs."""

import re
import time
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect
from pyotp.totp import TOTP

from tests.browser.browser import PASSWORD, Visit, enter
from tests.platform import Platform, User, request

STEP = 30
"""Seconds an authenticator shows a code."""
LOCKING = 5
"""Wrong passwords that lock an account."""


def test_a_second_factor_is_asked_for_once_it_is_on(visit: Visit) -> None:
    visitor = visit(expected=(401,))
    page = visitor.register("factor@example.com")
    page.goto(f"{visitor.base}/settings/security")
    factor = page.get_by_role("region", name="Second factor")

    factor.get_by_role("button", name="Turn on…").click()
    factor.get_by_label("Password").fill(PASSWORD)
    factor.get_by_role("button", name="Go on").click()
    link = factor.get_by_role("link", name="open it in one on this device")
    expect(link).to_have_attribute("href", re.compile("^otpauth://totp/"))
    authenticator = TOTP(factor.locator("code").inner_text())
    factor.get_by_label("Code").fill(authenticator.now())
    factor.get_by_role("button", name="Turn on").click()
    codes = factor.get_by_role("list", name="Recovery codes").get_by_role("listitem")
    expect(codes).to_have_count(10)
    recovery = codes.first.inner_text()
    factor.get_by_role("button", name="I kept them").click()
    expect(factor).to_contain_text("On. 10 recovery codes left.")
    expect(page.get_by_text(recovery)).to_have_count(0)

    sign_out(page)
    ask_to_enter(page, "factor@example.com")
    expect(page.get_by_label("Code")).to_be_focused()
    page.get_by_label("Code").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert").first).to_contain_text("not valid")
    page.get_by_label("Code").fill(authenticator.at(int(time.time()) + STEP))
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("navigation", name="Main")).to_be_visible()

    page.goto(f"{visitor.base}/settings/security")
    factor.get_by_role("button", name="Turn off…").click()
    factor.get_by_label("Password").fill(PASSWORD)
    factor.get_by_label("Code").fill(recovery)
    factor.get_by_role("button", name="Turn off").click()
    expect(factor).to_contain_text("Off.")


@pytest.mark.attack("A39")
@pytest.mark.parametrize(
    "place", ["//evil.example", "/\\evil.example", "https:evil.example", "javascript:alert(1)"]
)
def test_signing_in_leads_to_no_other_host(local: Platform, visit: Visit, place: str) -> None:
    User.register(local, "led@example.com", PASSWORD)
    visitor = visit()

    page = visitor.sign_in("led@example.com", f"/sign-in?next={quote(place, safe='')}")

    expect(page.get_by_role("navigation", name="Main")).to_be_visible()
    assert page.url.startswith(visitor.base)


def sign_out(page: Page) -> None:
    page.get_by_role("button", name="Account").click()
    page.get_by_role("menuitem", name="Sign out").click()
    page.wait_for_url("**/sign-in")


def ask_to_enter(page: Page, email: str, password: str = PASSWORD) -> None:
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def test_a_token_is_shown_once_works_and_is_revoked(local: Platform, visit: Visit) -> None:
    visitor = visit()
    page = visitor.register("tokens@example.com")
    page.goto(f"{visitor.base}/settings/tokens")
    tokens = page.get_by_role("region", name="API tokens")

    tokens.get_by_role("button", name="New token").click()
    tokens.get_by_label("Name").fill("CI")
    tokens.get_by_label("Scope").select_option("read")
    tokens.get_by_role("button", name="Make the token").click()
    token = tokens.locator("code", has_text="as_").inner_text()
    assert says(local, token) == 200
    tokens.get_by_role("button", name="I kept it").click()
    expect(tokens).to_contain_text("CI")
    expect(tokens).to_contain_text("all projects")
    expect(page.get_by_text(token)).to_have_count(0)

    tokens.get_by_role("button", name="Revoke CI").click()
    page.get_by_role("alertdialog").get_by_role("button", name="Revoke").click()
    expect(tokens).to_contain_text("No tokens.")
    assert says(local, token) == 401


def says(local: Platform, token: str) -> int:
    headers = {"Authorization": f"Bearer {token}"}
    return request("GET", f"{local.api}/auth/me", headers=headers).status


def test_another_password_counts_at_once(visit: Visit) -> None:
    visitor = visit(expected=(401, 403))
    page = visitor.register("change@example.com")
    page.goto(f"{visitor.base}/settings/security")
    settings = page.get_by_role("region", name="Password")

    settings.get_by_label("Current password").fill("not mine at all")
    settings.get_by_label("New password").fill("violet harbour kettle")
    settings.get_by_role("button", name="Change the password").click()
    expect(settings.get_by_role("alert")).to_contain_text("This is not your password.")
    settings.get_by_label("Current password").fill(PASSWORD)
    settings.get_by_role("button", name="Change the password").click()
    expect(settings.get_by_role("status")).to_contain_text("signed out everywhere else")

    sign_out(page)
    ask_to_enter(page, "change@example.com")
    expect(page.get_by_role("alert").first).to_contain_text("Invalid credentials")
    ask_to_enter(page, "change@example.com", "violet harbour kettle")
    expect(page.get_by_role("navigation", name="Main")).to_be_visible()


def test_a_link_sets_a_new_password_once(local: Platform, visit: Visit) -> None:
    User.register(local, "forgot@example.com", "the one that was forgotten")
    told = local.run("admin", "reset-password", "forgot@example.com")
    link = re.search(r"/dashboard(/reset-password#token=\S+)", told.stdout)
    assert link is not None, told.stdout + told.stderr
    page = visit().open(link[1])

    page.wait_for_url("**/dashboard/reset-password")
    page.get_by_label("New password").fill(PASSWORD)
    page.get_by_role("button", name="Set the password").click()
    page.get_by_role("link", name="Sign in").click()
    enter(page, "forgot@example.com", "Sign in")

    again = visit(expected=(422,)).open(link[1])
    again.get_by_label("New password").fill(PASSWORD)
    again.get_by_role("button", name="Set the password").click()
    expect(again.get_by_role("alert").first).to_contain_text("This link is not valid")


def test_a_bad_link_to_confirm_an_address_says_so(visit: Visit) -> None:
    page = visit(expected=(422,)).open("/confirm-email#token=nonsense")

    page.wait_for_url("**/dashboard/confirm-email")
    page.get_by_role("button", name="Confirm").click()

    expect(page.get_by_role("alert").first).to_contain_text("This link is not valid")


@pytest.mark.parametrize("path", ["/reset-password", "/confirm-email"])
def test_a_link_without_its_token_is_not_whole(visit: Visit, path: str) -> None:
    page = visit().open(path)

    expect(page.get_by_role("status").first).to_contain_text("This link is not whole.")
    expect(page.get_by_role("button")).to_have_count(0)


def test_who_forgot_a_password_learns_what_to_do_without_mail(visit: Visit) -> None:
    page = visit(expected=(503,)).open("/sign-in")

    page.get_by_role("link", name="Forgot your password?").click()
    page.get_by_label("E-mail").fill("nobody@example.com")
    page.get_by_role("button", name="Send the letter").click()

    expect(page.get_by_role("alert").first).to_contain_text("autostack admin reset-password")


def test_a_locked_account_says_for_how_long(local: Platform, visit: Visit) -> None:
    User.register(local, "locked@example.com")
    for _ in range(LOCKING):
        wrong = {"email": "locked@example.com", "password": "guessed"}
        request("POST", f"{local.api}/auth/login", body=wrong)
    page = visit(expected=(423,)).open("/sign-in")

    ask_to_enter(page, "locked@example.com")

    expect(page.get_by_role("alert").first).to_contain_text(re.compile(r"Wait \d+ minutes"))
