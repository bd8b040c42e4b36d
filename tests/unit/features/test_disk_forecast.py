"""When the disk will be full, and silence where nobody can know."""

from datetime import UTC, datetime, timedelta

import pytest

from autostack.core.space import GB
from autostack.features.disk.forecast import Sample, forecast

NOW = datetime(2026, 5, 1, tzinfo=UTC)


def history(*, days: float, per_day: int, total: int = 100 * GB) -> list[Sample]:
    """A sample an hour, the oldest with 50 GB free."""
    hours = int(days * 24)
    return [
        Sample(at=NOW + timedelta(hours=hour), total=total, free=50 * GB - per_day * hour // 24)
        for hour in range(hours + 1)
    ]


def test_a_steady_growth_tells_the_day() -> None:
    told = forecast(history(days=7, per_day=GB), free=12 * GB)

    assert told.days == pytest.approx(12)
    assert told.rate == pytest.approx(GB)
    assert told.words == "At the rate of the last 7 days it is full in about 12 days."


def test_a_few_hours_are_no_history() -> None:
    told = forecast(history(days=0.5, per_day=GB), free=12 * GB)

    assert told.days is None
    assert told.rate is None
    assert told.words == "Too little history: 12 hours, and a day is needed."


def test_no_samples_are_no_history() -> None:
    assert forecast([], free=GB).words.startswith("Too little history: 0 hours")


def test_two_samples_far_apart_are_no_trend() -> None:
    assert forecast(history(days=3, per_day=GB)[::70], free=GB).days is None


@pytest.mark.parametrize("per_day", [0, -GB, 1000])
def test_what_does_not_grow_does_not_fill(per_day: int) -> None:
    told = forecast(history(days=3, per_day=per_day), free=12 * GB)

    assert told.days is None
    assert told.words == "At the rate of the last 3 days it does not fill within a year."


def test_a_disk_that_was_made_larger_is_another_disk() -> None:
    before = history(days=5, per_day=2 * GB)
    after = [
        Sample(at=NOW + timedelta(days=6, hours=hour), total=200 * GB, free=150 * GB - hour * GB)
        for hour in range(25)
    ]

    told = forecast([*before, *after], free=48 * GB)

    assert told.days == pytest.approx(2)
    assert told.words.startswith("At the rate of the last day it is full in about 2 days")


def test_little_is_left() -> None:
    told = forecast(history(days=2, per_day=24 * GB), free=GB)

    assert told.words.endswith("it is full in less than a day.")
