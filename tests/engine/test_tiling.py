"""Tile plans: rectangles written out, and properties of any plan."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safelight.engine.tiling import TilePlan, with_smaller_tiles
from safelight.geometry import Rect, Size
from safelight.spec import StageTiling

PLANS = {
    "smaller than a tile": (Size(40, 30), StageTiling(64, 16), [Rect(0, 0, 40, 30)]),
    "exactly a tile": (Size(64, 64), StageTiling(64, 16), [Rect(0, 0, 64, 64)]),
    "one pixel more": (Size(65, 64), StageTiling(64, 16), [Rect(0, 0, 64, 64), Rect(1, 0, 64, 64)]),
    "two that fit": (Size(112, 64), StageTiling(64, 16), [Rect(0, 0, 64, 64), Rect(48, 0, 64, 64)]),
    "last one shifted back": (
        Size(120, 64),
        StageTiling(64, 16),
        [Rect(0, 0, 64, 64), Rect(48, 0, 64, 64), Rect(56, 0, 64, 64)],
    ),
    "no overlap": (Size(100, 50), StageTiling(50, 0), [Rect(0, 0, 50, 50), Rect(50, 0, 50, 50)]),
    "two rows, narrow": (
        Size(30, 100),
        StageTiling(64, 16),
        [Rect(0, 0, 30, 64), Rect(0, 36, 30, 64)],
    ),
    "grid, odd sizes": (
        Size(71, 69),
        StageTiling(64, 16),
        [Rect(0, 0, 64, 64), Rect(7, 0, 64, 64), Rect(0, 5, 64, 64), Rect(7, 5, 64, 64)],
    ),
    "even: no larger overlap than asked": (
        Size(120, 64),
        StageTiling(64, 16, even=True),
        [Rect(0, 0, 51, 64), Rect(35, 0, 51, 64), Rect(69, 0, 51, 64)],
    ),
    "even, in pairs": (
        Size(120, 66),
        StageTiling(64, 16, multiple=2, even=True),
        [
            Rect(0, 0, 52, 42), Rect(36, 0, 52, 42), Rect(68, 0, 52, 42),
            Rect(0, 24, 52, 42), Rect(36, 24, 52, 42), Rect(68, 24, 52, 42),
        ],
    ),
    "a little larger: one": (Size(70, 64), StageTiling(64, 16, most_tile=80), [Rect(0, 0, 70, 64)]),
    "a little larger: two and not three": (
        Size(128, 64),
        StageTiling(64, 16, multiple=4, most_tile=80),
        [Rect(0, 0, 72, 64), Rect(56, 0, 72, 64)],
    ),
    "larger would be no fewer": (
        Size(112, 64),
        StageTiling(64, 16, most_tile=80),
        [Rect(0, 0, 64, 64), Rect(48, 0, 64, 64)],
    ),
    "multiples of 8": (
        Size(136, 64),
        StageTiling(64, 16, multiple=8),
        [Rect(0, 0, 64, 64), Rect(48, 0, 64, 64), Rect(72, 0, 64, 64)],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("size", "tiling", "boxes"), PLANS.values(), ids=PLANS)
def test_plan_has_these_tiles(size: Size, tiling: StageTiling, boxes: list[Rect]) -> None:
    assert [tile.box for tile in TilePlan.of(size, tiling).tiles] == boxes


SMALLER = {
    "half": (StageTiling(320, 48, multiple=2), 160, (160, 48)),
    "overlap leaves half to step by": (StageTiling(320, 48, multiple=2), 64, (64, 32)),
    "odd request on a grid": (StageTiling(64, 16, multiple=8), 37, (32, 16)),
    "never larger": (StageTiling(64, 16), 500, (64, 16)),
    "nor a little": (StageTiling(64, 16, most_tile=80), 72, (64, 16)),
}


@pytest.mark.parametrize(("tiling", "side", "expected"), SMALLER.values(), ids=SMALLER)
def test_smaller_tiles(tiling: StageTiling, side: int, expected: tuple[int, int]) -> None:
    smaller = with_smaller_tiles(tiling, side)
    assert (smaller.tile, smaller.overlap) == expected


def test_taper_falls_across_the_overlap_and_not_at_the_edges_of_the_plane() -> None:
    plan = TilePlan.of(Size(12, 8), StageTiling(8, 4))
    _, first = plan.tapers(plan.tiles[0])
    _, second = plan.tapers(plan.tiles[1])
    ramp = [0.0380602, 0.3086583, 0.6913417, 0.9619398]  # 1/2 - 1/2 cos(pi (i + 1/2) / 4)
    np.testing.assert_allclose(second, [*ramp, 1, 1, 1, 1], atol=1e-6)
    np.testing.assert_allclose(first, [1, 1, 1, 1, *reversed(ramp)], atol=1e-6)


def test_an_overlap_as_large_as_the_tile_is_refused() -> None:
    with pytest.raises(ValueError, match="overlap of 64"):
        TilePlan.of(Size(100, 100), StageTiling(64, 64))


def test_order_from_a_point_begins_with_the_tile_around_it() -> None:
    plan = TilePlan.of(Size(160, 160), StageTiling(64, 16))
    ordered = plan.from_center(130, 30)
    assert ordered[0].box == Rect(96, 0, 64, 64)
    assert sorted(ordered, key=lambda t: (t.row, t.column)) == list(plan.tiles)


@st.composite
def plans(draw: st.DrawFn) -> tuple[TilePlan, StageTiling, Fraction]:
    multiple = draw(st.sampled_from([1, 2, 8]))
    tile = multiple * draw(st.integers(1, 20))
    overlap = multiple * draw(st.integers(0, tile // multiple - 1))
    width, height = (multiple * draw(st.integers(1, 40)) for _ in "xy")
    scale = draw(st.sampled_from([Fraction(1), Fraction(4), Fraction(1, multiple)]))
    most = draw(st.sampled_from([0, tile + multiple * draw(st.integers(0, 8))]))
    tiling = StageTiling(tile, overlap, multiple=multiple, even=draw(st.booleans()), most_tile=most)
    return TilePlan.of(Size(width, height), tiling), tiling, scale


@given(plans())
@settings(max_examples=40, deadline=None)
def test_tiles_cover_the_plane_and_stay_inside(case: tuple[TilePlan, StageTiling, Fraction]) -> None:
    plan, tiling, _ = case
    covered = np.zeros((plan.size.height, plan.size.width), bool)
    for tile in plan.tiles:
        assert Rect.of_size(plan.size).contains(tile.box)
        assert tile.box.size == plan.tile
        assert max(plan.tile) <= max(tiling.tile, tiling.most_tile)
        assert tile.box.x % tiling.multiple == tile.box.y % tiling.multiple == 0
        covered[tile.box.slices] = True
    assert covered.all()


@given(plans())
@settings(max_examples=40, deadline=None)
def test_tapers_are_a_partition_of_unity(case: tuple[TilePlan, StageTiling, Fraction]) -> None:
    plan, _, scale = case
    total = np.zeros((int(plan.size.height * scale), int(plan.size.width * scale)))
    for tile in plan.tiles:
        down, across = plan.tapers(tile, scale)
        assert down.min() >= 0
        assert across.min() >= 0
        total[plan.output_box(tile, scale).slices] += np.outer(down.astype(np.float64), across)
    np.testing.assert_allclose(total, 1, atol=1e-6)
