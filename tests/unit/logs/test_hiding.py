"""What an app prints of its secrets is not kept: in any form, however it arrives."""

import random
from base64 import b64encode
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autostack.core.logs import hiding, reader
from autostack.core.logs.collector import Collector
from autostack.core.logs.hiding import Hiding
from autostack.core.logs.intake import Caps, Intake
from autostack.core.logs.reader import START
from autostack.core.logs.records import HEAD, LONGEST
from autostack.core.logs.redaction import Redaction
from tests.unit.logs.test_intake import records

SECRET = "s3cr3t/täg+word=="
FORMS = (
    SECRET.encode(),
    b64encode(SECRET.encode()),
    b64encode(f"user:{SECRET}".encode()),
    quote(SECRET, safe="").encode(),
)


def intake(*secrets: str) -> Intake:
    return Intake(Caps(), end=0, at=0, mark=HEAD, now=0, hiding=Redaction(secrets))


def told(blob: bytes) -> bytes:
    return b"".join(one.text + b"\n" * (one.mark == b"-") for one in records(blob))


@pytest.mark.attack("S07")
@pytest.mark.parametrize("form", FORMS)
def test_a_secret_is_not_kept_wherever_its_pieces_break(form: bytes) -> None:
    printed = b"before " + form + b" after\nnext\n"
    chance = random.Random(1)  # noqa: S311

    for _ in range(20):
        stream, place, made = intake(SECRET), 0, b""
        now = 0.0
        while place < len(printed):
            size = chance.randint(1, len(printed))
            made += stream.take(printed[place : place + size], now=now, at=0)
            now += chance.choice([0.1, 2])
            made += stream.flush(now)
            place += size
        kept = told(made).replace(b"\n", b"")
        assert b"[hidden]" in kept
        assert kept.startswith(b"before ")
        assert kept.endswith(b" afternext")
        assert form not in kept
        assert records(made)[-1].end >= len(printed) - 1, "a line feed alone is no record"


def test_half_a_secret_waits_for_the_other_half_and_costs_no_time_meanwhile() -> None:
    stream = intake(SECRET)
    stream.take(b"x " + SECRET.encode()[:7], now=0, at=0)

    shown = told(stream.flush(1))

    assert shown == b"x "
    assert stream.due() is None
    assert told(stream.take(SECRET.encode()[7:] + b"\n", now=9, at=9)) == b"[hidden]\n"


def test_half_a_secret_is_kept_when_the_app_is_at_its_end() -> None:
    stream = intake(SECRET)
    stream.take(b"x s3c", now=0, at=0)

    assert told(stream.flush(float("inf"))) == b"x s3c"


@pytest.mark.attack("S07")
@pytest.mark.parametrize("place", [0, LONGEST - 5, LONGEST, 2 * LONGEST - 3, 40_000])
def test_a_long_line_carries_no_secret_past_a_cut(place: int) -> None:
    line = b"x" * place + SECRET.encode() + b"y" * 30_000
    for ending in (b"\n", b""):
        stream = intake(SECRET)

        made = b"".join(
            stream.take((line + ending)[at : at + 5000], now=0, at=0)
            for at in range(0, len(line) + 1, 5000)
        )
        made += stream.flush(float("inf"))

        kept = told(made)
        assert SECRET.encode() not in kept
        assert b"[hidden]" in kept
        assert len(kept.rstrip(b"\n")) == len(line)
        assert records(made)[-1].end == len(line + ending)


@given(st.lists(st.text("abAB \n", max_size=30), max_size=12), st.text("abAB", min_size=6))
def test_nothing_else_is_lost_or_doubled(printed: list[str], secret: str) -> None:
    stream = intake(secret)

    made = b"".join(stream.take(text.encode(), now=0, at=0) for text in printed)
    made += stream.flush(float("inf"))

    whole = "".join(printed).encode()
    assert told(made).rstrip(b"\n") == Redaction([secret]).hide(whole).rstrip(b"\n") or (
        secret.encode() in whole.replace(b"\n", b"")
    )
    assert not made or records(made)[-1].end == len(whole)


def test_a_very_long_secret_is_hidden_whole() -> None:
    secret = "".join(random.Random(2).choices("abcdefgh", k=5000))  # noqa: S311

    hidden = Redaction([secret]).hide(f"<{secret}>".encode())

    assert hidden.startswith(b"<[hidden]")
    assert not [at for at in range(0, 4000, 50) if secret[at : at + 100].encode() in hidden]


def test_very_many_secrets_slow_their_own_app_down_and_nobody_else() -> None:
    caps = Caps(burst_seconds=0.1)
    many = Intake(
        caps, end=0, at=0, mark=HEAD, now=0, hiding=Hiding(b"%08d" % n for n in range(5000))
    )

    made = b"".join(many.take(b"line\n" * 20_000, now=0, at=0) for _ in range(4)) + many.flush(9)

    assert b"lines dropped" in made


KEY = "0b4cd9f2-65f5-4f26-a8a0-a33d0b7a8a55"


def test_the_collector_is_told_beside_the_spool_and_forgets_with_it(tmp_path: Path) -> None:
    spool, store = tmp_path / "spool", tmp_path / "store"
    spool.mkdir()
    store.mkdir()
    out = spool / f"{KEY}.out"
    hiding.write(str(out), Redaction([SECRET]))
    out.write_bytes(b"it is " + SECRET.encode() + b"\n")
    collector = Collector(str(spool), str(store), caps=Caps(), now=lambda: 1000.0)

    collector.scan()
    collector.work()

    lines = reader.forward(str(store / KEY), START, limit=9)
    assert [line.record.text for line in lines] == [b"it is [hidden]"]
    assert (spool / f"{KEY}.hide").stat().st_mode & 0o777 == 0o640
    assert SECRET.encode() not in (spool / f"{KEY}.hide").read_bytes()
    collector.tidy(lambda _: False, quiet=-(10**10))
    assert list(spool.iterdir()) == []
