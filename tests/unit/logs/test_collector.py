"""Spools become segments: exactly once, whatever happens in between."""

import os
from pathlib import Path

import pytest

from autostack.core.logs import reader
from autostack.core.logs.collector import Collector
from autostack.core.logs.intake import Caps
from autostack.core.logs.reader import START
from autostack.core.logs.retention import Keep, Kept, enforce, surplus

KEY = "0b4cd9f2-65f5-4f26-a8a0-a33d0b7a8a55"


class Bench:
    """A spool, a store, and a time that is moved by hand."""

    def __init__(self, root: Path) -> None:
        self.spool, self.store = root / "spool", root / "store"
        self.spool.mkdir()
        self.store.mkdir()
        self.out = self.spool / f"{KEY}.out"
        self.now = 1_000.0

    def collector(self, caps: Caps | None = None) -> Collector:
        made = Collector(
            str(self.spool), str(self.store), caps=caps or Caps(), now=lambda: self.now
        )
        made.scan()
        return made

    def write(self, data: bytes) -> None:
        with self.out.open("ab") as file:
            file.write(data)

    def run(self, collector: Collector) -> None:
        collector.scan()
        while collector.wait(1e9) == 0:
            collector.work()

    @property
    def folder(self) -> str:
        return str(self.store / KEY)

    def texts(self) -> list[bytes]:
        return [line.record.text for line in reader.forward(self.folder, START, limit=10**9)]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def numbered(begin: int, end: int) -> bytes:
    return b"".join(b"line %d\n" % number for number in range(begin, end))


def test_a_new_collector_goes_on_exactly_where_the_old_one_was_killed(bench: Bench) -> None:
    small = Caps(roll_at=1000)
    for turn in range(20):
        bench.write(numbered(turn * 50, turn * 50 + 50) + b"torn")
        bench.run(bench.collector(small))
        bench.out.write_bytes(bench.out.read_bytes().removesuffix(b"torn"))

    assert bench.texts() == numbered(0, 1000).split(b"\n")[:-1]


def test_a_record_torn_by_a_kill_is_written_again_whole(bench: Bench) -> None:
    bench.write(numbered(0, 10))
    bench.run(bench.collector())
    kept = Path(bench.folder) / "1.seg"

    for size in range(kept.stat().st_size, 40, -7):
        os.truncate(kept, size)
        bench.run(bench.collector())
        assert bench.texts() == numbered(0, 10).split(b"\n")[:-1]


def test_closed_segments_are_compressed_and_read_like_the_others(bench: Bench) -> None:
    collector = bench.collector(Caps(roll_at=2000))
    for turn in range(30):
        bench.write(numbered(turn * 20, turn * 20 + 20))
        bench.run(collector)

    endings = [path.name.partition(".")[2] for path in Path(bench.folder).iterdir()]
    assert endings.count("seg") == 1
    assert endings.count("seg.gz") >= 3
    assert bench.texts() == numbered(0, 600).split(b"\n")[:-1]


def test_a_place_stays_true_when_its_segment_is_compressed(bench: Bench) -> None:
    collector = bench.collector(Caps(roll_at=2000))
    bench.write(numbered(0, 60))
    bench.run(collector)
    places = [line.place for line in reader.forward(bench.folder, START, limit=40)]
    bench.write(numbered(60, 400))
    bench.run(collector)
    bench.write(numbered(400, 401))
    bench.run(collector)

    after = reader.forward(bench.folder, places[-1], limit=1)
    before = reader.backward(bench.folder, places[-1], limit=2)

    assert not (Path(bench.folder) / "1.seg").exists()
    assert [one.record.text for one in after] == [b"line 40"]
    assert [one.record.text for one in before] == [b"line 38", b"line 39"]


def test_pages_backward_and_forward_meet_without_gap_or_double(bench: Bench) -> None:
    collector = bench.collector(Caps(roll_at=1500))
    for turn in range(10):
        bench.write(numbered(turn * 30, turn * 30 + 30))
        bench.run(collector)
    every = bench.texts()

    back: list[bytes] = []
    place = None
    while page := reader.backward(bench.folder, place, limit=17 if place is None else 18):
        fresh = page if place is None else page[:-1]
        if not fresh:
            break
        back = [one.record.text for one in fresh] + back
        place = fresh[0].place

    assert back == every


def test_reading_begins_at_a_time(bench: Bench) -> None:
    collector = bench.collector(Caps(roll_at=400))
    for turn in range(20):
        bench.now = 1_000.0 + turn
        bench.write(numbered(turn * 10, turn * 10 + 10))
        bench.run(collector)

    place = reader.since(bench.folder, 1_013_000)

    assert reader.forward(bench.folder, place, limit=1)[0].record.text == b"line 130"


def test_a_spool_cut_to_nothing_is_read_from_its_start(bench: Bench) -> None:
    collector = bench.collector()
    bench.write(numbered(0, 100))
    bench.run(collector)
    os.truncate(bench.out, 0)
    bench.write(b"anew\n")

    bench.run(collector)
    bench.run(bench.collector())

    assert bench.texts()[-2:] == [b"line 99", b"anew"]


def test_a_spool_that_is_another_file_is_read_from_its_start(bench: Bench) -> None:
    bench.write(b"first life\n")
    bench.run(bench.collector())
    held = bench.out.rename(bench.spool / "held")
    bench.write(b"second life, longer than the first\n")

    bench.run(bench.collector())

    assert held.exists()
    assert bench.texts() == [b"first life", b"second life, longer than the first"]


def test_a_full_disk_loses_nothing(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    collector = bench.collector()
    bench.write(numbered(0, 10))
    real = os.write
    written = 0

    def full(fd: int, data: bytes) -> int:
        nonlocal written
        if written > 60:
            raise OSError(28, "No space left on device")
        done = real(fd, bytes(data)[:50])
        written += done
        return done

    monkeypatch.setattr(os, "write", full)
    collector.scan()
    collector.work()
    monkeypatch.setattr(os, "write", real)
    bench.now += 2
    bench.run(collector)

    assert bench.texts() == numbered(0, 10).split(b"\n")[:-1]


def test_what_was_read_no_longer_takes_disk_space(bench: Bench) -> None:
    collector = bench.collector()
    bench.write(b"x" * 1023 + b"\n")
    bench.run(collector)
    bench.now += 10
    for turn in range(10):
        bench.now += 1
        bench.write((b"y%6d" % turn + b"x" * 1016 + b"\n") * 1024)
        bench.run(collector)

    seen = bench.out.stat()
    assert seen.st_size > 10 * 1024 * 1024
    assert seen.st_blocks * 512 < 5 * 1024 * 1024
    bench.run(bench.collector())
    assert len(bench.texts()) == 1 + 10 * 1024


def test_a_lost_store_does_not_bring_back_a_gigabyte_of_nothing(bench: Bench) -> None:
    with bench.out.open("wb") as file:
        file.truncate(1 << 30)
        file.seek(1 << 30)
        file.write(b"here\n")

    bench.run(bench.collector())

    assert bench.texts() == [b"here"]


def test_the_spool_of_an_instance_that_is_gone_is_removed_when_it_was_read(bench: Bench) -> None:
    collector = bench.collector()
    bench.write(b"last words")
    bench.now = bench.out.stat().st_mtime + 1000

    collector.tidy(lambda _: True, quiet=600)
    assert bench.out.exists()
    collector.tidy(lambda _: False, quiet=2000)
    assert bench.out.exists()
    collector.tidy(lambda _: False, quiet=600)

    assert not bench.out.exists()
    assert bench.texts() == [b"last words"]


def test_names_that_are_no_instance_are_left_alone(bench: Bench, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("do not read\n")
    (bench.spool / "notes.txt").write_text("hello\n")
    bench.out.symlink_to(secret)

    collector = bench.collector()
    collector.scan()
    collector.work()

    assert bench.texts() == []


def file(stream: str, number: int, *, size: int, age: float, last: bool = False) -> Kept:
    return Kept(f"{stream}/{number}", stream, number, size, 1000 - age, last)


def test_too_old_too_many_and_too_much_goes_oldest_first() -> None:
    kept = [
        file("a", 1, size=10, age=900),
        file("a", 2, size=10, age=300),
        file("a", 3, size=10, age=200),
        file("a", 4, size=10, age=100, last=True),
        file("b", 1, size=10, age=250),
        file("b", 2, size=10, age=250, last=True),
    ]

    gone = surplus(kept, Keep(seconds=500, stream_segments=2, total_bytes=30), now=1000)

    assert [(one.stream, one.number) for one in gone] == [("a", 1), ("a", 2), ("b", 1)]


def test_a_stream_in_use_keeps_the_file_that_says_where_to_read_on(bench: Bench) -> None:
    bench.write(b"old\n")
    bench.run(bench.collector())
    keep = Keep(seconds=0)
    later = bench.now + 1e10

    enforce(str(bench.store), keep, now=later, in_use=frozenset({KEY}))
    assert bench.texts() == [b"old"]
    enforce(str(bench.store), keep, now=later, in_use=frozenset())

    assert not Path(bench.folder).exists()
