"""Which attack is held against by which test: read from the tests, written as a page.

`python -m tools.attacks` prints the figures; `make docs` writes docs/security-table.md.
"""

import ast
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.security.table import CASES, FAMILIES, Case

ROOT = Path(__file__).parents[1]
GRAVE = ("stops a release", "before 1.0", "hardening")
STATES = ("covered", "absent", "open")
_NAMED = re.compile(r"test_((?:[a-z][0-9]{2}_)+)")

PAGE = """\
# Attacks, and the tests that hold against them

Made from `tests/security/table.py` and the marks of the tests by `make docs`; `make test-security`
runs them. Where the product has nothing to attack the table says so, and where work is left, too.

{figures}
"""


def covering() -> Mapping[str, tuple[str, ...]]:
    """The tests that carry each id, as `file::test`."""
    found: dict[str, list[str]] = {}
    for file in sorted((ROOT / "tests").rglob("test_*.py")):
        place = file.relative_to(ROOT).as_posix()
        for name, ids in _tests(ast.parse(file.read_text(encoding="utf-8"))):
            for one in ids:
                found.setdefault(one, []).append(f"{place}::{name}")
    return {one: tuple(tests) for one, tests in found.items()}


def _tests(module: ast.Module) -> Iterator[tuple[str, list[str]]]:
    for node in ast.walk(module):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            named = _NAMED.match(node.name)
            ids = named[1].upper().strip("_").split("_") if named else []
            yield node.name, [*dict.fromkeys([*ids, *_marked(node)])]


def _marked(node: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    for decorator in node.decorator_list:
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "pytest.mark.attack":
            for argument in decorator.args:
                assert isinstance(argument, ast.Constant)
                yield str(argument.value)


def state(case: Case, tests: Mapping[str, tuple[str, ...]]) -> str:
    """`covered` counts most: what is tested is there."""
    if tests.get(case.id):
        return "covered"
    return "absent" if case.absent else "open"


def figures(tests: Mapping[str, tuple[str, ...]]) -> str:
    rows = ["| | covered | absent | open |", "|---|---|---|---|"]
    for grave, words in enumerate(GRAVE):
        states = [state(case, tests) for case in CASES if case.grave == grave]
        counts = " | ".join(str(states.count(one)) for one in STATES)
        rows.append(f"| P{grave}, {words} | {counts} |")
    return "\n".join(rows) + "\n"


def page() -> str:
    tests = covering()
    parts = [PAGE.format(figures=figures(tests))]
    for letter, title in FAMILIES.items():
        rows = (_row(case, tests) for case in CASES if case.id.startswith(letter))
        head = f"## {letter}: {title}\n\n| | P | it tries | held by |\n|---|---|---|---|\n"
        parts.append(head + "".join(rows))
    return "\n".join(parts)


def _row(case: Case, tests: Mapping[str, tuple[str, ...]]) -> str:
    held = {
        "covered": "<br>".join(f"`{one}`" for one in tests.get(case.id, ())),
        "absent": f"nothing to attack: {case.absent}",
        "open": f"**open**: {case.open or 'no test yet'}",
    }[state(case, tests)]
    return f"| {case.id} | {case.grave} | {case.tries} | {held} |\n"


def main() -> None:
    tests = covering()
    sys.stdout.write(figures(tests))
    left = [case.id for case in CASES if state(case, tests) == "open" and case.grave == 0]
    sys.stdout.write(f"Open at P0: {', '.join(left) or 'none'}\n")


if __name__ == "__main__":
    main()
