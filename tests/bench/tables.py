"""What a subject is asked for and gives back."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field

Cell = str | int | float | None


@dataclass(frozen=True)
class Effort:
    """How long to measure."""

    runs: int = 5
    """Paired runs; medians are over these."""
    tiny: bool = False
    """The smallest work that goes through all of a subject's code."""


@dataclass
class Table:
    """Figures with a title; the first column names the row."""

    title: str
    columns: Sequence[str]
    rows: list[list[Cell]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        cells = [list(self.columns), *([_shown(cell) for cell in row] for row in self.rows)]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        lines = ["  ".join(_aligned(row, widths)).rstrip() for row in cells]
        rule = "-" * max(map(len, lines))
        return "\n".join([self.title, rule, lines[0], rule, *lines[1:], rule, *self.notes])

    @property
    def plain(self) -> dict[str, object]:
        """For JSON."""
        rows = [dict(zip(self.columns, row, strict=True)) for row in self.rows]
        return {"title": self.title, "rows": rows, "notes": self.notes}


def best_and_median(values: Sequence[float]) -> list[Cell]:
    """Two cells: the smallest and the median."""
    return [min(values), statistics.median(values)]


def verdict(value: float, bar: float, *, at_least: bool = False) -> str:
    """Whether a figure keeps its bar."""
    kept = value >= bar if at_least else value <= bar
    return "kept" if kept else "MISSED"


def _aligned(row: list[str], widths: list[int]) -> list[str]:
    """The first column to the left, figures to the right."""
    return [row[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(row[1:], widths[1:], strict=True))]


def _shown(cell: Cell) -> str:
    if cell is None:
        return "-"
    if not isinstance(cell, float):
        return str(cell)
    return f"{cell:.0f}" if abs(cell) >= 1000 else f"{cell:.3g}" if abs(cell) < 1 else f"{cell:.2f}"
