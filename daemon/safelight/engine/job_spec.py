"""A pipeline's spec as one job uses it: with the tiles that the job's own settings ask for. Free of torch."""

from __future__ import annotations

from dataclasses import replace

from safelight.errors import InvalidRequest
from safelight.settings import RestoreSettings
from safelight.spec import PipelineSpec, StageTiling


def job_spec(spec: PipelineSpec, settings: RestoreSettings) -> PipelineSpec:
    """`STAGE_tile` above 0 and `STAGE_overlap` from 0 on replace the spec's. Raises InvalidRequest (TILE_SIZE,
    TILE_OVERLAP)."""
    stages = {name: _tiling(name, tiling, settings) for name, tiling in spec.stages.items()}
    return replace(spec, stages=stages) if stages != dict(spec.stages) else spec


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
