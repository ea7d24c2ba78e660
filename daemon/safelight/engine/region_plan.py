"""Where a region lies in the planes of a job, and how each stage tiles it. Integers; free of torch.

Planes, each with its origin at the document's: document pixels, times `input_scale` the network input, times
the magnification y; latent cells are `latent_px` network pixels. The box is chosen in network pixels on the
absolute latent grid, so the same picture content meets the same cells whatever was selected.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from safelight.engine.tiling import TilePlan
from safelight.geometry import Rect, Size
from safelight.spec import PipelineSpec, StageTiling


@dataclass(frozen=True)
class StagePlan:
    """One stage: its tiles on the box, and output pixels per input pixel."""

    name: str
    tiling: StageTiling
    tiles: TilePlan
    """On the box, origin at the box's corner, in the stage's input plane."""
    scale: Fraction


@dataclass(frozen=True)
class RegionPlan:
    """See the module."""

    working_scale: float
    """y pixels per document pixel."""
    magnification: int
    """y pixels per network pixel."""
    input_box: Rect
    """What the network sees, network pixels."""
    stages: tuple[StagePlan, ...]

    @property
    def box(self) -> Rect:
        """What the network sees, y pixels."""
        return self.input_box.times(self.magnification)

    @property
    def covered(self) -> Rect:
        """The document pixels that the box shows; beyond what was sent they are reflected."""
        return covered_document(self.box, self.working_scale)

    @property
    def output(self) -> dict[str, object]:
        """For reports."""
        return {
            "working_scale": self.working_scale,
            "magnification": self.magnification,
            "box": list(self.box),
            "stages": {stage.name: stage.tiles.output for stage in self.stages},
        }


def covered_document(box: Rect, working_scale: float) -> Rect:
    """The document rectangle that a box of y pixels stands for. x is made from it and the residual goes back
    onto it, so its rounding moves nothing against the document."""
    return Rect.from_edges(*(round(edge / working_scale) for edge in (box.x, box.y, box.right, box.bottom)))


def choose_magnification(spec: PipelineSpec, working_scale: float) -> int:
    """The largest that does not exceed the working scale, else the smallest there is."""
    fitting = [m for m in spec.magnifications if m <= working_scale]
    return max(fitting, default=min(spec.magnifications))


def plan_region(spec: PipelineSpec, *, region: Rect, sent: Rect, working_scale: float) -> RegionPlan:
    """The box: the region, its context as far as pixels were sent, grown to one tile where more were sent,
    snapped outward to the grid of latent cells and of the stages' multiples."""
    magnification = choose_magnification(spec, working_scale)
    input_scale = working_scale / magnification
    inner = region.scaled_outward(input_scale)
    available = sent.scaled_outward(input_scale)
    margin = max(math.ceil(spec.context_fraction * inner.size.long_side), spec.context_least_px)
    grid = _grid_px(spec)
    box = inner.grown(margin).intersect(available).snapped_outward(grid)
    box = _grown_to(_first_tile_px(spec), box, available.snapped_outward(grid), grid)
    return RegionPlan(working_scale, magnification, box, _stage_plans(spec, box.size, magnification))


def _grown_to(side: int, box: Rect, available: Rect, grid: int) -> Rect:
    """Each side at least `side` long where `available` has it, as evenly on both ends as it has that and the grid
    allows: growing on the grid keeps a box of one tile from reaching into the next."""
    left, right = _axis_grown(side, box.x, box.right, available.x, available.right, grid)
    top, bottom = _axis_grown(side, box.y, box.bottom, available.y, available.bottom, grid)
    return Rect.from_edges(left, top, right, bottom)


def _axis_grown(side: int, start: int, end: int, least: int, most: int, grid: int) -> tuple[int, int]:
    """Everything on the grid, `side` too."""
    length = max(end - start, min(side, most - least))
    start -= (length - (end - start)) // 2 // grid * grid
    start = max(least, min(start, most - length))
    return start, start + length


def _first_tile_px(spec: PipelineSpec) -> int:
    """Side of the first stage's tile in network pixels; 0 where the network knows no preferred size."""
    name, tiling = next(iter(spec.stages.items()))
    return 0 if tiling.even else tiling.tile * _input_px(spec, name)


def _grid_px(spec: PipelineSpec) -> int:
    multiples = (tiling.multiple * _input_px(spec, name) for name, tiling in spec.stages.items())
    return math.lcm(spec.latent_px, *multiples)


def _input_px(spec: PipelineSpec, stage: str) -> int:
    """Network pixels per unit of a stage's input plane."""
    return 1 if stage == "encode" else spec.latent_px


def _stage_plans(spec: PipelineSpec, size: Size, magnification: int) -> tuple[StagePlan, ...]:
    scales: Mapping[str, Fraction] = {
        "encode": Fraction(1, spec.latent_px),
        "predict": Fraction(1),
        "decode": Fraction(spec.latent_px * magnification),
    }
    plans = []
    for name, tiling in spec.stages.items():
        unit = _input_px(spec, name)
        plane = Size(size.width // unit, size.height // unit)
        plans.append(StagePlan(name, tiling, TilePlan.of(plane, tiling), scales[name]))
    return tuple(plans)
