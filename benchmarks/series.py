"""Figures of repeated runs, and how they compare."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Repeated measurements of one thing, in `unit`."""

    name: str
    unit: str
    values: tuple[float, ...]
    goal: float | None = None

    @property
    def middle(self) -> float:
        return median(self.values)

    def row(self, floor: "Series | None" = None) -> str:
        ratio = f"{self.middle / floor.middle:.2f}" if floor else ""
        goal = "" if self.goal is None else f"< {self.goal:g}"
        figures = " | ".join(
            f"{value:.3g}" for value in (min(self.values), self.middle, max(self.values))
        )
        return f"| {self.name} | {self.unit} | {figures} | {goal} | {ratio} |"


HEAD = "| what | unit | min | median | max | goal | × floor |\n|---|---|---|---|---|---|---|"


def table(rows: Sequence[tuple[Series, Series | None]]) -> str:
    return "\n".join([HEAD, *(series.row(floor) for series, floor in rows)])
