from pathlib import Path

import pytest

from benchmarks import front
from benchmarks.series import Section, Series, alone

IDLE = Section(title="Idle", rows=alone(Series(name="memory", unit="MB", values=(1.0, 2.0, 3.0))))


def test_figures_stand_between_the_marks_of_the_page() -> None:
    page = f"before\n{front.BEGIN}old\n{front.END}\nafter\n"

    made = front.put(page, [IDLE], head="One machine.")

    assert made.startswith("before\n")
    assert made.endswith(f"{front.END}\nafter\n")
    assert "| memory | MB | 1 | 2 | 3 |" in made
    assert "old" not in made
    assert front.put(made, [IDLE], head="One machine.") == made


def test_a_page_without_marks_is_not_touched() -> None:
    with pytest.raises(ValueError, match="figures"):
        front.put("no marks", [IDLE], head="")


def test_the_front_page_has_its_marks() -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text()

    assert front.BEGIN in readme
    assert front.END in readme
