"""The log of a deployment: whole lines, hidden secrets, and no content it stumbles over."""

import asyncio
import json
import os
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from autostack.core.logs import deployment, sink
from autostack.core.logs.deployment import Entry
from autostack.core.logs.records import LONGEST
from autostack.core.logs.redaction import Redaction
from autostack.core.logs.retention import KeepDeployments, enforce_deployments
from autostack.core.logs.sink import FileSink
from autostack.engine.ports import LogSink
from autostack.engine.release import Step

SECRET = "hunter2-is/not+a=password"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deployments" / "one.jsonl"


def entries(path: Path) -> list[Entry]:
    return deployment.forward(path, 0, limit=10**6)


def texts(path: Path) -> list[str]:
    return [entry.text for entry in entries(path)]


def test_what_is_said_and_what_is_printed_is_kept_in_order(path: Path) -> None:
    log: LogSink = FileSink(path)

    log.say("Building", step=Step.BUILD)
    log.output(b"Collecting fl", step=Step.BUILD)
    log.output(b"ask\nDone\n", step=Step.BUILD)
    log.say("It failed", step=Step.CHECK, level="error")

    assert [(entry.step, entry.level, entry.text) for entry in entries(path)] == [
        ("build", "info", "Building"),
        ("build", "output", "Collecting flask"),
        ("build", "output", "Done"),
        ("check", "error", "It failed"),
    ]


@pytest.mark.attack("S07")
def test_a_secret_is_hidden_wherever_the_pieces_break(path: Path) -> None:
    printed = f"token={SECRET}!\nurl https://u:{quote(SECRET, safe='')}@x/\n".encode()
    for size in range(1, len(printed)):
        path.unlink(missing_ok=True)
        log = FileSink(path, secrets=[SECRET])
        for place in range(0, len(printed), size):
            log.output(printed[place : place + size], step=Step.BUILD)
        log.close()

        assert texts(path) == ["token=[hidden]!", "url https://u:[hidden]@x/"]


@pytest.mark.attack("S07")
@pytest.mark.parametrize("before", ["", "u:", "us:", "usr:", "user:"])
def test_a_secret_inside_base64_is_hidden_at_any_alignment(before: str) -> None:
    coded = b64encode(f"{before}{SECRET} and more".encode())

    hidden = Redaction([SECRET]).hide(coded)

    core = b64encode(SECRET.encode())[4:20]
    assert b"[hidden]" in hidden
    assert core not in hidden
    assert len(hidden) < len(coded)


def test_a_long_line_cannot_carry_a_secret_past_the_cut(path: Path) -> None:
    log = FileSink(path, secrets=[SECRET])
    for before in range(LONGEST - 40, LONGEST + 5):
        log.output(b"x" * before + SECRET.encode() + b"y" * 40 + b"\n", step=Step.BUILD)
        for byte in b"x" * before + SECRET.encode() + b"y" * LONGEST:
            log.output(bytes([byte]), step=Step.BUILD) if before % 16 == 0 else None
    log.close()

    everything = "".join(texts(path))
    assert SECRET not in everything
    assert SECRET[8:] not in everything
    assert max(map(len, texts(path))) <= LONGEST


@pytest.mark.attack("S07")
def test_each_line_of_a_secret_of_several_lines_is_hidden(path: Path) -> None:
    key = "-----BEGIN KEY-----\nMIIabcdefghijk\nlmnopqrstuvwxy\n-----END KEY-----\n"
    log = FileSink(path, secrets=[key])

    log.output(b"  MIIabcdefghijk\n", step=Step.BUILD)
    log.say(f"key is\n{key}", step=Step.BUILD)

    assert "MIIabc" not in path.read_text()
    assert "lmnopq" not in path.read_text()


def test_ordinary_words_are_no_secrets() -> None:
    line = b"NODE_ENV=production PORT=8080 debug=true"

    assert Redaction(["production", "8080", "true", ""]).hide(line) == line


def test_any_content_is_taken(path: Path) -> None:
    log = FileSink(path)

    log.say("surrogate \ud800 and nul \0", step=Step.PLAN)
    log.output(bytes(range(256)) + b"\n", step=Step.BUILD)
    log.output(b"10%\r50%\r100%\r\n", step=Step.BUILD)

    found = texts(path)
    json.dumps(found, ensure_ascii=False).encode()
    assert found[0] == "surrogate ? and nul \0"
    assert found[-1] == "100%"


async def test_the_beginning_of_a_line_is_shown_when_its_end_does_not_come(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sink, "PATIENCE", 0.02)
    log = FileSink(path, secrets=[SECRET])

    log.output(f"Downloading {SECRET[:9]}".encode(), step=Step.BUILD)
    await asyncio.sleep(0.1)
    shown = texts(path)
    log.output(f"{SECRET[9:]} done\n".encode(), step=Step.BUILD)

    assert shown == ["Downloading "]
    assert texts(path) == ["Downloading ", "[hidden] done"]


def failing(times: list[bool], *, short: bool) -> Callable[[int, Any], int]:
    real = os.write

    def write(fd: int, data: bytes) -> int:
        if not times or not times.pop(0):
            return real(fd, data)
        if short:
            return real(fd, data[:10])
        raise OSError(28, "No space left on device")

    return write


@pytest.mark.parametrize("short", [False, True])
def test_a_full_disk_is_survived_and_told(
    path: Path, monkeypatch: pytest.MonkeyPatch, *, short: bool
) -> None:
    log = FileSink(path)
    log.say("one", step=Step.BUILD)
    monkeypatch.setattr(os, "write", failing([True, True, True], short=short))

    for text in ("two", "three", "four", "five"):
        log.say(text, step=Step.BUILD)

    assert texts(path) == ["one", "… 3 lines lost: the disk was full", "five"]


def test_a_log_without_end_is_cut_and_says_so_once(path: Path) -> None:
    log = FileSink(path, largest=1000)

    for number in range(100):
        log.say(f"line {number}", step=Step.BUILD)

    assert texts(path).count("… the log ends here: it is over 0 MB") == 1
    assert path.stat().st_size < 1200


def test_behind_the_end_of_a_log_only_the_platform_is_heard(path: Path) -> None:
    log = FileSink(path, largest=1000)
    log.output(b"first\n", step=Step.BUILD)
    log.output(b"much\n" * 100, step=Step.BUILD)

    log.output(b"more\n", step=Step.BUILD)
    log.output(b"no end", step=Step.BUILD)
    log.say("It failed.", step=Step.BUILD)
    log.close()

    assert texts(path) == ["first", "… the log ends here: it is over 0 MB", "It failed."]


def test_the_next_worker_goes_on_behind_a_line_that_was_torn(path: Path) -> None:
    FileSink(path).say("one", step=Step.BUILD)
    with path.open("ab") as file:
        file.write(b'{"at": 1, "st')

    FileSink(path).say("two", step=Step.BUILD)

    assert texts(path) == ["one", "two"]


def test_pages_of_a_deployment_meet_without_gap_or_double(path: Path) -> None:
    log = FileSink(path)
    for number in range(2000):
        log.say(f"line {number} {'x' * (number % 300)}", step=Step.BUILD)
    every = entries(path)

    ahead: list[Entry] = []
    while page := deployment.forward(path, ahead[-1].end if ahead else 0, limit=99):
        ahead += page

    assert ahead == every
    assert deployment.tail(path, limit=50) == every[-50:]
    assert deployment.tail(path, limit=50, before=every[999].end) == every[950:1000]


def test_a_deployment_without_log_reads_as_empty(path: Path) -> None:
    assert entries(path) == []
    assert deployment.tail(path, limit=10) == []


def test_a_quiet_log_is_compressed_and_its_places_stay_true(path: Path) -> None:
    log = FileSink(path)
    for number in range(500):
        log.say(f"line {number}", step=Step.BUILD)
    log.close()
    every = entries(path)
    later = path.stat().st_mtime + 8 * 86_400

    enforce_deployments(str(path.parent), KeepDeployments(), now=later)

    assert not path.exists()
    assert entries(path) == every
    assert deployment.forward(path, every[99].end, limit=1) == [every[100]]
    assert deployment.tail(path, limit=3) == every[-3:]


def test_old_logs_go_and_of_too_much_the_oldest(path: Path) -> None:
    path.parent.mkdir()
    for name, age in (("new", 1), ("middle", 2), ("old", 3), ("ancient", 300)):
        file = path.with_name(f"{name}.jsonl")
        file.write_bytes(b"x" * 100)
        os.utime(file, (1e9 - age * 86_400, 1e9 - age * 86_400))

    enforce_deployments(str(path.parent), KeepDeployments(total_bytes=250), now=1e9)

    assert {file.stem for file in path.parent.iterdir()} == {"new", "middle"}
