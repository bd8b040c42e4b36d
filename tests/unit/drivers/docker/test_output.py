"""Bringing the engine's files over, with files written as the engine writes them."""

import json
from pathlib import Path

import pytest

from autostack.drivers.runtimes import docker_output


class Log:
    """The engine's side: one container's files, and our side of it."""

    def __init__(self, root: Path) -> None:
        self.file = root / "x-json.log"
        self.room = root / "room"
        self.room.mkdir()
        self.spool = root / "spool" / "x.out"
        self.file.touch()

    def says(self, *lines: str) -> None:
        with self.file.open("a") as file:
            for line in lines:
                file.write(json.dumps({"log": line, "stream": "stdout", "time": "t"}) + "\n")

    def rotate(self) -> None:
        for number in (3, 2, 1):
            old = self.file.with_name(f"x-json.log.{number}")
            if old.exists():
                old.rename(self.file.with_name(f"x-json.log.{number + 1}"))
        self.file.rename(self.file.with_name("x-json.log.1"))
        self.file.touch()

    def bring(self) -> str:
        docker_output.bring(self.file, self.spool, self.room)
        return self.spool.read_text()


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return Log(tmp_path)


def test_what_was_printed_arrives_once(log: Log) -> None:
    log.says("a\n", "b\n")
    log.bring()
    log.says("c\n")

    assert log.bring() == "a\nb\nc\n"
    assert log.bring() == "a\nb\nc\n"
    assert not docker_output.behind(log.file, log.room)


def test_a_line_that_is_still_being_written_waits(log: Log) -> None:
    with log.file.open("a") as file:
        file.write('{"log":"half')
    assert log.bring() == ""

    with log.file.open("a") as file:
        file.write('\\n"}\n')

    assert log.bring() == "half\n"


def test_files_that_were_put_behind_each_other_are_read_in_order(log: Log) -> None:
    log.says("a\n")
    log.bring()
    log.says("b\n")
    log.rotate()
    log.says("c\n")
    log.rotate()
    log.says("d\n")

    assert log.bring() == "a\nb\nc\nd\n"


def test_a_file_that_is_gone_costs_its_lines_and_no_others(log: Log) -> None:
    log.says("a\n")
    log.bring()
    log.rotate()
    log.says("b\n")
    log.file.with_name("x-json.log.1").unlink()

    assert log.bring() == "a\nb\n"


def test_what_reached_the_spool_before_a_crash_is_not_doubled(log: Log) -> None:
    log.says("a\n")
    log.bring()
    log.says("b\n", "c\n")
    with log.spool.open("a") as spool:
        spool.write("b\n")  # and then it died, before it could note it

    assert log.bring() == "a\nb\nc\n"


def test_what_the_spool_held_before_stays(log: Log) -> None:
    log.spool.parent.mkdir()
    log.spool.write_text("before\n")
    log.says("a\n")

    assert log.bring() == "before\na\n"


def test_a_spool_is_never_written_through_a_link(log: Log, tmp_path: Path) -> None:
    log.spool.parent.mkdir()
    log.spool.symlink_to(tmp_path / "elsewhere")
    log.says("a\n")

    with pytest.raises(OSError, match="symbolic"):
        log.bring()
