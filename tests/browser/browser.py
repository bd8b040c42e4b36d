"""A real Chromium, and pages that notice whatever goes wrong in them."""

import os
import shutil
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Response,
    StorageState,
    expect,
)
from playwright.sync_api import Playwright as Engine

PATIENCE = 60_000
"""Milliseconds a page may take on a busy machine; a quiet one needs a hundredth."""
PASSWORD = "testpassword123"
ADMIN = "admin@example.com"
"""The first account of the platform that most tests share, whichever of them comes first."""
ROOT = Path(__file__).parents[2]
Theme = Literal["light", "dark"]

expect.set_options(timeout=PATIENCE)


def launch(engine: Engine) -> Browser:
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    return engine.chromium.launch(executable_path=shutil.which("chromium"), args=arguments)


@dataclass
class Faults:
    """What no page may do: errors on the console (the policy's too), answers of 400 and above."""

    seen: list[str] = field(default_factory=list[str])
    expected: Sequence[int] = ()

    def console(self, message: ConsoleMessage) -> None:
        refused = any(f"status of {status}" in message.text for status in self.expected)
        if message.type in {"error", "warning"} and not refused:
            self.seen.append(f"{message.type}: {message.text}")

    def answer(self, response: Response) -> None:
        if response.status >= 400 and response.status not in self.expected:
            self.seen.append(f"{response.status} {response.url}")


@dataclass(frozen=True)
class Visitor:
    """Somebody at the dashboard, in a browser profile of their own."""

    base: str
    context: BrowserContext
    faults: Faults

    def open(self, path: str = "") -> Page:
        page = self.context.new_page()
        page.on("console", self.faults.console)
        page.on("pageerror", lambda error: self.faults.seen.append(f"uncaught: {error}"))
        page.on("response", self.faults.answer)
        page.set_default_timeout(PATIENCE)
        page.goto(self.base + path)
        return page

    def register(self, email: str) -> Page:
        return enter(self.open("/register"), email, "Make the account")

    def sign_in(self, email: str, path: str = "/sign-in") -> Page:
        return enter(self.open(path), email, "Sign in")


def enter(page: Page, email: str, action: str) -> Page:
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name=action).click()
    expect(page.get_by_role("navigation", name="Main")).to_be_visible()
    return page


Visit = Callable[..., Visitor]


@contextmanager
def visitor(
    browser: Browser,
    base: str,
    *,
    theme: Theme = "light",
    width: int = 1280,
    expected: Sequence[int] = (),
    state: StorageState | None = None,
) -> Generator[Visitor]:
    context = browser.new_context(
        color_scheme=theme,
        viewport={"width": width, "height": 800},
        reduced_motion="reduce",
        storage_state=state,
    )
    faults = Faults(expected=expected)
    try:
        yield Visitor(base, context, faults)
    finally:
        context.close()
    assert not faults.seen, faults.seen


def signed_in(browser: Browser, base: str, email: str) -> StorageState:
    """What the browser of somebody keeps who signed in."""
    with visitor(browser, base) as entering:
        entering.sign_in(email)
        return entering.context.storage_state()
