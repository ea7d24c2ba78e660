"""A pipeline's spec as one job uses it: with the tiles that the job's own settings ask for. Free of torch."""

from __future__ import annotations

from dataclasses import replace

from safelight.errors import InvalidRequest
from safelight.settings import RestoreSettings
from safelight.spec import PipelineSpec, StageTiling


def job_spec(spec: PipelineSpec, settings: RestoreSettings) -> PipelineSpec:
    """Own settings that replace the spec's: `STAGE_tile` above 0 and `STAGE_overlap` from 0 on, in the stage's units;
    `tile_size` (network pixels) and `overlap` (a share of the tile) of the stage `predict`; `steps`. Raises
    InvalidRequest (TILE_SIZE, TILE_OVERLAP)."""
    stages = {name: _tiling(name, tiling, settings) for name, tiling in spec.stages.items()}
    if "tile_size" in settings.own:
        stages["predict"] = _of_pixels(stages["predict"], settings, spec.latent_px)
    steps = int(settings.own.get("steps", spec.steps))
    changed = stages != dict(spec.stages) or steps != spec.steps
    return replace(spec, stages=stages, steps=steps) if changed else spec


def _of_pixels(tiling: StageTiling, settings: RestoreSettings, cell_px: int) -> StageTiling:
    tile_px, share = int(settings.own["tile_size"]), float(settings.own["overlap"])
    multiple = tiling.multiple * cell_px
    if tile_px % multiple:
        raise InvalidRequest(
            f"the setting tile_size is {tile_px}: give a multiple of {multiple}", "TILE_SIZE"
        )
    tile = tile_px // cell_px
    overlap = round(tile * share / tiling.multiple) * tiling.multiple
    return replace(
        tiling,
        tile=tile,
        overlap=min(overlap, tile - tiling.multiple),
        least_tile=min(tiling.least_tile, tile),
    )


def _tiling(stage: str, tiling: StageTiling, settings: RestoreSettings) -> StageTiling:
    tile = int(settings.own.get(f"{stage}_tile", 0)) or tiling.tile
    overlap = int(settings.own.get(f"{stage}_overlap", -1))
    if tile % tiling.multiple:
        raise InvalidRequest(
            f"the setting {stage}_tile is {tile}: give a multiple of {tiling.multiple}", "TILE_SIZE"
        )
    if overlap < 0:
        overlap = min(tiling.overlap, tile // 2 // tiling.multiple * tiling.multiple)
    if overlap >= tile or overlap % tiling.multiple:
        raise InvalidRequest(
            f"the setting {stage}_overlap is {overlap}: give a multiple of {tiling.multiple} below the tile, {tile}",
            "TILE_OVERLAP",
        )
    return replace(tiling, tile=tile, overlap=overlap, least_tile=min(tiling.least_tile, tile))
