"""What a process has mapped of files leaves memory, and is there again when it is used."""

import os
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import pytest

from autostack.drivers.machine import resident
from autostack.drivers.machine.identity import Identity, identify
from autostack.entrypoints.local.slim import Slim

SIZE = 4 << 20
READER = """
import mmap, os, sys
file = os.open(sys.argv[1], os.O_RDONLY)
held = mmap.mmap(file, 0, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ)
for line in iter(sys.stdin.readline, ""):
    print(sum(held[place] for place in range(0, len(held), 4096)), flush=True)
"""


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """A file nobody else has mapped, written out: pages not yet on the disk would stay."""
    file = tmp_path / "library"
    with file.open("wb") as made:
        made.write(b"\1" * SIZE)
        made.flush()
        os.fsync(made.fileno())
    return file


class Reader:
    """A program that reads each page of the file when asked, and says their sum."""

    def __init__(self, process: subprocess.Popen[str], identity: Identity) -> None:
        self._process = process
        self.identity = identity

    def read(self) -> int:
        assert self._process.stdin
        assert self._process.stdout
        print("read", file=self._process.stdin, flush=True)
        return int(self._process.stdout.readline())


@contextmanager
def reader(library: Path) -> Generator[Reader]:
    with subprocess.Popen(
        [sys.executable, "-c", READER, str(library)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        found = identify(process.pid)
        assert found
        yield Reader(process, found)


def mapped(pid: int, file: Path) -> int:
    """Bytes of the file this process has in memory."""
    here, found = False, 0
    for line in Path(f"/proc/{pid}/smaps").read_text().splitlines():
        if "-" in line.split(maxsplit=1)[0]:
            here = line.endswith(str(file))
        elif here and line.startswith("Rss:"):
            found += int(line.split()[1]) * 1024
    return found


@pytest.mark.needs("root")
def test_pages_of_files_leave_and_come_back_when_they_are_used(library: Path) -> None:
    with reader(library) as one:
        first, before = one.read(), mapped(one.identity.pid, library)

        resident.let_go(one.identity)

        after = mapped(one.identity.pid, library)
        assert (before, after) == (SIZE, 0)
        assert one.read() == first == SIZE // 4096


@pytest.mark.needs("root")
def test_a_program_is_made_slim_once_and_again_after_its_restart(
    library: Path, tmp_path: Path
) -> None:
    note = tmp_path / "edge-0.pid"
    slim = Slim([note])
    left: list[int] = []

    for _ in range(2):
        with reader(library) as one:
            note.write_text(f"{one.identity.pid} {one.identity.started}\n")
            for _ in range(2):
                one.read()
                slim.look()
                left.append(mapped(one.identity.pid, library))

    assert left == [0, SIZE, 0, SIZE]


@pytest.mark.needs("root")
def test_a_later_process_of_the_same_number_is_left_alone(library: Path) -> None:
    with reader(library) as one:
        one.read()

        resident.let_go(Identity(one.identity.pid, "long ago"))

        assert mapped(one.identity.pid, library) == SIZE


def test_a_note_without_a_process_is_no_error(tmp_path: Path) -> None:
    note = tmp_path / "edge-0.pid"
    slim = Slim([note])

    slim.look()
    note.write_text(f"{2**22 + 1} never\n")
    slim.look()

    resident.let_go(Identity(2**22 + 1, "never"))
