"""The residual canvas of one job, and which tiles are on it: those that were kept, and those it adds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from safelight.engine.canvas import ResidualCanvas
from safelight.engine.canvas_colours import tile_sums
from safelight.engine.color_fix import TileSums
from safelight.engine.job_plan import JobPlan
from safelight.engine.kept_canvas import KeptCanvas, disjoint
from safelight.engine.residual import enlarged_tile, tapered_residual
from safelight.engine.tiling import Tile
from safelight.imaging.pixels import FloatArray


class FinishedTiles:
    """Owned by the worker thread."""

    def __init__(self, plan: JobPlan, kept: KeptCanvas | None) -> None:
        self._plan, self._kept = plan, kept
        self._added: dict[int, TileSums] = {} if kept is None else dict(kept.tiles)
        self._canvas: ResidualCanvas | None = None
        self._sums_wanted = plan.spec.setting("colour_fix") is not None
        self.missing = tuple(tile for tile in plan.wanted if plan.number(tile) not in self._added)
        """In the plan's order."""

    def open(self) -> None:
        """Makes the canvas, with what was kept on it. Raises TooMuch."""
        numbers = {*self._added, *map(self._plan.number, self.missing)}
        used = disjoint(map(self._plan.output_box, numbers))
        self._canvas = ResidualCanvas(self._plan.region.box.size, used=used)
        if self._kept is not None:
            self._canvas.copy_from(self._kept.sums, self._kept.boxes)

    def add(self, tile: Tile, y: torch.Tensor, x: FloatArray) -> None:
        """A tile that passed its check: `y` 3 h w on its device; `x` is all of the network's input, H W 3."""
        assert self._canvas is not None
        plan, stage = self._plan, self._plan.decode
        enlarged = enlarged_tile(x, tile.box.times(plan.spec.latent_px), plan.region.magnification)
        tapers = stage.tiles.tapers(tile, stage.scale)
        sums = tile_sums(y, enlarged, tapers) if self._sums_wanted else ()
        self._canvas.add(stage.tiles.output_box(tile, stage.scale), tapered_residual(y, enlarged, tapers))
        self._added[plan.number(tile)] = sums

    def kept(self, facts: Mapping[str, Any]) -> KeptCanvas:
        """What is there now, under no key yet: whoever keeps it knows that."""
        assert self._canvas is not None
        boxes = disjoint(map(self._plan.output_box, self._added))
        return KeptCanvas("", self._canvas.sums, dict(self._added), boxes, facts)

    def close(self) -> None:
        """Lets the canvas go; harmless where there is none."""
        if self._canvas is not None:
            self._canvas.close()
