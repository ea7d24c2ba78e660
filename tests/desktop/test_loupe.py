"""Restored pixels under the pointer while L is held."""

import time

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import Qt
from skimage import data

from safelight.client.restoration import RestorationClient
from safelight.geometry import Rect
from safelight_desktop.rpc.background import Background
from safelight_desktop.rpc.link import DaemonLink
from safelight_desktop.state.document import load_document
from safelight_desktop.state.editor import Editor
from safelight_desktop.state.loupe import LoupeState
from safelight_desktop.state.selection import Selection
from safelight_desktop.state.view import Point
from tests.desktop.fixtures import WAIT_MS
from tests.desktop.mouse import move, position
from tests.desktop.watchdog import slowdown

FIRST_PIXELS_MOST_S = 0.3
TRIES = 8


def hold(qtbot, window, point):
    move(window.canvas, position(window.canvas, point))
    qtbot.keyPress(window.canvas, Qt.Key.Key_L)


def test_the_lens_shows_restored_pixels_and_goes_with_the_key(qtbot, opened, photo):
    opened.editor.form.choose_pipeline("brighten")
    opened.editor.form.choose_scale(1)
    canvas = opened.canvas
    place = position(canvas, (100, 80))
    before = canvas.grab().toImage().pixelColor(place)
    with qtbot.waitSignal(canvas.loupe.state.arrived, timeout=WAIT_MS):
        hold(qtbot, opened, (100, 80))
    lit = canvas.grab().toImage().pixelColor(place)
    assert lit.red() - before.red() == pytest.approx(13, abs=2)
    qtbot.keyRelease(canvas, Qt.Key.Key_L)
    assert canvas.grab().toImage().pixelColor(place) == before


def test_within_a_region_the_lens_shows_just_what_a_run_gives(qtbot, opened):
    editor, state = opened.editor, opened.canvas.loupe.state
    editor.add_region(Selection("rectangle", Rect(30, 20, 180, 120)))
    with qtbot.waitSignal(state.arrived, timeout=WAIT_MS):
        hold(qtbot, opened, (100, 80))
    (cell,) = state.cells(Rect(100, 80, 1, 1))
    qtbot.keyRelease(opened.canvas, Qt.Key.Key_L)
    editor.form.choose("feather", 0.0)
    with qtbot.waitSignal(editor.jobs.finished, timeout=WAIT_MS):
        editor.run()
    assert cell.exact
    assert cell.rect == Rect(30, 20, 180, 120)
    rows = np.frombuffer(cell.image.constBits(), np.uint8).reshape(120, -1, 4)[:, :180]
    assert np.array_equal(rows[..., [2, 1, 0]], editor.active.shown.pixels)


def test_what_was_seen_is_not_computed_again_until_the_settings_change(qtbot, opened):
    state = opened.canvas.loupe.state
    with qtbot.waitSignal(state.arrived, timeout=WAIT_MS):
        hold(qtbot, opened, (100, 80))
    qtbot.keyRelease(opened.canvas, Qt.Key.Key_L)
    hold(qtbot, opened, (100, 80))
    assert not state.busy
    qtbot.keyRelease(opened.canvas, Qt.Key.Key_L)
    opened.editor.form.choose("sharpness", 1.0)
    assert state.cells(Rect(0, 0, 240, 160)) == []


def test_leaving_cancels_what_runs(qtbot, opened):
    state = opened.canvas.loupe.state
    opened.editor.form.choose_pipeline("tortoise")
    opened.editor.form.choose("pause", 1.0)
    hold(qtbot, opened, (100, 80))
    assert state.busy
    qtbot.keyRelease(opened.canvas, Qt.Key.Key_L)
    qtbot.waitUntil(lambda: not state.busy, timeout=WAIT_MS)
    assert state.cells(Rect(0, 0, 240, 160)) == []


def test_compact_shows_its_first_256_pixels_within_300_ms(qtbot, own_daemon, tmp_path):
    path = tmp_path / "photo.png"
    Image.fromarray(np.tile(data.coffee(), (3, 3, 1))).save(path)
    background = Background()
    link = DaemonLink(background, open_client=lambda: RestorationClient.local(own_daemon.folder, start=False))
    editor = Editor(link, background)
    with qtbot.waitSignal(link.greeted, timeout=WAIT_MS):
        link.connect_now()
    editor.form.choose_pipeline("compact")
    editor.show_document(load_document(path))
    editor.form.choose_scale(1)
    loupe, times = LoupeState(editor), []
    own_daemon.client.load("compact")
    for number in range(TRIES):
        busy = slowdown()
        started = time.monotonic()
        with qtbot.waitSignal(loupe.arrived, timeout=WAIT_MS):
            loupe.look(Point(128 + 256 * number % 1536, 128 + 256 * (number // 5)), 200, 200)
        times.append((time.monotonic() - started) / busy)
        qtbot.waitUntil(lambda: not loupe.busy, timeout=WAIT_MS)
    editor.close()
    link.close()
    background.close()
    assert min(times) <= FIRST_PIXELS_MOST_S, times
