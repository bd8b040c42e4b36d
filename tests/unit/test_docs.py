"""The documentation is true where a test can say so."""

import inspect
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from autostack.core.errors import AutostackError
from autostack.engine import errors as engine
from autostack.engine.detect.stated import KEYS
from autostack.entrypoints.local import errors as local
from tools import docs

ROOT = Path(__file__).parents[2]
ELSEWHERE = re.compile(r"^[a-z]+:")
LINK = re.compile(r"\]\(([^)\s]+)\)|<(?:img|a)\s[^>]*?(?:src|href)=\"([^\"]+)\"")
HEADING = re.compile(r"^#+ +(.*)$", re.MULTILINE)
CODE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def markdown() -> list[Path]:
    found = [
        *ROOT.glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
        *(ROOT / "benchmarks").glob("*.md"),
    ]
    return sorted(found)


def links(text: str) -> Iterator[str]:
    for match in LINK.finditer(CODE.sub("", text)):
        yield match[1] or match[2]


def anchors(text: str) -> set[str]:
    """As forges make them of headings."""
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")
        for heading in HEADING.findall(CODE.sub("", text))
    }


def broken(page: Path, link: str) -> str | None:
    path, _, anchor = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    if not target.is_relative_to(ROOT) or not target.exists():
        return f"{link}: no such file"
    if anchor and anchor not in anchors(target.read_text(encoding="utf-8")):
        return f"{link}: no such heading"
    return None


@pytest.mark.parametrize("page", markdown(), ids=lambda page: str(page.relative_to(ROOT)))
def test_each_link_leads_somewhere(page: Path) -> None:
    inside = [link for link in links(page.read_text(encoding="utf-8")) if not ELSEWHERE.match(link)]

    assert [problem for link in inside if (problem := broken(page, link))] == []


def test_a_broken_link_is_seen(tmp_path: Path) -> None:
    page = ROOT / "README.md"

    assert broken(page, "docs/nowhere.md") == "docs/nowhere.md: no such file"
    assert broken(page, "docs/guide.md#nowhere") == "docs/guide.md#nowhere: no such heading"
    assert broken(page, str(tmp_path)) is not None
    assert broken(page, "docs/guide.md#autostackyaml") is None
    assert list(links("[a](b.md) ![c](d.svg)\n```\n[no](no.md)\n```\n")) == ["b.md", "d.svg"]


@pytest.mark.parametrize("path", docs.pages())
def test_generated_pages_are_what_make_docs_would_write(path: str) -> None:
    written = (ROOT / path).read_text(encoding="utf-8")

    assert written == docs.pages()[path](), "Run `make docs`."


def errors(module: ModuleType) -> list[str]:
    return [
        name
        for name, one in inspect.getmembers(module, inspect.isclass)
        if issubclass(one, AutostackError) and one.__module__ == module.__name__
    ]


@pytest.mark.parametrize("name", [*errors(engine), *errors(local)])
def test_each_error_is_explained(name: str) -> None:
    assert f"`{name}`" in (ROOT / "docs/troubleshooting.md").read_text(encoding="utf-8")


def test_no_error_is_explained_that_does_not_exist() -> None:
    text = (ROOT / "docs/troubleshooting.md").read_text(encoding="utf-8")
    told = set(re.findall(r"^\| `([A-Z]\w+)` \|", text, re.MULTILINE))

    assert told - {*errors(engine), *errors(local)} == {"PlacesExhausted"}


@pytest.mark.parametrize("key", sorted(KEYS))
def test_each_key_of_autostack_yaml_is_described(key: str) -> None:
    text = (ROOT / "docs/guide.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]

    assert any(f"`{key}`" in row for row in rows)
