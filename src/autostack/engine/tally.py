"""What visitors got: counts of answers and how long they took."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Self

BOUNDS = (
    0.005,
    0.01,
    0.025,
    0.05,
    0.075,
    0.1,
    0.15,
    0.2,
    0.3,
    0.5,
    0.75,
    1.0,
    2.0,
    5.0,
    10.0,
    30.0,
)
"""Upper ends of the classes of latency, in seconds; one more class is open at the top."""

_CODES = (0,) * 5
_CLASSES = (0,) * (len(BOUNDS) + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Answers the edge has given. `codes` counts 1xx to 5xx; `gateway` are those among the 5xx
    that mean nobody answered (502, 503, 504). `latency` counts by the classes of `BOUNDS`; what
    stays open by design (WebSocket, server-sent events) is not among it.
    """

    codes: tuple[int, ...] = _CODES
    gateway: int = 0
    latency: tuple[int, ...] = _CLASSES

    @property
    def requests(self) -> int:
        return sum(self.codes)

    @property
    def errors(self) -> int:
        """Every answer of 500 and above."""
        return self.codes[4]

    def __add__(self, other: Self) -> "Tally":
        return Tally(
            codes=tuple(a + b for a, b in zip(self.codes, other.codes, strict=True)),
            gateway=self.gateway + other.gateway,
            latency=tuple(a + b for a, b in zip(self.latency, other.latency, strict=True)),
        )

    def __sub__(self, earlier: Self) -> "Tally":
        """What came since; never below zero."""
        return Tally(
            codes=_less(self.codes, earlier.codes),
            gateway=max(0, self.gateway - earlier.gateway),
            latency=_less(self.latency, earlier.latency),
        )

    def quantile(self, share: float) -> float | None:
        """Seconds within which that share was answered; None without answers.

        Linear inside a class, as Prometheus' histogram_quantile does; what lies above the last
        bound counts as that bound.
        """
        total = sum(self.latency)
        if not total:
            return None
        wanted = share * total
        sums = list(accumulate(self.latency))
        place = next(i for i, reached in enumerate(sums) if reached >= wanted)
        if place == len(BOUNDS):
            return BOUNDS[-1]
        low = BOUNDS[place - 1] if place else 0.0
        below = sums[place - 1] if place else 0
        inside = (wanted - below) / max(1, self.latency[place])
        return low + (BOUNDS[place] - low) * inside

    def slower_than(self, seconds: float) -> int:
        """How many certainly took longer: those in the classes above `bound(seconds)`."""
        above = bound(seconds)
        return sum(self.latency[BOUNDS.index(above) + 1 :]) if above in BOUNDS else 0


NONE = Tally()


def bound(seconds: float) -> float:
    """The end of the class that holds it; infinite above the last one."""
    return next((one for one in BOUNDS if one >= seconds), float("inf"))


def total(tallies: Sequence[Tally]) -> Tally:
    return sum(tallies, NONE)


def _less(now: Sequence[int], earlier: Sequence[int]) -> tuple[int, ...]:
    return tuple(max(0, a - b) for a, b in zip(now, earlier, strict=True))
