"""No seams between tiles, even when each tile comes back in another brightness."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import numpy.typing as npt
import pytest
import torch

from safelight.engine.region_plan import plan_region
from safelight.engine.tiling import Tile, TilePlan
from safelight.geometry import Rect
from tests.engine.jobs_at_hand import photo, residual_of, restored
from tests.engine.seams import seam_measure
from tests.fakes import pipelines as fakes

SEAMS_MOST = 1.25  # the tiling law


def biased(tiles: torch.Tensor, precision: str) -> torch.Tensor:
    """Up to 9 % brighter or darker, by an accident of the tile's first pixel."""
    accident = torch.frac(tiles[:, :1, :1, :1] * 1000) - 0.5
    return tiles + 0.18 * accident


def result() -> tuple[npt.NDArray[np.float32], TilePlan]:
    pipeline = fakes.fake(biased)
    restoration = restored(photo(400, 300), pipeline)
    whole = Rect(0, 0, 400, 300)
    plan = plan_region(pipeline.spec, region=whole, sent=whole, working_scale=1).stages[0].tiles
    return restoration.network_input + residual_of(restoration), plan


def test_tiles_of_different_brightness_leave_no_seams() -> None:
    picture, plan = result()
    assert seam_measure(picture, plan) <= SEAMS_MOST


def test_the_measure_sees_seams_when_the_taper_is_switched_off(monkeypatch: pytest.MonkeyPatch) -> None:
    def hard_cut(
        plan: TilePlan, tile: Tile, scale: Fraction = Fraction(1)
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
        """Each pixel from one tile only: overlaps are cut in the middle."""
        return (
            _owned(plan.rows, plan.tile.height, tile.row),
            _owned(plan.columns, plan.tile.width, tile.column),
        )

    monkeypatch.setattr(TilePlan, "tapers", hard_cut)
    picture, plan = result()
    assert seam_measure(picture, plan) > SEAMS_MOST


def _owned(offsets: tuple[int, ...], length: int, index: int) -> npt.NDArray[np.float32]:
    cuts = [0, *((b + a + length) // 2 for a, b in itertools.pairwise(offsets)), 10**6]
    positions = np.arange(offsets[index], offsets[index] + length)
    return ((positions >= cuts[index]) & (positions < cuts[index + 1])).astype(np.float32)
