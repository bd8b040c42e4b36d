import os
import time
from pathlib import Path
from uuid import UUID

from autostack.core.home import Home
from autostack.drivers.sources.mirror import Mirror, used

KEY = UUID("11111111-1111-4111-8111-111111111111")
HOUR = 3600


def tree_of(mirror: Mirror, name: str, *, hours_old: float) -> Path:
    tree = mirror.tree(name)
    tree.mkdir(parents=True)
    then = time.time() - hours_old * HOUR
    os.utime(tree, (then, then))
    return tree


def names(mirror: Mirror) -> set[str]:
    return {tree.name for tree in mirror.trees.iterdir()}


def test_old_trees_go_and_the_newest_stay(tmp_path: Path) -> None:
    mirror = Mirror(Home(tmp_path), KEY)
    for age in range(10):
        tree_of(mirror, f"{age}", hours_old=24 + age)

    mirror.prune(kept=3)

    assert names(mirror) == {"0", "1", "2"}


def test_a_tree_that_a_build_may_still_read_stays(tmp_path: Path) -> None:
    mirror = Mirror(Home(tmp_path), KEY)
    for age in range(4):
        tree_of(mirror, f"{age}", hours_old=age)

    mirror.prune(kept=1)

    assert names(mirror) == {"0", "1", "2", "3"}


def test_a_tree_that_is_used_again_is_among_the_newest(tmp_path: Path) -> None:
    mirror = Mirror(Home(tmp_path), KEY)
    old = tree_of(mirror, "old", hours_old=48)
    tree_of(mirror, "newer", hours_old=24)

    assert used(old)
    mirror.prune(kept=1)

    assert names(mirror) == {"old"}


def test_pruning_what_was_never_fetched_is_fine(tmp_path: Path) -> None:
    Mirror(Home(tmp_path), KEY).prune()

    assert not used(Mirror(Home(tmp_path), KEY).tree("none"))
