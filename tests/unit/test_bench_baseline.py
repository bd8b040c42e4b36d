"""The bench fails when the platform grows."""

from pathlib import Path

from benchmarks import baseline
from benchmarks.series import Series

MEMORY = Series(name="memory", unit="MB", values=(260.0,))


def test_a_figure_more_than_five_per_cent_over_the_accepted_one_is_a_regression() -> None:
    assert baseline.regressions([MEMORY], {"memory": 247}) == ["memory: 260 MB, accepted 247"]
    assert baseline.regressions([MEMORY], {"memory": 248}) == []


def test_the_grain_of_the_clock_is_no_regression() -> None:
    cpu = Series(name="cpu", unit="% of a core", values=(0.5,))

    assert baseline.regressions([cpu], {"cpu": 0.45}) == []


def test_accepted_figures_are_the_medians_of_that_run(tmp_path: Path) -> None:
    file = tmp_path / "baseline.json"

    baseline.write([MEMORY], file)

    assert baseline.read(file) == {"memory": 260.0}
    assert baseline.read(tmp_path / "none.json") == {}
