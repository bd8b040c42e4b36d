"""Draws what a command printed as a terminal: `make demo | .venv/bin/python -m tools.picture`.

Writes docs/demo.svg. Nothing is added to the output, and only its width is cut.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape

FILE = Path(__file__).parents[1] / "docs" / "demo.svg"
COLUMNS = 92
CHARACTER, LINE, MARGIN, TOP = 8.4, 20, 18, 44
STYLE = (
    "text{font:14px/20px ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;"
    "fill:#d7dae0;white-space:pre}.command{fill:#8bd49c}.step{fill:#8ab4f8}.good{fill:#f2c66d}"
)


def draw(command: str, lines: Sequence[str]) -> str:
    """The whole picture; readers that cannot see get the text as it is."""
    shown = [f"$ {command}", *(_cut(line.rstrip()) for line in lines)]
    width = int(COLUMNS * CHARACTER + 2 * MARGIN)
    height = TOP + LINE * len(shown) + MARGIN
    rows = "".join(_row(number, line) for number, line in enumerate(shown))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" role="img" aria-label="{escape(command)}">'
        f"<style>{STYLE}</style>"
        f'<rect width="{width}" height="{height}" rx="10" fill="#16181d"/>'
        + "".join(
            f'<circle cx="{MARGIN + 8 + 20 * at}" cy="20" r="6" fill="#3a3f4a"/>' for at in range(3)
        )
        + f"{rows}</svg>\n"
    )


def _row(number: int, line: str) -> str:
    y = TOP + LINE * number + 14
    return f'<text class="{_kind(number, line)}" x="{MARGIN}" y="{y}">{escape(line)}</text>'


def _kind(number: int, line: str) -> str:
    if number == 0:
        return "command"
    if line.startswith("GET ") or " requests failed" in line:
        return "good"
    return "step" if " · " in line else "line"


def _cut(line: str) -> str:
    return line if len(line) <= COLUMNS else f"{line[: COLUMNS - 1]}…"


def main() -> None:
    FILE.write_text(draw("make demo", sys.stdin.read().splitlines()), encoding="utf-8")


if __name__ == "__main__":
    main()
