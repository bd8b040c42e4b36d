"""Memory and CPU beside the figures that were accepted last: more than 5 % over them fails."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.series import Series

FILE = Path(__file__).with_name("baseline.json")
TOLERANCE = 1.05
SMALLEST = 0.1
"""A difference below this, in the figure's own unit, is the clock's grain and no regression."""


def regressions(found: Sequence[Series], accepted: Mapping[str, float]) -> list[str]:
    """One sentence for each figure that is worse than what was accepted."""
    return [
        f"{one.name}: {one.middle:.3g} {one.unit}, accepted {accepted[one.name]:.3g}"
        for one in found
        if one.name in accepted and _is_worse(one.middle, accepted[one.name])
    ]


def _is_worse(value: float, accepted: float) -> bool:
    return value > accepted * TOLERANCE and value - accepted > SMALLEST


def read(file: Path = FILE) -> Mapping[str, float]:
    if not file.exists():
        return {}
    found: dict[str, float] = json.loads(file.read_text())
    return found


def write(found: Sequence[Series], file: Path = FILE) -> None:
    figures = {one.name: round(one.middle, 3) for one in found}
    file.write_text(json.dumps(figures, indent=2, sort_keys=True) + "\n")
