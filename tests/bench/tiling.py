"""What tiling changes: compact in its own tiles against one tile, and the seam measure of the tiling law."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import torch

from safelight.engine.parts import Parts
from safelight.engine.pipelines.compact import CompactPipeline, load
from safelight.engine.pipelines.compact_spec import COMPACT
from safelight.engine.region_plan import StagePlan, plan_region
from safelight.geometry import Rect
from safelight.imaging.pixels import FloatArray
from safelight.imaging.resample import resize
from safelight.spec import StageTiling
from tests.bench.pictures import photo
from tests.bench.tables import Cell, Effort, Table, verdict
from tests.engine.jobs_at_hand import residual_of, restored
from tests.engine.seams import seam_measure

BAR_LEVELS, BAR_SEAM = 1.0, 1.25
SIDE, TINY_SIDE = 512, 96
"""The photograph itself: mirrored copies would add edges of their own."""
MANY_CUTS_TILE, TINY_TILE = 128, 64
"""Small tiles give enough cuts for the seam measure to average the picture's own edges out."""


def run(effort: Effort) -> list[Table]:
    side = TINY_SIDE if effort.tiny else SIDE
    tiling = COMPACT.stages["decode"]
    tiles = [TINY_TILE] if effort.tiny else [tiling.tile, MANY_CUTS_TILE]
    table = Table(
        f"tiling: compact fp32 on {side}x{side}, overlap {tiling.overlap} px",
        (
            "scale and tile", "tiles", "computed twice %", "largest difference, 8-bit levels", "PSNR dB",
            "seam measure", "same places untiled",
        ),
    )  # fmt: skip
    pipeline = load(torch.device("cpu"), Parts())
    for scale in COMPACT.magnifications:
        untiled = _run(pipeline, replace(tiling, tile=2 * side), scale, side)
        for tile in tiles:
            tiled = _run(pipeline, replace(tiling, tile=tile), scale, side)
            table.rows.append([f"scale {scale}, tile {tile}", *_figures(tiled, untiled)])
    worst = max(float(row[3] or 0) for row in table.rows)
    seam = max(float(row[5] or 0) for row in table.rows[len(tiles) - 1 :: len(tiles)])
    table.notes.append(
        f"bars: at most {BAR_LEVELS:g} level: {verdict(worst, BAR_LEVELS)}; seams with the small tiles at most "
        f"{BAR_SEAM:g}: {verdict(seam, BAR_SEAM)}; few cuts measure the picture, as the last column shows"
    )
    return [table]


@dataclass(frozen=True)
class _Result:
    picture: FloatArray
    """Enlarged input plus residual."""
    plan: StagePlan


def _run(pipeline: CompactPipeline, tiling: StageTiling, scale: int, side: int) -> _Result:
    pipeline.spec = replace(COMPACT, stages={"decode": replace(tiling, batch=1)})
    result = restored(photo(side, side), pipeline, output_scale=scale)
    sent = Rect(0, 0, side, side)
    plan = plan_region(pipeline.spec, region=sent, sent=sent, working_scale=float(scale))
    return _Result(resize(result.network_input, plan.box.size) + residual_of(result), plan.stages[0])


def _figures(tiled: _Result, untiled: _Result) -> list[Cell]:
    error = np.abs(tiled.picture - untiled.picture)
    decibels = 10 * math.log10(1 / max(float(np.square(error, dtype=np.float64).mean()), 1e-12))
    tiles, scale = tiled.plan.tiles, int(tiled.plan.scale)
    computed = sum(tile.box.size.area for tile in tiles.tiles) / tiles.size.area
    seams = (seam_measure(result.picture, tiles, scale) for result in (tiled, untiled))
    return [len(tiles.tiles), 100 * (computed - 1), 255 * float(error.max()), decibels, *seams]
