"""Where a region lies in the network's plane: a table of cases with the expected boxes."""

from __future__ import annotations

from dataclasses import replace

import pytest

from safelight.engine.region_plan import choose_magnification, covered_document, plan_region
from safelight.geometry import Rect
from safelight.spec import PipelineSpec, StageTiling
from tests.fakes.pipelines import ONE_STAGE, STAGED

NARROW = replace(ONE_STAGE, context_least_px=16)  # tile 64
QUARTER = replace(ONE_STAGE, context_fraction=0.25, context_least_px=4)
EVEN = replace(ONE_STAGE, context_least_px=3, stages={"decode": StageTiling(64, 16, multiple=2)})
ENLARGING = replace(NARROW, magnifications=(1, 2, 4))
LARGE = Rect(0, 0, 1000, 800)

# name: spec, region, sent, working scale, expected box in network pixels
BOXES: dict[str, tuple[PipelineSpec, Rect, Rect, float, Rect]] = {
    "least context on all sides": (NARROW, Rect(300, 200, 200, 100), LARGE, 1, Rect(284, 184, 232, 132)),
    "share of the long side": (QUARTER, Rect(300, 200, 200, 100), LARGE, 1, Rect(250, 150, 300, 200)),
    "clipped at the picture's corner": (NARROW, Rect(0, 0, 200, 100), LARGE, 1, Rect(0, 0, 216, 116)),
    "clipped to what was sent": (
        NARROW, Rect(300, 200, 200, 100), Rect(295, 190, 400, 300), 1, Rect(295, 190, 221, 126),
    ),
    "grown to one tile": (NARROW, Rect(300, 200, 10, 8), LARGE, 1, Rect(273, 172, 64, 64)),
    "grown inward at an edge": (NARROW, Rect(990, 200, 10, 8), LARGE, 1, Rect(936, 172, 64, 64)),
    "grown as far as was sent": (
        NARROW, Rect(300, 200, 10, 8), Rect(290, 195, 30, 20), 1, Rect(290, 195, 30, 20),
    ),
    "whole picture": (NARROW, LARGE, LARGE, 1, LARGE),
    "single pixel picture": (NARROW, Rect(0, 0, 1, 1), Rect(0, 0, 1, 1), 1, Rect(0, 0, 1, 1)),
    "snapped outward to pairs": (EVEN, Rect(300, 200, 201, 101), LARGE, 1, Rect(296, 196, 208, 108)),
    "snapped to the latent grid": (STAGED, Rect(300, 200, 200, 100), LARGE, 1, Rect(280, 184, 240, 136)),
    "snapped beyond the picture's edge": (
        STAGED, Rect(0, 0, 101, 99), Rect(0, 0, 101, 99), 1, Rect(0, 0, 104, 104),
    ),
    "grown on the latent grid to exactly one tile": (
        STAGED, Rect(300, 200, 10, 8), LARGE, 1, Rect(272, 176, 64, 64),
    ),
    "working scale 2 without magnification": (
        NARROW, Rect(300, 200, 200, 100), LARGE, 2, Rect(584, 384, 432, 232),
    ),
    "working scale 2 by the network": (
        ENLARGING, Rect(300, 200, 200, 100), LARGE, 2, Rect(284, 184, 232, 132),
    ),
    "working scale 3 of a network with 1, 2, 4": (
        ENLARGING, Rect(300, 200, 200, 100), LARGE, 3, Rect(434, 284, 332, 182),
    ),
    "working scale a half": (NARROW, Rect(301, 201, 199, 99), LARGE, 0.5, Rect(134, 84, 132, 82)),
}  # fmt: skip


@pytest.mark.parametrize(("spec", "region", "sent", "scale", "box"), BOXES.values(), ids=BOXES)
def test_the_network_sees_this_box(
    spec: PipelineSpec, region: Rect, sent: Rect, scale: float, box: Rect
) -> None:
    plan = plan_region(spec, region=region, sent=sent, working_scale=scale)
    assert plan.input_box == box
    assert plan.covered.contains(region)


MAGNIFICATIONS = [
    ((1, 2, 4), 4.0, 4),
    ((1, 2, 4), 3.0, 2),
    ((1, 2, 4), 0.5, 1),
    ((1,), 4.0, 1),
    ((2, 4), 1.0, 2),
]


@pytest.mark.parametrize(("offered", "scale", "chosen"), MAGNIFICATIONS)
def test_magnification_is_the_largest_below_the_working_scale(
    offered: tuple[int, ...], scale: float, chosen: int
) -> None:
    assert choose_magnification(replace(ONE_STAGE, magnifications=offered), scale) == chosen


def test_stages_of_a_staged_pipeline_have_their_own_planes() -> None:
    plan = plan_region(STAGED, region=Rect(0, 0, 101, 99), sent=Rect(0, 0, 101, 99), working_scale=1)
    planes = {stage.name: (tuple(stage.tiles.size), stage.tiles.columns) for stage in plan.stages}
    assert planes == {
        "encode": ((104, 104), (0, 40)),
        "predict": ((13, 13), (0, 4, 7)),
        "decode": ((13, 13), (0, 3)),
    }


def test_a_box_covers_whole_document_pixels() -> None:
    assert covered_document(Rect(584, 384, 432, 232), 2.0) == Rect(292, 192, 216, 116)
    assert covered_document(Rect(100, 50, 512, 512), 1.7) == Rect(59, 29, 301, 302)
