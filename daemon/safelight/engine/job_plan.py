"""What a job will compute, known before its pipeline is loaded. Free of torch."""

from __future__ import annotations

from dataclasses import dataclass

from safelight.engine.job_spec import job_spec
from safelight.engine.needed import needed_tiles, of_the_region
from safelight.engine.prepare import working_scale_for
from safelight.engine.region_plan import RegionPlan, StagePlan, plan_region
from safelight.engine.request import RestoreRequest
from safelight.engine.tiling import Tile
from safelight.geometry import Rect
from safelight.spec import PipelineSpec


@dataclass(frozen=True)
class JobPlan:
    """Where the region lies, how it is tiled, and which tiles are needed."""

    spec: PipelineSpec
    """With the tiles that the job asks for."""
    region: RegionPlan
    wanted: tuple[Tile, ...]
    """Of the stage `decode`, that what comes back needs."""
    whole: tuple[Tile, ...]
    """... that the job would need without its patch: what colour statistics are taken of."""

    @property
    def decode(self) -> StagePlan:
        return self.region.stages[-1]

    @property
    def steps(self) -> int:
        """How often the stage `predict` runs."""
        return self.spec.steps if "predict" in self.spec.stages else 0

    def number(self, tile: Tile) -> int:
        """Of a tile of the stage `decode` in the plan's order."""
        return tile.row * len(self.decode.tiles.columns) + tile.column

    def output_box(self, number: int) -> Rect:
        """Where a tile of the stage `decode` lies on the residual canvas."""
        return self.decode.tiles.output_box(self.decode.tiles.tiles[number], self.decode.scale)


def plan_job(request: RestoreRequest, spec: PipelineSpec) -> JobPlan:
    """Raises InvalidRequest for tile settings that do not fit."""
    spec = job_spec(spec, request.settings)
    region = plan_region(
        spec, region=request.region, sent=request.sent, working_scale=working_scale_for(request, spec)
    )
    decode = region.stages[-1]
    whole = needed_tiles(of_the_region(request), region, decode) or decode.tiles.tiles[:1]
    wanted = whole if request.patch is None else needed_tiles(request, region, decode) or whole[:1]
    return JobPlan(spec, region, wanted, whole)
