"""Running axe over a page as it is, in each theme and width, without loading it again."""

from collections.abc import Iterable, Sequence
from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.browser import ROOT, Theme

AXE = ROOT / "dashboard/node_modules/axe-core/axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PHONE = 360
REFLOW = 320
"""The narrowest that WCAG asks for: 1280 pixels, enlarged four times."""

Look = tuple[Theme, int]
EVERY: Sequence[Look] = [
    (theme, width) for width in (1280, 768, PHONE) for theme in ("dark", "light")
]
USUAL: Sequence[Look] = [("dark", 1280), ("light", PHONE)]

# Colours on their way into others are none to judge; two frames, for what is only being laid out.
_SETTLED = """async () => {
  const frame = () => new Promise(requestAnimationFrame)
  await frame()
  await frame()
  await Promise.allSettled(document.getAnimations().map(one => one.finished))
}"""
_TOO_WIDE = """() => {
  const { scrollWidth, clientWidth } = document.documentElement
  if (scrollWidth <= clientWidth) return []
  const right = one => one.getBoundingClientRect().right
  const wide = [...document.body.querySelectorAll('*')].filter(one => right(one) > clientWidth + 1)
  return [`${scrollWidth} of ${clientWidth} pixels: ` + wide.slice(0, 3).map(one => one.outerHTML
    .slice(0, 200)).join(' … ')]
}"""


def violations(page: Page) -> list[str]:
    """What axe finds; run through the debugger, for the page's own policy lets nothing in."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text(encoding="utf-8"))
    page.evaluate(_SETTLED)
    found: Any = page.evaluate(
        "tags => axe.run(document, {runOnly: tags, resultTypes: ['violations']})", TAGS
    )
    return [
        f"{one['id']}: {node['target']} {node['failureSummary']}"
        for one in found["violations"]
        for node in one["nodes"]
    ]


def turn(page: Page, theme: Theme, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(color_scheme=theme)
    expect(page.locator("html.dark")).to_have_count(1 if theme == "dark" else 0)


def found_wrong(page: Page, looks: Iterable[Look]) -> dict[str, list[str]]:
    """By theme and width: what axe finds, and what makes the page wider than the window."""
    wrong: dict[str, list[str]] = {}
    for theme, width in looks:
        turn(page, theme, width)
        wrong[f"{theme}, {width}"] = [*violations(page), *too_wide(page)]
    page.set_viewport_size({"width": REFLOW, "height": 800})
    wrong[f"{REFLOW}"] = too_wide(page)
    return {look: found for look, found in wrong.items() if found}


def too_wide(page: Page) -> list[str]:
    page.evaluate(_SETTLED)
    found: list[str] = page.evaluate(_TOO_WIDE)
    return found
