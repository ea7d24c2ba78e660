from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safelight.geometry import Rect, Size
from safelight.imaging.feather import (
    NO_OPEN_SIDES,
    BoxWeights,
    MaskWeights,
    OpenSides,
    auto_width_px,
    inward_distance,
    ramp,
    selected_size,
    soft,
)

ALL_OPEN = OpenSides(True, True, True, True)


def disc(radius: float, side: int = 100, edge_px: float = 1.0) -> np.ndarray:
    """A round selection; the edge falls over `edge_px`."""
    rows, columns = np.mgrid[0:side, 0:side] - (side - 1) / 2
    distance = radius - np.hypot(rows, columns)
    return np.rint(np.clip(distance / edge_px + 0.5, 0, 1) * 255).astype(np.uint8)


def every_distance(mask: np.ndarray, sides: OpenSides) -> np.ndarray:
    """By comparing each sample with each unselected one."""
    height, width = mask.shape
    padded = np.pad(mask > 0, 60, constant_values=True)
    if sides.top:
        padded[:60] = False
    if sides.bottom:
        padded[60 + height :] = False
    if sides.left:
        padded[60 : 60 + height, :60] = False
    if sides.right:
        padded[60 : 60 + height, 60 + width :] = False
    rows, columns = np.nonzero(~padded)
    own_rows, own_columns = np.mgrid[60 : 60 + height, 60 : 60 + width]
    if not len(rows):
        return np.full(mask.shape, np.inf)
    return np.sqrt(((own_rows[..., None] - rows) ** 2 + (own_columns[..., None] - columns) ** 2).min(axis=-1))


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    share=st.sampled_from([0.5, 0.05, 0.005]),
    reach=st.sampled_from([1, 3, 12]),
    sides=st.tuples(st.booleans(), st.booleans(), st.booleans(), st.booleans()),
)
def test_distance_is_euclidean_up_to_its_reach(seed, share, reach, sides):
    mask = (np.random.default_rng(seed).random((17, 23)) > share).astype(np.uint8) * 255
    expected = every_distance(mask, OpenSides(*sides))
    distance = inward_distance(mask, 0, 17, reach, OpenSides(*sides))
    near = expected < reach
    assert distance[near] == pytest.approx(expected[near], abs=1e-5)
    assert np.all(distance[~near] >= reach - 1e-5)


def test_long_reaches_are_exact_too():
    mask = np.full((4, 1200), 255, np.uint8)
    mask[1, 3] = 0
    distance = inward_distance(mask, 0, 4, 400, NO_OPEN_SIDES)
    assert distance[1, 303] == 300
    assert distance[3, 3 + 200] == pytest.approx(np.hypot(200, 2))


@pytest.mark.parametrize(
    ("selection", "width"),
    [
        (Size(100, 80), 4.0),
        (Size(500, 400), 8.0),
        (Size(400, 2000), 8.0),
        (Size(5000, 9000), 64.0),
    ],
)
def test_the_chosen_width_is_two_percent_of_the_short_side_from_4_to_64(selection, width):
    assert auto_width_px(selection) == width


def test_the_selected_size_is_that_of_the_box_around_all_that_is_selected():
    mask = np.zeros((50, 60), np.uint8)
    mask[10, 20] = 1
    mask[29, 24] = 255
    assert selected_size(mask) == Size(5, 20)
    assert selected_size(np.zeros((5, 5), np.uint8)) == Size(0, 0)


def _lasso() -> np.ndarray:
    mask = np.zeros((100, 100), np.uint8)
    for row in range(20, 90):
        mask[row, 10 + row // 3 : 60 + row // 7] = 255
    return mask


@pytest.mark.parametrize(
    ("name", "mask", "expected"),
    [
        ("hard disc", (disc(30) > 127).astype(np.uint8) * 255, False),
        ("antialiased disc", disc(30), False),
        ("small antialiased disc", disc(4), False),
        ("hard lasso", _lasso(), False),
        ("everything", np.full((40, 40), 255, np.uint8), False),
        ("nothing", np.zeros((40, 40), np.uint8), False),
        ("feathered disc", disc(30, edge_px=6), True),
        ("widely feathered disc", disc(30, edge_px=40), True),
        ("half opacity", np.full((40, 40), 128, np.uint8), True),
        ("gradient", np.tile(np.arange(100, dtype=np.uint8), (50, 1)), True),
    ],
)
def test_a_mask_is_soft_when_its_edge_is_wider_than_antialiasing(name, mask, expected):
    assert soft(mask) is expected, name


def test_softness_of_a_tall_mask_is_seen_across_its_pieces():
    mask = np.zeros((1000, 30), np.uint8)
    mask[500:520] = np.linspace(0, 255, 20).astype(np.uint8)[:, None]
    mask[520:] = 255
    assert soft(mask)


def test_the_ramp_goes_from_the_edge_to_its_width():
    distance = np.array([0.5, 2.5, 4.5, 100], np.float32)
    assert ramp(distance, 4.0).tolist() == [0.0, 0.5, 1.0, 1.0]


def test_box_weights_are_those_of_a_full_mask():
    size, sides = Size(50, 40), OpenSides(True, False, True, True)
    full = MaskWeights(np.full((40, 50), 255, np.uint8), 6.0, sides)
    assert BoxWeights(size, 6.0, sides).rows(0, 40) == pytest.approx(full.rows(0, 40), abs=1e-6)


def test_sides_on_the_documents_border_are_closed():
    assert OpenSides.of(Rect(0, 5, 20, 15), Size(30, 20)) == (False, True, True, False)


@pytest.mark.parametrize("scale", [1, 2, 4])
@pytest.mark.parametrize("rows", [1, 9])
def test_weights_in_bands_equal_the_whole(scale, rows):
    weights = MaskWeights(disc(30, edge_px=3), 7.5, ALL_OPEN, scale)
    whole = weights.rows(0, 100 * scale)
    cut = [weights.rows(y, min(100 * scale, y + rows)) for y in range(0, 100 * scale, rows)]
    assert np.array_equal(np.concatenate(cut), whole)


@pytest.mark.parametrize("scale", [1, 2, 4])
@pytest.mark.parametrize("width", [0.0, 5.0])
def test_weights_are_0_outside_and_at_most_the_mask_inside(scale, width):
    mask = disc(30)
    weights = MaskWeights(mask, width, NO_OPEN_SIDES, scale).rows(0, 100 * scale)
    large = np.repeat(np.repeat(mask, scale, 0), scale, 1)
    assert not weights[large == 0].any()
    assert weights.max() == 1.0
    assert weights[50 * scale, 50 * scale] == 1.0
    if scale == 1:
        assert np.all(weights <= mask / np.float32(255) + 1e-6)
