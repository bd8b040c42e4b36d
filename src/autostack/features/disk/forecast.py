"""When the disk will be full if it goes on like this. Pure, and silent where it cannot know."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

WINDOW = timedelta(days=7)
LEAST = timedelta(days=1)
FEWEST = 6
"""Samples; with fewer one large upload would be a trend."""
FAR = 365.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    at: datetime
    total: int
    free: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """`days` is None where it does not fill, or nobody knows. `rate` is bytes a day."""

    days: float | None = None
    rate: int | None = None
    words: str


def forecast(samples: Sequence[Sample], *, free: int) -> Forecast:
    """Samples of the last days, oldest first; the slope of a line through them."""
    usable = _of_this_disk(samples)
    span = usable[-1].at - usable[0].at if usable else timedelta(0)
    if span < LEAST or len(usable) < FEWEST:
        hours = int(span / timedelta(hours=1))
        return Forecast(words=f"Too little history: {hours} hours, and a day is needed.")
    rate = _slope(usable)
    over = f"At the rate of the last {_days(span / LEAST)}"
    if rate <= 0 or free / rate > FAR:
        return Forecast(rate=int(rate), words=f"{over} it does not fill within a year.")
    days = max(0.0, free / rate)
    when = "in less than a day" if days < 1 else f"in about {_days(days)}"
    return Forecast(days=round(days, 1), rate=int(rate), words=f"{over} it is full {when}.")


def _of_this_disk(samples: Sequence[Sample]) -> Sequence[Sample]:
    """Those since its size changed last: before, it was another one."""
    for at in range(len(samples) - 1, 0, -1):
        if samples[at].total != samples[at - 1].total:
            return samples[at:]
    return samples


def _slope(samples: Sequence[Sample]) -> float:
    """Least squares of what is used, in bytes a day."""
    days = [(one.at - samples[0].at) / timedelta(days=1) for one in samples]
    used = [float(one.total - one.free) for one in samples]
    middle, level = sum(days) / len(days), sum(used) / len(used)
    spread = sum((day - middle) ** 2 for day in days)
    return sum((d - middle) * (u - level) for d, u in zip(days, used, strict=True)) / spread


def _days(count: float) -> str:
    whole = max(1, round(count))
    return "day" if whole == 1 else f"{whole} days"
