import pytest

from autostack.engine.tally import BOUNDS, NONE, Tally


def timed(**classes: int) -> Tally:
    """Answers by the upper end of their class, in milliseconds: `timed(ms_5=10)`."""
    latency = [0] * (len(BOUNDS) + 1)
    for name, count in classes.items():
        latency[BOUNDS.index(int(name[3:]) / 1000)] = count
    return Tally(codes=(0, sum(latency), 0, 0, 0), latency=tuple(latency))


def test_what_came_since_is_the_difference_and_never_negative() -> None:
    earlier = Tally(codes=(0, 5, 0, 0, 1), gateway=1)
    now = Tally(codes=(0, 9, 0, 0, 0), gateway=0)

    since = now - earlier

    assert since.codes == (0, 4, 0, 0, 0)
    assert since.gateway == 0
    assert since + earlier == Tally(codes=(0, 9, 0, 0, 1), gateway=1)


def test_a_quantile_is_linear_inside_its_class() -> None:
    seen = timed(ms_10=50, ms_25=50)

    assert seen.quantile(0.5) == pytest.approx(0.010)
    assert seen.quantile(0.75) == pytest.approx(0.0175)
    assert seen.quantile(1.0) == pytest.approx(0.025)


def test_nothing_has_no_quantile_and_the_open_class_counts_as_its_bound() -> None:
    endless = Tally(codes=(0, 1, 0, 0, 0), latency=(*(0,) * len(BOUNDS), 1))

    assert NONE.quantile(0.95) is None
    assert endless.quantile(0.95) == BOUNDS[-1]


def test_slower_counts_whole_classes_only() -> None:
    seen = timed(ms_100=3, ms_200=2, ms_300=1)

    assert seen.slower_than(0.1) == 3
    assert seen.slower_than(0.15) == 3
    assert seen.slower_than(0.16) == 1
    assert seen.slower_than(31) == 0
