"""The picture under the mouse and the keys."""

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt

from safelight.geometry import Rect
from safelight_desktop.state.compare import CompareMode
from safelight_desktop.state.selection import Selection
from tests.desktop.fixtures import WAIT_MS
from tests.desktop.mouse import click, drag, move, position, wheel


def colours(window):
    """What the canvas shows, H W 3."""
    image = window.canvas.grab().toImage().convertToFormat(window.canvas.grab().toImage().Format.Format_RGB32)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1, 4)[:, : image.width()]
    return rows[..., [2, 1, 0]].copy()


def shown_at(window, point):
    place = position(window.canvas, point)
    return colours(window)[place.y(), place.x()].tolist()


def settle(qtbot, window):
    qtbot.waitUntil(lambda: window.canvas.settled, timeout=WAIT_MS)


def test_at_100_percent_each_sample_is_one_pixel(qtbot, opened, photo):
    found = colours(opened)
    left, top = (round(v) for v in opened.canvas.view.to_screen_xy(0, 0))
    assert np.array_equal(found[top : top + 160, left : left + 240], photo)


def test_from_300_percent_samples_are_squares(qtbot, opened, photo):
    opened.editor.view.zoom_to(8.0)
    settle(qtbot, opened)
    found = colours(opened)
    left, top = opened.canvas.view.to_screen_xy(100, 80)
    block = found[round(top) + 1 : round(top) + 7, round(left) + 1 : round(left) + 7]
    assert (block == photo[80, 100]).all()


def test_below_100_percent_areas_are_averaged_and_the_window_says_so(qtbot, opened, photo):
    assert not opened.bars.zoom.warning.isVisible()
    opened.editor.view.zoom_to(0.5)
    settle(qtbot, opened)
    left, top = (round(v) for v in opened.canvas.view.to_screen_xy(0, 0))
    found = colours(opened)[top : top + 80, left : left + 120].astype(int)
    means = photo.reshape(80, 2, 120, 2, 3).mean(axis=(1, 3))
    assert np.abs(found - means).max() <= 1
    assert opened.bars.zoom.warning.isVisible()


def test_the_wheel_zooms_to_the_pointer(qtbot, opened):
    before = position(opened.canvas, (60, 40))
    wheel(opened.canvas, (60, 40), 3)
    assert opened.editor.view.zoom > 1.5
    after = position(opened.canvas, (60, 40))
    assert (after - before).manhattanLength() <= 1


@pytest.mark.parametrize("button", [Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton])
def test_dragging_pans(qtbot, opened, button):
    opened.editor.view.zoom_to(4.0)
    before = position(opened.canvas, (120, 80))
    drag(qtbot, opened.canvas, (120, 80), (130, 85), button=button)
    moved = position(opened.canvas, (120, 80)) - before
    assert (moved - QPoint(40, 20)).manhattanLength() <= 2


def test_keys_zoom(qtbot, opened):
    for key, modifiers, expected in (
        (Qt.Key.Key_1, Qt.KeyboardModifier.ControlModifier, 1.0),
        (Qt.Key.Key_Plus, Qt.KeyboardModifier.NoModifier, 1.25),
        (Qt.Key.Key_Minus, Qt.KeyboardModifier.NoModifier, 1.0),
    ):
        qtbot.keyClick(opened.canvas, key, modifiers)
        assert opened.editor.view.zoom == pytest.approx(expected)
    opened.editor.view.zoom_to(3.0)
    qtbot.keyClick(opened.canvas, Qt.Key.Key_0, Qt.KeyboardModifier.ControlModifier)
    assert opened.editor.view.fitted


def test_split_shows_before_on_the_left_and_after_on_the_right(qtbot, restored, photo):
    before, after = (60, 60), (140, 60)
    restored.editor.compare.set_divider(0.5)
    settle(qtbot, restored)
    assert shown_at(restored, before) == photo[60, 60].tolist()
    assert np.mean(shown_at(restored, after)) > np.mean(photo[60, 140]) + 8


def test_space_shows_the_original_while_it_is_held(qtbot, restored, photo):
    place = (140, 60)
    qtbot.keyPress(restored.canvas, Qt.Key.Key_Space)
    assert shown_at(restored, place) == photo[60, 140].tolist()
    qtbot.keyRelease(restored.canvas, Qt.Key.Key_Space)
    assert shown_at(restored, place) != photo[60, 140].tolist()


def test_keys_1_to_5_choose_the_mode_and_v_flips(qtbot, restored):
    for key, mode in zip(range(Qt.Key.Key_1, Qt.Key.Key_6), CompareMode, strict=True):
        qtbot.keyClick(restored.canvas, Qt.Key(key))
        assert restored.editor.compare.mode is mode
        assert restored.actions_[mode.value].isChecked()
    qtbot.keyClick(restored.canvas, Qt.Key.Key_V)
    assert restored.editor.compare.stacked


def test_side_by_side_shows_the_same_part_twice(qtbot, restored, photo):
    restored.editor.compare.set_mode(CompareMode.SIDE_BY_SIDE)
    restored.editor.view.zoom_to(1.0)
    settle(qtbot, restored)
    first, second = restored.canvas.panes
    assert first.size == second.size
    found = colours(restored)
    x, y = (round(v) for v in restored.canvas.view.to_screen_xy(100, 60))
    left = found[y, x]
    right = found[y + round(second.origin.y()), x + round(second.origin.x())]
    assert left.tolist() == photo[60, 100].tolist()
    assert np.mean(right) > np.mean(left) + 8


def test_blink_changes_between_both(qtbot, restored, photo):
    restored.editor.compare.set_blink_ms(100)
    restored.editor.compare.set_mode(CompareMode.BLINK)
    place, seen = (140, 60), set()

    def both():
        seen.add(tuple(shown_at(restored, place)))
        return len(seen) == 2

    qtbot.waitUntil(both, timeout=WAIT_MS)
    assert tuple(photo[60, 140].tolist()) in seen


def test_difference_is_black_outside_and_amplified_inside(qtbot, restored):
    restored.editor.compare.set_mode(CompareMode.DIFFERENCE)
    restored.editor.compare.set_gain(4)
    settle(qtbot, restored)
    assert shown_at(restored, (10, 10)) == [0, 0, 0]
    inside = shown_at(restored, (100, 70))
    assert inside == pytest.approx([51, 51, 51], abs=3)  # 0.05 brighter, four times
    restored.editor.compare.set_gain(16)
    settle(qtbot, restored)
    assert min(shown_at(restored, (100, 70))) > 150


def test_the_divider_moves_by_keys_and_mouse(qtbot, restored):
    compare = restored.editor.compare
    for key, modifiers, expected in (
        (Qt.Key.Key_Right, Qt.KeyboardModifier.NoModifier, 0.51),
        (Qt.Key.Key_Left, Qt.KeyboardModifier.ShiftModifier, 0.41),
        (Qt.Key.Key_Home, Qt.KeyboardModifier.NoModifier, 0.0),
        (Qt.Key.Key_End, Qt.KeyboardModifier.NoModifier, 1.0),
    ):
        qtbot.keyClick(restored.canvas, key, modifiers)
        assert compare.divider == pytest.approx(expected)
    compare.set_divider(0.5)
    size = restored.canvas.size()
    middle = QPoint(size.width() // 2, size.height() // 2)
    qtbot.mousePress(restored.canvas, Qt.MouseButton.LeftButton, pos=middle)
    qtbot.mouseMove(restored.canvas, QPoint(size.width() // 4, middle.y()))
    qtbot.mouseRelease(restored.canvas, Qt.MouseButton.LeftButton, pos=QPoint(size.width() // 4, middle.y()))
    assert compare.divider == pytest.approx(0.25, abs=0.01)


def test_a_double_click_on_the_divider_resets_it(qtbot, restored):
    restored.editor.compare.set_divider(0.3)
    size = restored.canvas.size()
    knob = QPoint(round(size.width() * 0.3), size.height() // 2)
    qtbot.mouseDClick(restored.canvas, Qt.MouseButton.LeftButton, pos=knob)
    assert restored.editor.compare.divider == 0.5


def test_up_and_down_choose_the_rendition_and_shift_its_opponent_while_the_view_stays(qtbot, restored):
    editor = restored.editor
    editor.form.choose("amount", 0.08)
    with qtbot.waitSignal(editor.jobs.finished, timeout=WAIT_MS):
        editor.run()
    first, second = editor.active.renditions
    editor.view.zoom_to(2.5)
    looked = editor.view.zoom, editor.view.centre
    assert editor.active.chosen is second
    qtbot.keyClick(restored.canvas, Qt.Key.Key_Up)
    assert editor.active.chosen is first
    qtbot.keyClick(restored.canvas, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    assert editor.active.against is first
    qtbot.keyClick(restored.canvas, Qt.Key.Key_Down)
    assert editor.active.chosen is second
    assert (editor.view.zoom, editor.view.centre) == looked


def test_nothing_flashes_when_another_rendition_is_chosen(qtbot, restored):
    """Until all of the new one is there, the old one is drawn: never the original, never an empty tile."""
    editor = restored.editor
    editor.compare.set_mode(CompareMode.AFTER)
    settle(qtbot, restored)
    old = shown_at(restored, (100, 70))
    editor.form.choose("amount", 0.08)
    with qtbot.waitSignal(editor.jobs.finished, timeout=WAIT_MS):
        editor.run()
    seen = []
    while not restored.canvas.settled:
        seen.append(shown_at(restored, (100, 70)))
        qtbot.wait(1)
    seen.append(shown_at(restored, (100, 70)))
    new = seen[-1]
    assert new != old
    assert all(colour in (old, new) for colour in seen)


def test_handles_resize_and_the_edge_moves_a_region(qtbot, opened):
    region = opened.editor.add_region(Selection("rectangle", Rect(60, 40, 100, 80)))
    drag(qtbot, opened.canvas, (160, 120), (180, 130))
    assert region.selection.rect == Rect(60, 40, 120, 90)
    drag(qtbot, opened.canvas, (90, 40), (100, 50))
    assert region.selection.rect == Rect(70, 50, 120, 90)
    opened.editor.history.undo()
    assert region.selection.rect == Rect(60, 40, 120, 90)
    opened.editor.history.redo()
    assert region.selection.rect == Rect(70, 50, 120, 90)


def test_ctrl_arrows_move_and_with_shift_resize_a_region(qtbot, opened):
    region = opened.editor.add_region(Selection("rectangle", Rect(60, 40, 100, 80)))
    control, shift = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
    qtbot.keyClick(opened.canvas, Qt.Key.Key_Right, control)
    qtbot.keyClick(opened.canvas, Qt.Key.Key_Down, control)
    assert region.selection.rect == Rect(61, 41, 100, 80)
    qtbot.keyClick(opened.canvas, Qt.Key.Key_Left, control | shift)
    assert region.selection.rect == Rect(61, 41, 99, 80)


def test_a_click_chooses_the_region_under_it_and_delete_removes_it(qtbot, opened):
    editor = opened.editor
    first = editor.add_region(Selection("rectangle", Rect(20, 20, 60, 60)))
    second = editor.add_region(Selection("rectangle", Rect(120, 60, 60, 60)))
    click(qtbot, opened.canvas, (50, 50))
    assert editor.active is first
    qtbot.keyClick(opened.canvas, Qt.Key.Key_Delete)
    assert first not in editor.regions
    editor.history.undo()
    assert first in editor.regions
    assert second in editor.regions


@pytest.mark.parametrize(("key", "kind"), [(Qt.Key.Key_O, "lasso"), (Qt.Key.Key_P, "brush")])
def test_lasso_and_brush_make_regions(qtbot, opened, key, kind):
    opened.editor.brush.set_size(20)
    qtbot.keyClick(opened.canvas, key)
    drag(qtbot, opened.canvas, (60, 40), (140, 40), (140, 110), (60, 110))
    assert opened.editor.active.selection.kind == kind
    assert opened.editor.active.selection.covers(100, 42)


def test_the_eraser_and_alt_take_away_from_the_mask(qtbot, opened):
    editor = opened.editor
    editor.brush.set_size(30)
    editor.brush.set_softness(0)
    region = editor.add_region(Selection("rectangle", Rect(60, 40, 100, 80)))
    qtbot.keyClick(opened.canvas, Qt.Key.Key_E)
    drag(qtbot, opened.canvas, (100, 80), (102, 80))
    assert not region.selection.covers(100, 80)
    drag(qtbot, opened.canvas, (100, 80), (102, 80), modifiers=Qt.KeyboardModifier.AltModifier)
    assert region.selection.covers(100, 80)


def test_the_numbers_under_the_pointer_are_the_documents_own(qtbot, opened, photo):
    opened.editor.view.zoom_to(8.0)
    move(opened.canvas, position(opened.canvas, (50.5, 30.5)))
    numbers = "  ".join(str(v) for v in photo[30, 50])
    assert opened.status.pixel.text() == f"50, 30    {numbers}"
