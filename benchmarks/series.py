"""Figures of repeated runs, and how they compare."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """Repeated measurements of one thing, in `unit`. `goal` is the most it should be."""

    name: str
    unit: str
    values: tuple[float, ...]
    goal: float | None = None

    @property
    def middle(self) -> float:
        return median(self.values)

    def row(self, floor: "Series | None" = None) -> str:
        ratio = f"{self.middle / floor.middle:.2f}" if floor and floor.middle else ""
        goal = "" if self.goal is None else f"≤ {self.goal:g}"
        figures = " | ".join(
            f"{value:.3g}" for value in (min(self.values), self.middle, max(self.values))
        )
        return f"| {self.name} | {self.unit} | {figures} | {goal} | {ratio} |"


HEAD = "| what | unit | min | median | max | goal | × floor |\n|---|---|---|---|---|---|---|"


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Rows that belong together; a row may stand beside its floor."""

    title: str
    rows: Sequence[tuple[Series, Series | None]]

    def text(self) -> str:
        table = "\n".join([HEAD, *(series.row(floor) for series, floor in self.rows)])
        return f"## {self.title}\n\n{table}"


def alone(*series: Series) -> Sequence[tuple[Series, Series | None]]:
    return [(one, None) for one in series]
