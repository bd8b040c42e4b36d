"""What a browser loads before a page can be used."""

import gzip
import re

from tests.browser.conftest import ROOT, build

BUILT = ROOT / "dashboard/built"
LIMIT = 250_000
# Those marked `nomodule` are for browsers older than any the dashboard asks for, and not loaded.
SCRIPT = re.compile(r'<script(?![^>]*nomodule)[^>]*\ssrc="/dashboard/([^"]+)"', re.IGNORECASE)


def test_no_page_loads_more_scripts_than_it_may() -> None:
    build()
    sizes: dict[str, int] = {}
    weights: dict[str, int] = {}

    for page in BUILT.rglob("*.html"):
        scripts = set(SCRIPT.findall(page.read_text(encoding="utf-8")))
        for script in scripts - sizes.keys():
            sizes[script] = len(gzip.compress((BUILT / script).read_bytes()))
        weights[str(page.relative_to(BUILT))] = sum(sizes[script] for script in scripts)

    assert min(weights.values()) > 100_000, "React alone is more: the scripts were not found"
    assert {page: size for page, size in weights.items() if size > LIMIT} == {}
