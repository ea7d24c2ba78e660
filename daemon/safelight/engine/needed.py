"""Which tiles a job has to compute: those that can reach a sample of what is wanted, and upstream those that feed
them. Numpy only."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from safelight.engine.bands import HALO_PX
from safelight.engine.region_plan import RegionPlan, StagePlan, covered_document
from safelight.engine.request import RestoreRequest
from safelight.engine.tiling import Tile

REACH_PX = HALO_PX + 16
"""Document pixels that a residual may travel in the finish: the band filter, and Lanczos down by four. Counted
whether the filter is on or not, so that a kept patch needs no tile more when it is switched on."""


def needed_tiles(request: RestoreRequest, plan: RegionPlan, stage: StagePlan) -> tuple[Tile, ...]:
    """Tiles of the stage `decode` in plan order, for the patch or the region. Of a region all of them without a
    mask, for a layer (painting its mask reveals more), and with grain (measured around what is restored). None
    where nothing is selected."""
    tiles = stage.tiles.tiles
    mask = None if request.layer else request.mask
    if request.patch is None and (mask is None or request.settings.grain > 0):
        return tiles
    return tuple(tile for tile in tiles if _touched(request, plan, stage, tile))


def of_the_region(request: RestoreRequest) -> RestoreRequest:
    """The job that a patch is a preview of."""
    return request if request.patch is None else replace(request, patch=None)


def _touched(request: RestoreRequest, plan: RegionPlan, stage: StagePlan, tile: Tile) -> bool:
    box = stage.tiles.output_box(tile, stage.scale).shifted(plan.box.x, plan.box.y)
    reached = covered_document(box, plan.working_scale).grown(REACH_PX).intersect(request.wanted)
    if request.mask is None or request.layer:
        return not reached.empty
    return bool(request.mask[reached.shifted(-request.region.x, -request.region.y).slices].any())


def feeding_tiles(
    plan: RegionPlan, decoded: Iterable[Tile], steps: int
) -> tuple[tuple[Tile, ...], tuple[tuple[Tile, ...], ...]]:
    """Tiles of the stage `encode`, and of `predict` at each step, without which the `decoded` ones could not be
    computed; both empty for one-stage plans. A step needs the latents of all its tiles as the step before left
    them, so the first steps need more than the last."""
    stages = {stage.name: stage for stage in plan.stages}
    if "encode" not in stages:
        return (), ()
    plane = stages["decode"].tiles.size
    cells = np.zeros((plane.height, plane.width), bool)
    for tile in decoded:
        cells[tile.box.slices] = True
    predicted: list[tuple[Tile, ...]] = []
    for _ in range(steps):
        predicted.insert(0, _filling(stages["predict"], cells))
        for tile in predicted[0]:
            cells[tile.box.slices] = True
    return _filling(stages["encode"], cells), tuple(predicted)


def _filling(stage: StagePlan, cells: npt.NDArray[np.bool_]) -> tuple[Tile, ...]:
    """Tiles that land on marked cells."""
    boxes = ((tile, stage.tiles.output_box(tile, stage.scale)) for tile in stage.tiles.tiles)
    return tuple(tile for tile, box in boxes if cells[box.slices].any())
