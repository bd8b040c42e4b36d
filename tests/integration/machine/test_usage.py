"""Counting bytes with the system's `du`, and holding some back."""

import os
from pathlib import Path

from autostack.core.space import MB
from autostack.drivers.machine import usage
from autostack.drivers.machine.ballast import Ballast


async def test_files_that_two_trees_share_count_for_the_first(tmp_path: Path) -> None:
    first, second = tmp_path / "a\n", tmp_path / "b"
    for folder in (first, second):
        folder.mkdir()
    (first / "big").write_bytes(bytes(2 * MB))
    os.link(first / "big", second / "big")

    sizes = await usage.measure([first, second, tmp_path / "missing"])

    assert set(sizes) == {first, second}
    assert sizes[first] >= 2 * MB
    assert sizes[second] < MB


async def test_nothing_asked_is_nothing_measured() -> None:
    assert await usage.measure([]) == {}


def test_a_reserve_holds_real_blocks_until_it_is_given_up(tmp_path: Path) -> None:
    reserve = Ballast(tmp_path / "reserve")
    reserve.hold(2 * MB)

    assert reserve.held
    assert reserve.path.stat().st_blocks * 512 >= 2 * MB

    reserve.drop()
    reserve.drop()
    assert not reserve.held
