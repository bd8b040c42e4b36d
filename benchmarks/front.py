"""The figures on the README, taken from the same run as `benchmarks/results.md`."""

from collections.abc import Sequence

from benchmarks.series import Section

BEGIN = "<!-- figures: from benchmarks/results.md, written by `make bench` -->\n"
END = "<!-- /figures -->"
SHOWN = 3
"""Idle, deployments, redeployments under load: what people ask first."""


def put(page: str, sections: Sequence[Section], *, head: str) -> str:
    """The page with these figures between its marks; ValueError where it has none."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(BEGIN)
    tables = "\n\n".join(section.text().replace("## ", "### ", 1) for section in sections[:SHOWN])
    words = f"{head} [All of them](benchmarks/results.md); `make bench` measures on your machine."
    return f"{before}{BEGIN}{words}\n\n{tables}\n{END}{after}"
