"""Trees made to read outside, to hang or to crash whoever looks at them."""

import os
import time
from pathlib import Path

import pytest

from autostack.engine.detect import Tree
from autostack.engine.detect.tree import MAX_DEPTH, MAX_FILES, MAX_TEXT
from autostack.engine.errors import NothingDetected
from tests.unit.engine.detect.trees import plan_of, write


@pytest.mark.attack("G23")
def test_no_link_is_followed(tmp_path: Path) -> None:
    outside = write(tmp_path / "outside", {"secret.txt": "s", "requirements.txt": "flask"})
    inside = write(tmp_path / "inside", {"index.html": "x"})
    (inside / "requirements.txt").symlink_to(outside / "requirements.txt")
    (inside / "deep").symlink_to(outside)

    with Tree(inside) as tree:
        assert tree.files == ("index.html",)
        assert tree.text("requirements.txt") is None
        assert tree.text("deep/secret.txt") is None


@pytest.mark.attack("P01")
@pytest.mark.parametrize("path", ["../outside/secret.txt", "/etc/passwd", "a/../../x", "\0", ""])
def test_no_path_leads_out(tmp_path: Path, path: str) -> None:
    write(tmp_path / "outside", {"secret.txt": "s"})
    with Tree(write(tmp_path / "inside", {"a/b": ""})) as tree:
        assert tree.text(path) is None


def test_a_pipe_is_no_file_and_nobody_waits_for_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "package.json")

    with Tree(tmp_path) as tree:
        assert tree.files == ()
        assert tree.text("package.json") is None


@pytest.mark.attack("B09")
def test_sizes_depths_and_counts_are_bounded(tmp_path: Path) -> None:
    write(tmp_path, {"big.py": "x" * (MAX_TEXT + 9), "/".join("d" * (MAX_DEPTH + 3)) + "/f": ""})
    for number in range(300):
        (tmp_path / f"{number}.txt").touch()

    with Tree(tmp_path) as tree:
        assert len(tree.text("big.py") or "") == MAX_TEXT
        assert len(tree.files) == 301
        assert MAX_FILES > 301


@pytest.mark.parametrize(
    "text",
    [
        "-" * 200_000 + "1",
        "a." * 100_000 + "a",
        "1+" * 60_000 + "1",
        "(" * 90_000,
        "x = 1\0",
        "9" * 100_000,
        "print 'old'\n",
        "\ufffe\udcff".encode("utf-8", "surrogatepass").decode("utf-8", "replace"),
    ],
    ids=["minus", "dots", "sum", "parens", "nul", "digits", "python2", "garbage"],
)
def test_code_that_breaks_parsers_is_left_out(tmp_path: Path, text: str) -> None:
    write(tmp_path, {"bad.py": text})
    files = {"requirements.txt": "flask==3", "app.py": "import flask\napp = flask.Flask('')\n"}

    plan = plan_of(tmp_path, files)

    assert plan.framework == "Flask"


def test_lines_made_for_slow_expressions_end_soon(tmp_path: Path) -> None:
    began = time.monotonic()
    files = {
        "package.json": '{"scripts": {"start": "' + "a " * 2000 + '!"}}',
        "index.js": "process.env" * 9000 + "\n" + (" " * 1900 + "x\n") * 200,
        "requirements.txt": "#" * 100_000 + "\n" + " " * 100_000 + "x\n",
        "setup.py": "'a[" * 100_000,
        "yarn.lock": "\n" * 200_000 + "webpack@:" * 10_000,
    }

    plan_of(tmp_path, files)

    assert time.monotonic() - began < 5


@pytest.mark.attack("B09")
def test_any_bytes_are_an_answer(tmp_path: Path) -> None:
    for number, name in enumerate(("requirements.txt", "a.py", "Dockerfile.x", "b.js")):
        (tmp_path / name).write_bytes(bytes(range(256)) * (number + 1))

    with pytest.raises(NothingDetected):
        plan_of(tmp_path)


def test_requirements_written_by_powershell_are_read(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_bytes("flask==3\n".encode("utf-16"))

    plan = plan_of(tmp_path, {"app.py": "import flask\napp = flask.Flask('')\n"})

    assert plan.framework == "Flask"


def test_a_command_never_holds_what_no_program_can_be_started_with(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("flask==3\n")
    (tmp_path / "Procfile").write_bytes(b'web: python "a\0b"\n')

    plan = plan_of(tmp_path)

    assert plan.web is not None
    assert "\0" not in "".join(plan.web.command)
