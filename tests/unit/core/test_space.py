"""How much of a disk stays free."""

import pytest

from autostack.core.space import GB, MB, end, floor, reserve, words


@pytest.mark.parametrize(
    ("total", "least"),
    [
        (GB, GB // 5),
        (8 * GB, 8 * GB // 5),
        (20 * GB, 2 * GB),
        (40 * GB, 2 * GB),
        (100 * GB, 5 * GB),
        (4000 * GB, 20 * GB),
    ],
)
def test_the_floor_follows_the_disk_within_bounds(total: int, least: int) -> None:
    assert floor(total) == least


def test_the_setting_has_the_last_word() -> None:
    assert floor(100 * GB, 300) == 300 * MB
    assert floor(100 * GB, 0) == 0


@pytest.mark.parametrize("total", [256 * MB, GB, 5 * GB, 50 * GB, 4000 * GB])
def test_the_reserve_is_less_than_what_ends_a_build_and_that_less_than_the_floor(
    total: int,
) -> None:
    assert 0 < reserve(total) < end(total) < floor(total)


def test_sizes_are_said_as_people_do() -> None:
    assert words(640 * MB) == "640 MB"
    assert words(12 * GB + 400 * MB) == "12.4 GB"
