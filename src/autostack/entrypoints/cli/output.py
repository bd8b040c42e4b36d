"""What is printed: tables and progress for people, JSON for programs."""

import json
import sys
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from autostack.entrypoints.cli.client import Json

if TYPE_CHECKING:
    from rich.console import Console

_UNBOUNDED = 10_000

MARKS = {
    "success": "[green]●[/] success",
    "failed": "[red]●[/] failed",
    "done": "[green]●[/] done",
    "canceled": "[dim]● canceled[/]",
    "superseded": "[dim]● superseded[/]",
    "running": "[green]●[/] running",
    "crashed": "[red]●[/] crashed",
}


def console(*, err: bool = False) -> "Console":
    from rich.console import Console  # noqa: PLC0415 - 60 ms, not for --json or --help

    stream = sys.stderr if err else sys.stdout
    # What is piped is for programs: nothing is folded to the width of a screen nobody has.
    width = None if stream.isatty() else _UNBOUNDED
    return Console(stderr=err, highlight=False, soft_wrap=True, width=width)


def as_json(value: Json) -> None:
    json.dump(value, sys.stdout, indent=2, ensure_ascii=False)
    print()


def json_line(value: Json) -> None:
    """One of many, as it comes: one line each."""
    print(json.dumps(value, ensure_ascii=False), flush=True)


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.table import Table  # noqa: PLC0415 - see console

    shown = Table(box=None, pad_edge=False, header_style="dim")
    for column in columns:
        # An id is copied; other columns give way.
        shown.add_column(column, overflow="fold", no_wrap=column == "ID")
    for row in rows:
        shown.add_row(*row)
    console().print(shown)


def plain(text: str) -> str:
    """User text inside markup: brackets are not commands, control characters are not obeyed."""
    from rich.markup import escape  # noqa: PLC0415 - see console

    return escape(clean(text))


def clean(text: str) -> str:
    """Without control characters, so that a log cannot drive the terminal; colours stay out."""
    import re  # noqa: PLC0415 - small, but so is the need

    coloured = re.sub(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?", "", text)
    return "".join(c for c in coloured if c == "\t" or c.isprintable())


def mark(state: str) -> str:
    return MARKS.get(state, f"[yellow]●[/] {state}")


def seconds(start: str, end: str | None) -> str:
    if end is None:
        return ""
    took = datetime.fromisoformat(end) - datetime.fromisoformat(start)
    return f"{took.total_seconds():.1f} s"


def megabytes(count: int) -> str:
    return f"{count / 1_000_000:.0f} MB" if count else ""
