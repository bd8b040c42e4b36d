"""Which memory curves a release is taken back for."""

import math
import random
from collections.abc import Callable, Sequence

import pytest

from autostack.engine.growth import Held, Sample, by_chance, outgrows
from autostack.engine.release import MIB

LIMIT = 512 * MIB
BEFORE = 60 * MIB
SEATS = range(15, 60, 2)
"""When a watch of a minute looks, after its warm-up."""


def curve(held: Callable[[float], float], at: Sequence[float] = SEATS) -> list[Sample]:
    return [Sample(at=one, held=round(held(one) * MIB)) for one in at]


def judged(held: Callable[[float], float], *, before: int = BEFORE, limit: int = LIMIT) -> str:
    return outgrows(Held(samples=curve(held), before=before, limit=limit))


def test_a_leak_is_told_with_its_pace_and_its_end() -> None:
    said = judged(lambda at: 60 + 2 * at)

    assert said == (
        "holds 170 MB and grows by 120 MB a minute, so that it reaches its limit of 512 MB in "
        "3 min; before it held 60 MB"
    )


INNOCENT: dict[str, Callable[[float], float]] = {
    "a warm-up that ends before the watch does": lambda at: 60 + 2 * min(at, 45),
    "a cache that fills": lambda at: 60 + 200 * (1 - math.exp(-at / 12)),
    "larger than before and stays so": lambda at: 200 + 0 * at,
    "not much more yet": lambda at: 60 + at,
    "its limit is a quarter of an hour away": lambda at: 150 + 0.4 * at,
    "gives back": lambda at: 260 - 2 * at,
    "goes up and down": lambda at: 200 + 40 * math.sin(at),
}


@pytest.mark.parametrize("held", INNOCENT.values(), ids=INNOCENT)
def test_memory_that_is_large_warms_up_or_goes_up_and_down_is_not_worse(
    held: Callable[[float], float],
) -> None:
    assert judged(held) == ""


def test_without_evidence_nothing_is_worse() -> None:
    def leak(at: float) -> float:
        return 60 + 2 * at

    few = curve(leak)[:14]

    assert outgrows(Held(samples=few, before=BEFORE, limit=LIMIT)) == ""
    assert judged(leak, before=0) == ""
    assert judged(leak, limit=0) == ""


def test_the_trend_test_gives_the_tabled_value() -> None:
    """Ten values with a score of 21: p = 0.036 in Kendall's table."""
    assert by_chance([4, 3, 2, 1, 8, 7, 6, 5, 9, 10]) == pytest.approx(0.036, abs=0.001)


def test_memory_that_wanders_is_hardly_ever_taken_back() -> None:
    """Two hundred watches of an app that holds thrice what it did and drifts as it likes."""
    dice = random.Random(7)  # noqa: S311 - a repeatable trial
    worse = sum(bool(judged(_wander(dice))) for _ in range(200))

    assert worse <= 2


def _wander(dice: random.Random) -> Callable[[float], float]:
    held = {0.0: 180.0}

    def at(seconds: float) -> float:
        last = held[max(held)]
        held[seconds] = max(20.0, last + dice.gauss(0, 2))
        return held[seconds]

    return at
