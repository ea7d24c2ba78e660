"""The plane of features that a job keeps on the host."""

import itertools

import numpy as np
import pytest

from safelight.engine import canvas
from safelight.engine.features import FeaturePlane
from safelight.engine.tiling import TilePlan
from safelight.errors import TooMuch
from safelight.geometry import Rect, Size
from safelight.spec import StageTiling

BOX = Rect(-3, 40, 20, 12)


def filled(values, order):
    """A plane with `values` (C H W) added in overlapping tapered tiles."""
    plan = TilePlan.of(Size(BOX.width, BOX.height), StageTiling(tile=8, overlap=4))
    plane = FeaturePlane(BOX)
    for tile in order(plan.tiles):
        down, across = plan.tapers(tile)
        plane.add(tile.box, values[:, *tile.box.slices] * down[:, None] * across)
    return plane


@pytest.fixture
def values():
    return np.random.default_rng(0).normal(0, 2, (7, BOX.height, BOX.width)).astype(np.float32)


def test_tapered_tiles_add_up_to_what_they_were_cut_from(values):
    assert np.allclose(filled(values, tuple).read(BOX), values, atol=4 * 0.5 / (1 << 14))


def test_the_order_of_tiles_changes_no_bit(values):
    one = filled(values, tuple).read(BOX)
    assert np.array_equal(one, filled(values, reversed).read(BOX))


def test_boxes_are_absolute(values):
    inside = Rect(2, 45, 6, 4)
    plane = filled(values, tuple)
    assert np.array_equal(plane.read(inside), plane.read(BOX)[:, 5:9, 5:11])


def test_large_values_are_clipped_and_not_wrapped():
    plane = FeaturePlane(Rect(0, 0, 2, 1))
    plane.add(Rect(0, 0, 2, 1), np.array([[[1e9, -1e9]]]))
    assert plane.read(Rect(0, 0, 2, 1)).tolist() == [[[65536.0, -65536.0]]]


def test_a_full_disk_is_an_error_that_says_so(monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(canvas.os, "posix_fallocate", full)
    plane = FeaturePlane(Rect(0, 0, 4000, 4000))
    with pytest.raises(TooMuch) as caught:
        plane.add(Rect(0, 0, 1, 1), np.ones((8, 1, 1)))
    assert caught.value.reason == "OUT_OF_MEMORY"


def test_a_closed_plane_is_not_read():
    plane = FeaturePlane(BOX)
    plane.add(Rect(0, 0, 1, 1), np.ones((1, 1, 1)))
    for _ in itertools.repeat(None, 2):
        plane.close()
    with pytest.raises(ValueError, match="closed"):
        plane.read(BOX)
