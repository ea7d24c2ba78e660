"""Which tiles a masked job has to decode: those whose pixels can reach a sample that the mask restores."""

from __future__ import annotations

from safelight.engine.bands import HALO_PX
from safelight.engine.region_plan import RegionPlan, StagePlan, covered_document
from safelight.engine.request import RestoreRequest
from safelight.engine.tiling import Tile

REACH_PX = 2 * HALO_PX + 16
"""Document pixels that a residual may travel in the finish: the band filter twice, and Lanczos down by four."""


def needed_tiles(request: RestoreRequest, plan: RegionPlan, stage: StagePlan) -> tuple[Tile, ...]:
    """Tiles of the stage `decode` in plan order; all of them without a mask, for a layer (painting its mask
    reveals more), and with grain (measured around what is restored)."""
    tiles = stage.tiles.tiles
    if request.mask is None or request.layer or request.settings.grain > 0:
        return tiles
    return tuple(tile for tile in tiles if _touched(request, plan, stage, tile)) or tiles[:1]


def _touched(request: RestoreRequest, plan: RegionPlan, stage: StagePlan, tile: Tile) -> bool:
    assert request.mask is not None
    box = stage.tiles.output_box(tile, stage.scale).shifted(plan.box.x, plan.box.y)
    reached = covered_document(box, plan.working_scale).grown(REACH_PX).intersect(request.region)
    return bool(request.mask[reached.shifted(-request.region.x, -request.region.y).slices].any())
