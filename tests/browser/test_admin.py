"""What administrators see of the server and its people, and what others are told there."""

import re

from playwright.sync_api import Locator, Page, expect
from pyotp.totp import TOTP

from tests.browser.browser import ADMIN, PASSWORD, Visit
from tests.platform import Platform, User, request

MOST = 5
"""Wrong passwords that lock an account."""


def login(local: Platform, email: str, password: str) -> int:
    account = {"email": email, "password": password}
    return request("POST", f"{local.api}/auth/login", body=account).status


def tab(page: Page, name: str) -> None:
    page.get_by_role("navigation", name="Server").get_by_role("link", name=name).click()


def find(page: Page, email: str) -> Locator:
    page.get_by_role("searchbox", name="Find by e-mail").fill(email)
    rows = page.get_by_role("list", name="Users").get_by_role("listitem")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text(email, ignore_case=True)
    return rows


def test_an_administrator_finds_who_is_locked_out_and_lets_them_in(
    local: Platform, visit: Visit
) -> None:
    email = "locked@example.com"
    User.register(local, email)
    for _ in range(MOST):
        assert login(local, email, "a guess of mine") == 401
    assert login(local, email, PASSWORD) == 423
    visitor = visit(somebody=ADMIN)
    page = visitor.open()

    page.get_by_role("link", name="Server").click()
    expect(page.get_by_role("region", name="Disk")).to_contain_text("free")
    tab(page, "Users")
    expect(page).to_have_url(re.compile("/server/users$"))
    found = find(page, "LOCKED@")
    expect(found).to_contain_text("locked until")
    expect(found).not_to_contain_text("administrator")
    found.get_by_role("button", name=f"Unlock {email}").click()
    asked = page.get_by_role("alertdialog")
    expect(asked).to_contain_text("they may sign in again at once")
    asked.get_by_role("button", name="Unlock").click()
    expect(asked).to_have_count(0)
    expect(found).not_to_contain_text("locked until")
    expect(found.get_by_role("button")).to_have_count(0)

    visit().sign_in(email)
    page.goto(f"{visitor.base}/activity")
    page.get_by_label("Of the whole platform").check()
    expect(page.get_by_role("list", name="Activity")).to_contain_text(f"unlocked {email}")


def test_a_second_factor_is_reset_after_a_word_of_warning(local: Platform, visit: Visit) -> None:
    email = "phone@example.com"
    user = User.register(local, email)
    secret = user.call("POST", "/auth/totp", {"password": PASSWORD})["secret"]
    user.call("POST", "/auth/totp/confirm", {"code": TOTP(secret).now()})
    assert login(local, email, PASSWORD) == 401
    page = visit(somebody=ADMIN).open("/server/users")

    found = find(page, email)
    expect(found).to_contain_text("second factor")
    reset = found.get_by_role("button", name=f"Reset the second factor of {email}")
    reset.click()
    page.get_by_role("alertdialog").get_by_role("button", name="Cancel").click()
    assert login(local, email, PASSWORD) == 401
    reset.click()
    asked = page.get_by_role("alertdialog")
    expect(asked).to_contain_text("the password alone lets them in")
    asked.get_by_role("button", name="Reset second factor").click()

    expect(asked).to_have_count(0)
    expect(reset).to_have_count(0)
    assert login(local, email, PASSWORD) == 200


def test_a_long_list_comes_in_parts_and_an_empty_one_says_so(visit: Visit, local: Platform) -> None:
    for at in range(51):
        request(
            "POST",
            f"{local.api}/auth/register",
            body={"email": f"many-{at}@example.com", "password": PASSWORD},
        )
    page = visit(somebody=ADMIN).open("/server/users")
    with page.expect_response(re.compile("/admin/users.*many-")):
        page.get_by_role("searchbox", name="Find by e-mail").fill("many-")
    rows = page.get_by_role("list", name="Users").get_by_role("listitem")
    expect(rows.filter(has_text="many-")).to_have_count(50)
    expect(rows).to_have_count(50)

    page.get_by_role("button", name="Show more").click()

    expect(rows).to_have_count(51)
    expect(page.get_by_role("button", name="Show more")).to_have_count(0)
    page.get_by_role("searchbox", name="Find by e-mail").fill("nobody-at-all")
    expect(page.get_by_role("heading", name="Nobody found")).to_be_visible()
    page.get_by_role("button", name="Show everybody").click()
    expect(page.get_by_role("searchbox", name="Find by e-mail")).to_have_value("")
    expect(rows).to_have_count(50)


def test_limits_are_told_with_the_settings_that_make_them(visit: Visit) -> None:
    page = visit(somebody=ADMIN, width=320).open("/server/limits")

    row = page.get_by_role("row").filter(has_text="AUTOSTACK_LOGIN_RATE")
    expect(row).to_contain_text("Sign-ins from one address.")
    expect(row).to_contain_text("1000/minute")
    expect(row).to_contain_text("changed")
    expect(row.get_by_role("button", name="Copy AUTOSTACK_LOGIN_RATE")).to_be_visible()
    expect(page.get_by_text("docs/settings.md")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    region = page.get_by_role("region", name="Limits by setting")
    assert region.evaluate("one => one.scrollWidth <= one.clientWidth")
    tab(page, "Users")
    expect(page.get_by_role("list", name="Users")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


def test_somebody_else_is_told_whom_these_pages_are_for(local: Platform, visit: Visit) -> None:
    User.register(local, "other@example.com")
    visitor = visit()
    page = visitor.sign_in("other@example.com")

    for path in ("/server", "/server/users", "/server/limits"):
        page.goto(visitor.base + path)
        expect(page.get_by_role("heading", name="For the administrators")).to_be_visible()
        expect(page.get_by_role("navigation", name="Server")).to_have_count(0)
        expect(page.get_by_text(ADMIN)).to_have_count(0)
    expect(page.get_by_role("navigation", name="Main")).not_to_contain_text("Server")
