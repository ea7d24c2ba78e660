"""From finished tiles to what the finish needs: right after the network ran, or long after it from what was kept.

No network runs here and no pipeline is needed. Free of torch but for the types of what is read.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from safelight.engine.canvas import Residual, ResidualCanvas
from safelight.engine.canvas_colours import AdainResidual
from safelight.engine.job_plan import JobPlan
from safelight.engine.kept_canvas import KeptCanvas
from safelight.engine.meter import Meter
from safelight.engine.monochrome import Toning
from safelight.engine.needed import REACH_PX
from safelight.engine.prepare import network_input
from safelight.engine.request import Progress, Restoration, RestoreRequest
from safelight.engine.residual import HALO_PX
from safelight.imaging.pixels import FloatArray

Keep = Callable[[KeptCanvas], Callable[[], None]]
"""Takes a canvas, and gives what begins to write it."""


def suffices(kept: KeptCanvas | None, plan: JobPlan) -> bool:
    """Whether all tiles of what is wanted are there."""
    return kept is not None and all(plan.number(tile) in kept.tiles for tile in plan.wanted)


def reblended(
    request: RestoreRequest, plan: JobPlan, kept: KeptCanvas, *, clock: Callable[[], float]
) -> Generator[Progress, None, Restoration]:
    """A job whose tiles are all kept. Stops after each band of rows that it has to prepare."""
    meter = Meter(plan.region, {}, clock)
    x: FloatArray = np.empty((0, 0, 3), np.float32)
    if _colour_fix(request) == "adain":
        bands = network_input(request, plan.region, rows=seen_rows(request, plan))
        while True:
            with meter.timing("prepare"):
                band = next(bands, None)
            if band is None:
                break
            x = band
            yield Progress("prepare")
    report = {**kept.facts["report"], "tiles_computed": {}, "network": "kept", "stages_s": meter.seconds}
    return blended(request, plan, kept, x, report)


def blended(
    request: RestoreRequest, plan: JobPlan, tiles: KeptCanvas, x: FloatArray, report: dict[str, object]
) -> Restoration:
    """`tiles` holds at least those that are wanted; `x` at least the rows they are seen in where the colour fix is
    AdaIN. The wavelet colour fix is weight 0 of the low band."""
    residual: Residual = ResidualCanvas(plan.region.box.size, sums=tiles.sums)
    fix, there = _colour_fix(request), [plan.number(tile) for tile in plan.whole]
    there = [number for number in there if number in tiles.tiles]
    if fix == "adain":
        sums = [tiles.tiles[number] for number in there]
        residual = AdainResidual(residual, x, magnification=plan.region.magnification, sums=sums)
    if fix == "wavelet":
        request = replace(request, settings=replace(request.settings, colour=0.0))
    restoration = Restoration(
        request,
        plan.spec,
        plan.region.working_scale,
        plan.region.box,
        residual,
        x,
        report,
        _toning(tiles.facts["toning"]),
        complete=len(tiles.tiles) == len(plan.decode.tiles.tiles),
    )
    if fix == "adain" and len(there) < len(plan.whole):
        restoration.provisional("colour_fix")
    return restoration


def toning_facts(toning: Toning | None) -> dict[str, Any] | None:
    """As JSON; `_toning` reads it back to the same bits."""
    if toning is None:
        return None
    return {"luma": toning.luma.tolist(), "excess": [excess.tolist() for excess in toning.excess]}


def _toning(facts: Mapping[str, Any] | None) -> Toning | None:
    if facts is None:
        return None
    return Toning(np.array(facts["luma"]), tuple(np.array(excess) for excess in facts["excess"]))


def _colour_fix(request: RestoreRequest) -> str:
    return str(request.settings.own.get("colour_fix", "none"))


def seen_rows(request: RestoreRequest, plan: JobPlan) -> tuple[int, int]:
    """Rows of x that the finish reads for what is wanted."""
    region = plan.region
    seen = request.wanted.grown(REACH_PX).scaled_outward(region.working_scale / region.magnification)
    rows = seen.grown(HALO_PX + 1).shifted(-region.input_box.x, -region.input_box.y)
    return max(0, rows.y), min(region.input_box.height, rows.bottom)
