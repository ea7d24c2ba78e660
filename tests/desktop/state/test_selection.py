import numpy as np
import pytest

from safelight.geometry import Rect, Size
from safelight_desktop.state.painting import Brush, Stroke, dab, lasso_selection
from safelight_desktop.state.selection import Selection, whole
from safelight_desktop.state.view import Point
from safelight_desktop.widgets.tools.handles import Handle, handle_at, resized_rect

DOCUMENT = Size(400, 300)
HARD = Brush(radius_px=10, softness=0.0, value=255)


def painted(effect, points, *, selection=None, brush=HARD):
    stroke = Stroke(selection, effect, brush, DOCUMENT)
    for point in points:
        stroke.to(Point(*point))
    return stroke.result()


def test_a_dab_is_full_in_the_middle_and_fades_over_its_softness():
    soft, hard = dab(20.0, 1.0), dab(20.0, 0.0)
    assert soft[20, 20] == hard[20, 20] == 255
    assert hard[20, 30] == 255 > soft[20, 30] > 0
    assert soft[20, 40] == hard[0, 0] == 0
    assert (np.diff(soft[20, 20:].astype(int)) <= 0).all()


def test_a_stroke_makes_a_tight_mask_where_it_went():
    found = painted("paint", [(100, 100), (160, 100)])
    assert found.kind == "brush"
    assert abs(found.rect.x - 90) <= 1
    assert abs(found.rect.width - 80) <= 3
    assert found.covers(130, 100)
    assert not found.covers(130, 120)


def test_a_stroke_that_crosses_itself_counts_once():
    soft = Brush(20, 1.0, 255)
    once = painted("paint", [(100, 100)], brush=soft)
    thrice = painted("paint", [(100, 100), (100, 100), (100, 100)], brush=soft)
    assert np.array_equal(once.mask, thrice.mask)


def test_painting_over_the_edge_of_the_picture_stays_within_it():
    found = painted("paint", [(-5, 5), (3, 3)])
    assert Rect.of_size(DOCUMENT).contains(found.rect)


def test_the_brush_adds_to_a_box_and_the_eraser_takes_away():
    box = Selection("rectangle", Rect(100, 100, 50, 50))
    more = painted("paint", [(160, 125)], selection=box)
    assert more.covers(165, 125)
    assert more.covers(101, 101)
    less = painted("erase", [(100, 125)], selection=box)
    assert not less.covers(101, 125)
    assert less.covers(140, 125)


def test_erasing_everything_leaves_no_selection():
    box = Selection("rectangle", Rect(100, 100, 10, 10))
    assert painted("erase", [(105, 105)], selection=box, brush=Brush(40, 0, 255)) is None


def test_the_strength_brush_writes_a_map_within_the_region_only():
    box = Selection("rectangle", Rect(100, 100, 50, 50))
    found = painted("strength", [(100, 100)], selection=box, brush=Brush(20, 0, 128))
    assert found.rect == box.rect
    assert found.mask is None
    assert found.strength[0, 0] == 128
    assert found.strength[49, 49] == 255
    assert found.weights is found.strength


def test_full_strength_everywhere_is_no_map():
    box = Selection("rectangle", Rect(100, 100, 20, 20))
    weak = painted("strength", [(110, 110)], selection=box, brush=Brush(40, 0, 100))
    assert painted("strength", [(110, 110)], selection=weak, brush=Brush(60, 0, 255)).strength is None


def test_a_strength_map_keeps_the_soft_edge_that_the_shape_gets():
    box = Selection("rectangle", Rect(0, 0, 400, 300))
    assert box.feather_px(-1.0) == -1.0
    weak = painted("strength", [(110, 110)], selection=box, brush=Brush(40, 0, 100))
    assert weak.feather_px(-1.0) == 6.0  # 2 % of the short side
    assert weak.feather_px(3.0) == 3.0


def test_mask_and_strength_multiply():
    mask = np.full((2, 2), 128, np.uint8)
    found = Selection("brush", Rect(0, 0, 2, 2), mask, (), mask)
    assert (found.weights == 64).all()


def test_the_inside_of_a_lasso_is_selected_with_a_smooth_edge():
    found = lasso_selection([Point(10, 10), Point(60, 10.5), Point(60, 50), Point(10, 50)], DOCUMENT)
    assert found.rect == Rect(10, 10, 50, 40)
    assert found.mask[20, 20] == 255
    assert 0 < found.mask[0, 48] < 255


def test_a_lasso_outside_the_picture_selects_nothing():
    assert lasso_selection([Point(-50, -50), Point(-10, -50), Point(-10, -10)], DOCUMENT) is None


def test_moving_takes_mask_and_outline_along_and_stops_at_the_edge():
    lasso = lasso_selection([Point(10, 10), Point(60, 10), Point(60, 50)], DOCUMENT)
    moved = lasso.moved(-500, 20, DOCUMENT)
    assert moved.rect == Rect(0, 30, 50, 40)
    assert moved.outline[0] == Point(0, 30)
    assert moved.mask is lasso.mask


def test_resizing_stretches_mask_outline_and_strength():
    lasso = lasso_selection([Point(10, 10), Point(60, 10), Point(60, 50)], DOCUMENT)
    large = lasso.resized(Rect(10, 10, 100, 80))
    assert large.mask.shape == (80, 100)
    assert large.outline[2] == Point(110, 90)


def test_the_whole_picture_covers_every_point():
    assert whole(DOCUMENT).covers(399, 299)
    assert not whole(DOCUMENT).covers(400, 299)


@pytest.mark.parametrize(
    ("handle", "expected"),
    [
        (Handle.RIGHT_BOTTOM, Rect(100, 100, 60, 70)),
        (Handle.LEFT_TOP, Rect(110, 120, 40, 30)),
        (Handle.TOP, Rect(100, 120, 50, 30)),
        (Handle.LEFT, Rect(110, 100, 40, 50)),
    ],
)
def test_handles_move_their_edges(handle, expected):
    found = resized_rect(Rect(100, 100, 50, 50), handle, 10, 20, DOCUMENT, keep_shape=False)
    assert found == expected


def test_a_box_never_turns_inside_out_or_leaves_the_picture():
    box = Rect(100, 100, 50, 50)
    assert resized_rect(box, Handle.LEFT, 500, 0, DOCUMENT, keep_shape=False) == Rect(149, 100, 1, 50)
    assert resized_rect(box, Handle.RIGHT, 500, 0, DOCUMENT, keep_shape=False).right == 400


def test_shift_keeps_the_shape():
    found = resized_rect(Rect(0, 0, 40, 20), Handle.RIGHT_BOTTOM, 40, 0, DOCUMENT, keep_shape=True)
    assert found.size == Size(80, 40)


def test_handles_are_found_on_the_box_and_move_between_them():
    box = (100.0, 100.0, 300.0, 200.0)
    assert handle_at(Point(101, 99), box, 1.0) is Handle.LEFT_TOP
    assert handle_at(Point(150, 102), box, 1.0) is Handle.MOVE
    assert handle_at(Point(180, 150), box, 1.0) is None
