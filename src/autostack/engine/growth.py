"""Does a new release eat up its memory? A pure rule on what its instances held in the watch.

Asked once, at the end of a watch. The test for a trend is Mann and Kendall's, one-sided. What an
instance holds now depends on what it held before, so the trend alone proves little; the other
conditions ask for a difference that ends badly.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import median

from autostack.engine.release import MIB

ALPHA = 1e-4
LEAST_SAMPLES = 15
TIMES = 2.0
MORE = 64 * MIB
"""It holds twice what the release before holds, and so much more."""
GAINED = 32 * MIB
"""And so much more than after its warm-up: what merely wanders does not get that far."""
HORIZON = 600.0
"""Seconds within which it would reach its limit, as fast as it has grown lately."""
LASTING = 0.5
"""How fast it grows in the last third, of how fast it grows over all: what warms up slows down."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What one instance held, at seconds of any clock that only grows; bytes."""

    at: float
    held: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """One instance since its warm-up; `before` is what one of the release before holds at most,
    `limit` what it may use, both in bytes, 0 where that is not known.
    """

    samples: Sequence[Sample]
    before: int
    limit: int


def outgrows(seen: Held) -> str:
    """What is worse, in words; nothing when it is not."""
    if len(seen.samples) < LEAST_SAMPLES or not seen.before or not seen.limit:
        return ""
    third = seen.samples[-(len(seen.samples) // 3) :]
    now, pace = round(median(one.held for one in third[-5:])), _pace(third)
    if now < max(TIMES * seen.before, seen.before + MORE, seen.samples[0].held + GAINED):
        return ""
    if pace <= 0 or pace < LASTING * _pace(seen.samples):
        return ""
    left = (seen.limit - now) / pace
    if left > HORIZON or by_chance([one.held for one in seen.samples]) >= ALPHA:
        return ""
    return (
        f"holds {now // MIB} MB and grows by {pace * 60 / MIB:.0f} MB a minute, so that it reaches "
        f"its limit of {seen.limit // MIB} MB in {_duration(left)}; before it held "
        f"{seen.before // MIB} MB"
    )


def _pace(samples: Sequence[Sample]) -> float:
    """Bytes a second: Theil and Sen's slope, the median of those between any two."""
    slopes = [
        (later.held - earlier.held) / (later.at - earlier.at)
        for earlier, later in combinations(samples, 2)
        if later.at > earlier.at
    ]
    return median(slopes) if slopes else 0.0


def _duration(seconds: float) -> str:
    whole = max(1, round(seconds))
    return f"{whole} s" if whole < 2 * 60 else f"{round(whole / 60)} min"


def by_chance(values: Sequence[float]) -> float:
    """How probable so steady a rise or a steadier one is where there is no trend, by the normal
    approximation, which is good from ten values on. Ties make it larger.
    """
    count = len(values)
    score = sum((b > a) - (b < a) for a, b in combinations(values, 2))
    deviation = math.sqrt(count * (count - 1) * (2 * count + 5) / 18)
    return 0.5 * math.erfc((score - 1) / deviation / math.sqrt(2)) if deviation else 1.0
