"""The seam measure of the tiling law."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from safelight.engine.tiling import TilePlan

NEIGHBOURS = [d for d in range(-8, 9) if abs(d) >= 2]


def seam_measure(picture: npt.NDArray[np.floating], plan: TilePlan, scale: int = 1) -> float:
    """The worse axis of: mean |p[c] - p[c-1]| where a tile's core or overlap begins or ends, over the mean of
    the same 2 to 8 pixels away. `picture` H W C is what the plan's tiles became, `scale` times as large."""
    across = _along(np.asarray(picture, np.float64), _cuts(plan.columns, plan.tile.width, scale))
    down = _along(np.asarray(picture, np.float64).swapaxes(0, 1), _cuts(plan.rows, plan.tile.height, scale))
    return max(across, down)


def _cuts(offsets: tuple[int, ...], length: int, scale: int) -> dict[str, list[int]]:
    """Places along an axis, by kind: overlaps begin, are cut in half (cores meet), and end."""
    starts, ends = offsets[1:], [offset + length for offset in offsets[:-1]]
    middles = [(s + e) / 2 for s, e in zip(starts, ends, strict=True)]
    kinds = {"begin": starts, "middle": middles, "end": ends}
    return {kind: [round(place * scale) for place in places] for kind, places in kinds.items()}


def _along(picture: npt.NDArray[np.float64], cuts: dict[str, list[int]]) -> float:
    steps = np.abs(np.diff(picture, axis=1)).mean(axis=(0, 2))  # steps[c - 1] = mean |p[c] - p[c-1]|
    worst = 0.0
    for places in cuts.values():
        inside = [c for c in places if 9 <= c < len(steps) - 8]
        if inside:
            here = np.mean([steps[c - 1] for c in inside])
            worst = max(worst, float(here / np.mean([steps[c - 1 + d] for c in inside for d in NEIGHBOURS])))
    return worst
