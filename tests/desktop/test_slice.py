"""From a file to a saved result, with the mouse, against a real daemon."""

import numpy as np
from PIL import Image
from PySide6.QtCore import Qt

from safelight.geometry import Rect
from safelight.imaging.files import open_picture
from safelight.imaging.record import read_operations
from tests.desktop.fixtures import WAIT_MS
from tests.desktop.mouse import drag


def test_a_box_is_drawn_restored_by_compact_and_saved(qtbot, opened, photo, tmp_path):
    qtbot.keyClick(opened.canvas, Qt.Key.Key_M)
    drag(qtbot, opened.canvas, (40, 30), (160, 110))
    region = opened.editor.active
    rect = region.selection.rect
    assert rect.size == (120, 80)
    assert (
        max(abs(rect.x - 40), abs(rect.y - 30)) <= 1
    )  # pixels of the screen may lie between those of the picture
    with qtbot.waitSignal(opened.editor.jobs.finished, timeout=WAIT_MS):
        qtbot.mouseClick(opened.sidebar.run_box.run, Qt.MouseButton.LeftButton)
    assert region.shown.report["pipeline"] == "compact"
    out = tmp_path / "out.png"
    with qtbot.waitSignal(opened.saved, timeout=WAIT_MS):
        opened.save_to(out)
    result = np.asarray(Image.open(out))
    outside = np.ones(photo.shape[:2], bool)
    outside[rect.slices] = False
    assert np.array_equal(result[outside], photo[outside])
    assert not np.array_equal(result, photo)
    (operation,) = read_operations(open_picture(out).metadata.xmp)
    assert operation["region"] == list(rect)


def test_everything_from_region_to_project_goes_by_keys(qtbot, opened, tmp_path, monkeypatch):
    control = Qt.KeyboardModifier.ControlModifier
    shift = Qt.KeyboardModifier.ShiftModifier
    qtbot.keyClick(opened.canvas, Qt.Key.Key_N, control)
    region = opened.editor.active
    assert region.selection.rect == Rect(60, 40, 120, 80)
    qtbot.keyClick(opened.canvas, Qt.Key.Key_Right, control)
    qtbot.keyClick(opened.canvas, Qt.Key.Key_Down, control | shift)
    assert region.selection.rect == Rect(61, 40, 120, 81)
    with qtbot.waitSignal(opened.editor.jobs.finished, timeout=WAIT_MS):
        qtbot.keyClick(opened.canvas, Qt.Key.Key_Return, control)
    qtbot.keyClick(opened.canvas, Qt.Key.Key_Up)
    assert region.shown is None
    qtbot.keyClick(opened.canvas, Qt.Key.Key_Down)
    assert region.shown is region.renditions[0]
    path = tmp_path / "work.safelight"
    monkeypatch.setattr(
        "safelight_desktop.windows.saving.QFileDialog.getSaveFileName", lambda *_, **__: (str(path), "")
    )
    with qtbot.waitSignal(opened.saved, timeout=WAIT_MS):
        qtbot.keyClick(opened.canvas, Qt.Key.Key_S, control | shift)
    assert path.exists()
