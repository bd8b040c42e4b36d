"""From bytes to records: lines, pieces, caps."""

import random

from autostack.core.logs.intake import MB, Caps, Intake
from autostack.core.logs.records import HEAD, LINE, LONGEST, NOTE, PIECE, Record, cut, decode

CAPS = Caps()


def intake(caps: Caps = CAPS, *, mark: bytes = HEAD) -> Intake:
    return Intake(caps, end=0, at=0, mark=mark, now=0)


def records(blob: bytes) -> list[Record]:
    found = [decode(line) for line in blob.split(b"\n")[:-1]]
    assert all(found)
    return [one for one in found if one is not None]


def test_a_line_is_kept_with_the_offset_behind_it() -> None:
    made = intake().take(b"hello\nworld\n", now=0, at=7)

    assert records(made) == [Record(6, 7, LINE, b"hello"), Record(12, 7, LINE, b"world")]


def test_lines_do_not_depend_on_how_the_bytes_arrived() -> None:
    printed = b"one\n\ntwo three\r\n\xff\x00 garbage\n" + b"x" * 5000 + b"\n" + "ünï\n".encode()
    whole = intake().take(printed, now=0, at=0)
    chance = random.Random(1)  # noqa: S311

    for _ in range(50):
        pieces, place, torn = intake(), 0, b""
        while place < len(printed):
            size = chance.randint(1, 40)
            torn += pieces.take(printed[place : place + size], now=0, at=0)
            place += size
        assert torn == whole


def test_an_unfinished_line_is_shown_after_a_second_and_ends_without_an_empty_line() -> None:
    prompt = intake()
    assert prompt.take(b"Password: ", now=0, at=0) == b""
    assert prompt.flush(0.5) == b""

    shown = records(prompt.flush(1))
    after = records(prompt.take(b"\nnext\n", now=2, at=2))

    assert [(one.mark, one.text) for one in shown] == [(PIECE, b"Password: ")]
    assert [(one.mark, one.text, one.end) for one in after] == [(LINE, b"next", 16)]


def test_a_reader_that_died_behind_a_piece_does_not_invent_an_empty_line() -> None:
    resumed = intake(mark=PIECE)

    assert [one.text for one in records(resumed.take(b"\nnext\n", now=0, at=0))] == [b"next"]


def test_a_line_without_end_is_kept_in_pieces_that_lose_nothing() -> None:
    printed = "ä".encode() * 40_000
    long = intake()

    made = b"".join(
        long.take(printed[place : place + 999], now=0, at=0)
        for place in range(0, len(printed), 999)
    )
    made += long.take(b"\n", now=0, at=0)

    found = records(made)
    assert b"".join(one.text for one in found) == printed
    assert max(len(one.text) for one in found) <= LONGEST
    assert all(one.text.decode() for one in found)
    assert found[-1].end == len(printed) + 1


def test_pieces_never_tear_a_character() -> None:
    assert all(piece.decode() for piece in cut("€".encode() * 10, 4))


def test_stamps_never_go_back_when_the_clock_does() -> None:
    stream = intake()

    made = stream.take(b"a\n", now=0, at=1000) + stream.take(b"b\n", now=0, at=900)

    assert [one.at for one in records(made)] == [1000, 1000]


def test_below_the_rate_nothing_is_dropped() -> None:
    stream = intake()
    line = b"x" * 127 + b"\n"
    kept = 0

    for tick in range(100):  # 9.8 MB a second
        made = stream.take(line * 8_000, now=tick * 0.1, at=0)
        kept += len(records(made))
        stream.caught_up()

    assert kept == 800_000


def test_a_flood_is_dropped_and_says_how_much() -> None:
    stream = intake()
    line = b"x" * 999 + b"\n"
    found: list[Record] = []
    printed = 0

    for tick in range(100):  # 50 MB a second, for ten seconds
        found += records(stream.take(line * 5000, now=tick * 0.1, at=0))
        printed += 5000
    found += records(stream.flush(100))

    notes = [one for one in found if one.mark == NOTE]
    kept = len(found) - len(notes)
    dropped = sum(int(one.text.split()[1]) for one in notes)
    assert kept + dropped == printed
    assert 80 <= kept * 1000 / MB <= 130
    assert len(notes) <= 25


def test_a_flood_of_empty_lines_is_bounded_too() -> None:
    stream = intake()

    kept = sum(
        len(records(stream.take(b"\n" * 100_000, now=tick * 0.1, at=0))) for tick in range(50)
    )

    assert kept <= CAPS.lines_rate * (CAPS.burst_seconds + 5) + 50


def test_what_was_printed_while_nobody_read_is_kept_however_much() -> None:
    stream = intake()
    stream.free_until = 200 * MB
    line = b"x" * 1023 + b"\n"

    kept = sum(len(records(stream.take(line * 1024, now=0, at=0))) for _ in range(200))

    assert kept == 200 * 1024


def test_after_a_flood_the_stream_is_heard_again() -> None:
    stream = intake()
    stream.take(b"x\n" * 10 * MB, now=0, at=0)
    stream.caught_up()

    made = records(stream.take(b"calm\n", now=1, at=0))

    assert made[0].mark == NOTE
    assert made[-1].text == b"calm"


def test_the_last_words_of_a_flood_are_kept() -> None:
    stream = intake()
    printed = b"".join(b"line %d\n" % number for number in range(3_000_000))

    for place in range(0, len(printed), MB):
        stream.take(printed[place : place + MB], now=0, at=0)
    stream.take(b"Killed: out of memory\n", now=0.1, at=0)
    made = records(stream.flush(10))

    assert made[0].mark == NOTE
    assert made[-1] == Record(stream.read_to, 0, LINE, b"Killed: out of memory")
    assert stream.flush(20) == b""
