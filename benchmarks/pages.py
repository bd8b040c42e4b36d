"""How soon a page of the dashboard shows its data on a slow line and a slow machine, and how a
long log scrolls; in the Chromium that the tests use.
"""

import json
import shutil
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from playwright.sync_api import Browser, CDPSession, Page, StorageState, sync_playwright

from benchmarks.series import Section, Series, alone
from tests.browser.browser import ADMIN, PATIENCE, launch, signed_in
from tests.browser.conftest import build
from tests.browser.screens import SCREENS, Screen
from tests.browser.things import Things, make
from tests.gitserver import GitServer
from tests.platform import Platform, User, platform

Send = Callable[..., object]

RUNS = 3
LATENCY_MS = 40
BYTES = 10_000_000 / 8
"""A second, either way: 10 Mbit/s."""
SLOWER = 4
LINES = 100_000
PRINT = f"for number in range({LINES}):\n    print('as builds print them: line', number)\n"
LOUD = {"index.html": "loud", "autostack.yaml": "build: python3 loud.py\n", "loud.py": PRINT}
GOAL = 2000
"""Milliseconds until there is something to read."""
SECONDS = 3.0
PIXELS = 60
"""Three lines a frame: what somebody still follows with their eyes."""

# Milliseconds since the address was asked for, once the text is there; looked for in each frame.
_SHOWN = "text => document.body && document.body.innerText.includes(text) && performance.now()"
_SCROLL = """async (box, [pixels, seconds]) => {
  const end = performance.now() + seconds * 1000
  performance.mark('scroll-begin')
  while (performance.now() < end) {
    box.scrollTop -= pixels
    await new Promise(requestAnimationFrame)
  }
  performance.mark('scroll-end')
}"""
_TRACED = ("disabled-by-default-devtools.timeline.frame", "blink.user_timing")


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A browser at one platform. Nothing is kept from one page to the next but who is signed in."""

    up: Platform
    browser: Browser
    signed_in: dict[str, StorageState] = field(default_factory=dict[str, StorageState])

    @contextmanager
    def open(self, path: str, *, by: str | None, slow: bool) -> Generator[Page]:
        state = self._state(by) if by else None
        with self.browser.new_context(storage_state=state) as context:
            page = context.new_page()
            if slow:
                _slow_down(context.new_cdp_session(page))
            page.goto(f"{self.up.api}/dashboard{path}", wait_until="commit")
            yield page

    def _state(self, email: str) -> StorageState:
        if email not in self.signed_in:
            base = f"{self.up.api}/dashboard"
            self.signed_in[email] = signed_in(self.browser, base, email)
        return self.signed_in[email]


def sections(scratch: Path) -> Iterator[Section]:
    if shutil.which("chromium") is None:
        print("Pages of the dashboard were not measured: there is no Chromium here.")
        return
    build()
    rate = "1000/minute"
    with (
        GitServer(scratch / "pages") as git,
        platform(AUTOSTACK_LOGIN_RATE=rate, AUTOSTACK_REGISTER_RATE=rate) as up,
        sync_playwright() as engine,
        closing(launch(engine)) as browser,
    ):
        window = Window(up=up, browser=browser)
        yield _pages(window, make(up, git))
        yield _log(window, git)


def _pages(window: Window, things: Things) -> Section:
    rows = [
        Series(
            name=one.name,
            unit="ms",
            values=tuple(_opened(window, one, things) for _ in range(RUNS)),
            goal=GOAL,
        )
        for one in SCREENS
        if not one.acts and not one.refused
    ]
    title = "Pages of the dashboard, on 10 Mbit/s with 40 ms and a processor four times slower"
    return Section(title=f"{title}: until their data is shown", rows=alone(*rows))


def _opened(window: Window, screen: Screen, things: Things) -> float:
    with window.open(screen.path.format(**vars(things)), by=screen.by, slow=True) as page:
        return _until(page, screen.shows)


def _slow_down(session: CDPSession) -> None:
    # Playwright says `dict` of its parameters, and not of what.
    send = cast("Send", session.send)  # pyright: ignore[reportUnknownMemberType]
    send("Network.enable")
    line = {"latency": LATENCY_MS, "downloadThroughput": BYTES, "uploadThroughput": BYTES}
    send("Network.emulateNetworkConditions", {"offline": False, **line})
    send("Emulation.setCPUThrottlingRate", {"rate": SLOWER})


def _until(page: Page, text: str) -> float:
    found = page.wait_for_function(_SHOWN, arg=text, polling="raf", timeout=PATIENCE)
    return float(found.json_value())


def _log(window: Window, git: GitServer) -> Section:
    """The log of a build, opened once it is whole."""
    user = User.register(window.up, ADMIN)
    git.create("loud", LOUD)
    project = user.create_project("loud", git.url("loud"))["id"]
    path = f"/projects/{project}/deployments/{user.deploy(project)['id']}"
    loaded: dict[bool, list[float]] = {False: [], True: []}
    frames: list[float] = []
    for slow, times in loaded.items():
        for _ in range(RUNS):
            with window.open(path, by=ADMIN, slow=slow) as page:
                times.append(_until(page, "Live."))
                if not slow:
                    frames.append(_frames(window.browser, page))
    return Section(
        title=f"A log of {LINES} lines in the dashboard",
        rows=alone(
            Series(name="its end is shown", unit="ms", values=tuple(loaded[False]), goal=GOAL),
            Series(name="the same, slowed down as above", unit="ms", values=tuple(loaded[True])),
            Series(name="scrolled (goal: 55 or more)", unit="frames/s", values=tuple(frames)),
        ),
    )


def _frames(browser: Browser, page: Page) -> float:
    """Those drawn, a second, as Chromium's own trace tells."""
    browser.start_tracing(page=page, categories=list(_TRACED))
    page.get_by_role("log").evaluate(_SCROLL, [PIXELS, SECONDS])
    events = json.loads(browser.stop_tracing())["traceEvents"]
    marks = {one["name"]: one["ts"] for one in events if one["name"].startswith("scroll-")}
    begin, end = float(marks["scroll-begin"]), float(marks["scroll-end"])
    drawn = [one for one in events if one["name"] == "DrawFrame" and begin <= one["ts"] <= end]
    return len(drawn) / (end - begin) * 1e6
