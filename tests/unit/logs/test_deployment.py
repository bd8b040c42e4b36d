"""The log of a deployment, read on piece by piece."""

import gzip
import json
from contextlib import closing
from pathlib import Path

import pytest

from autostack.core.logs.deployment import Onward, archive_of, forward

LINES = 5000
PIECE = 20_000


def write(path: Path, texts: list[str]) -> None:
    with path.open("a", encoding="utf-8") as file:
        for text in texts:
            found = {"at": 1, "step": "build", "level": "output", "text": text}
            file.write(json.dumps(found) + "\n")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "1.log"
    write(found, [f"line {number}" for number in range(LINES)])
    return found


def rest(onward: Onward) -> list[str]:
    found = [one.text for one in onward.more(limit=PIECE)]
    while onward.unread:
        found += [one.text for one in onward.more(limit=PIECE)]
    return found


def test_all_is_read_in_pieces_and_then_what_is_new(path: Path) -> None:
    with closing(Onward(path, 0)) as onward:
        first = onward.more(limit=PIECE)
        assert onward.unread
        assert sum(len(one.text) for one in first) < PIECE
        assert [*(one.text for one in first), *rest(onward)] == [
            f"line {number}" for number in range(LINES)
        ]
        assert onward.more(limit=PIECE) == []

        write(path, ["one more"])

        assert rest(onward) == ["one more"]


def test_it_goes_on_from_a_place(path: Path) -> None:
    known = forward(path, 0, limit=100)

    with closing(Onward(path, known[-1].end)) as onward:
        assert rest(onward)[0] == "line 100"


def test_an_archive_is_unpacked_once(path: Path) -> None:
    archive_of(path).write_bytes(gzip.compress(path.read_bytes()))
    path.unlink()

    with closing(Onward(path, 0)) as onward:
        first = onward.more(limit=PIECE)
        archive_of(path).unlink()
        assert len(first) + len(rest(onward)) == LINES


def test_a_log_that_is_archived_meanwhile_is_read_to_its_end(path: Path) -> None:
    with closing(Onward(path, 0)) as onward:
        first = onward.more(limit=PIECE)
        archive_of(path).write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
        assert len(first) + len(rest(onward)) == LINES
        assert onward.more(limit=PIECE) == []


def test_no_log_is_an_empty_one(tmp_path: Path) -> None:
    with closing(Onward(tmp_path / "none.log", 0)) as onward:
        assert onward.more(limit=PIECE) == []
        assert not onward.unread
