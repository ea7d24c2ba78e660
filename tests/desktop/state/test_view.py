import pytest

from safelight.geometry import Rect, Size
from safelight_desktop.state.view import ZOOM_MOST, Point, ViewState


@pytest.fixture
def view(qapp):
    made = ViewState()
    made.set_viewport(Size(800, 600))
    made.show_document(Size(4000, 2000))
    return made


def test_a_new_picture_is_seen_whole(view):
    assert view.zoom == 0.2
    assert view.visible == Rect(0, 0, 4000, 2000)


def test_small_pictures_are_not_enlarged_to_fit(view):
    view.show_document(Size(100, 80))
    assert view.zoom == 1.0


@pytest.mark.parametrize("steps", [1, 3, -2])
def test_zooming_keeps_the_point_under_the_pointer(view, steps):
    view.zoom_to(1.0)
    pointer = Point(150, 420)
    before = view.to_document(pointer)
    view.zoom_by(steps, pointer)
    after = view.to_document(pointer)
    assert (after.x, after.y) == pytest.approx((before.x, before.y))


def test_zooming_by_steps_stops_at_100_percent(view):
    view.zoom_to(0.9)
    view.zoom_by(1)
    assert view.zoom == 1.0
    view.zoom_to(1.1)
    view.zoom_by(-1)
    assert view.zoom == 1.0


def test_zoom_has_its_limits(view):
    view.zoom_to(1000)
    assert view.zoom == ZOOM_MOST
    view.zoom_to(0)
    assert 0 < view.zoom <= view.fit_zoom


def test_z_goes_to_100_percent_at_the_pointer_and_back(view):
    pointer = Point(100, 100)
    under = view.to_document(pointer)
    view.toggle_fit(pointer)
    assert view.zoom == 1.0
    assert view.to_document(pointer) == pytest.approx(under)
    view.toggle_fit(pointer)
    assert view.fitted


def test_a_fitted_picture_follows_the_window(view):
    view.set_viewport(Size(400, 600))
    assert view.zoom == 0.1
    view.zoom_to(1.0)
    view.set_viewport(Size(800, 600))
    assert view.zoom == 1.0


def test_panning_moves_by_pixels_of_the_screen_and_stops_at_the_picture(view):
    view.zoom_to(2.0)
    before = view.to_screen(Point(1000, 1000))
    view.pan(30, -10)
    after = view.to_screen(Point(1000, 1000))
    assert (after.x - before.x, after.y - before.y) == pytest.approx((30, -10))
    view.pan(1e9, 1e9)
    assert view.centre == Point(0, 0)
