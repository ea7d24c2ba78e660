"""The event loop is never kept waiting: open, run and scroll, with the daemon as a process of its own."""

import sys
import time

import numpy as np
import pytest
import pyvips
from PySide6.QtCore import QTimer

from safelight.client.restoration import RestorationClient
from safelight.geometry import Rect
from safelight_desktop.planes.tiles import CACHE_BYTES
from safelight_desktop.rpc.background import Background, favour_event_loop
from safelight_desktop.rpc.link import DaemonLink
from safelight_desktop.state.compare import CompareMode
from safelight_desktop.state.selection import Selection
from safelight_desktop.windows.main_window import MainWindow
from tests.desktop.fixtures import WAIT_MS
from tests.desktop.mouse import drag, wheel
from tests.desktop.watchdog import Watchdog

pytestmark = pytest.mark.timing
BLOCKED_MOST_MS = 50
TRIES = 4


@pytest.fixture
def window(qtbot, own_daemon, preferences):
    """Against a daemon that shares no interpreter with it."""
    interval = sys.getswitchinterval()
    favour_event_loop()
    background = Background()
    link = DaemonLink(background, open_client=lambda: RestorationClient.local(own_daemon.folder, start=False))
    made = MainWindow(link, background, preferences)
    qtbot.addWidget(made)
    made.resize(1200, 800)
    made.show()
    with qtbot.waitSignal(link.greeted, timeout=WAIT_MS):
        link.connect_now()
    made.editor.form.choose_pipeline("compact")
    yield made
    made.close()
    sys.setswitchinterval(interval)


@pytest.fixture(scope="module")
def large_picture(tmp_path_factory):
    """24 megapixels, 16 bit, a photograph repeated."""
    from skimage import data

    tile = data.coffee().astype(np.uint16) * 257
    pixels = np.tile(tile, (10, 10, 1))
    path = tmp_path_factory.mktemp("large") / "large.tif"
    image = pyvips.Image.new_from_memory(pixels.data, pixels.shape[1], pixels.shape[0], 3, "ushort")
    image.copy(interpretation="rgb16").tiffsave(str(path))
    return path


def test_a_watchdog_notices_a_blocked_loop(qtbot):
    with Watchdog() as dog:
        QTimer.singleShot(20, lambda: time.sleep(0.12))
        qtbot.wait(250)
    assert dog.worst_ms > 60


def open_it(qtbot, window, path):
    with qtbot.waitSignal(window.editor.document_changed, timeout=60_000):
        window.open_files([path])
    settle(qtbot, window)


def scroll(qtbot, window, path):
    canvas, view = window.canvas, window.editor.view
    for notches in (2, 2, 2, -3, 4, 3, -2):
        wheel(canvas, (3000, 2000), notches)
        qtbot.wait(30)
    for _ in range(8):
        middle = view.centre
        drag(qtbot, canvas, middle, (middle.x + 60 / view.zoom, middle.y + 20 / view.zoom))
        qtbot.wait(15)
    settle(qtbot, window)


def run_it(qtbot, window, path):
    editor = window.editor
    editor.add_region(Selection("rectangle", Rect(2000, 1500, 900, 700)))
    editor.view.show_rect(Rect(1900, 1400, 1100, 900))
    with qtbot.waitSignal(editor.jobs.finished, timeout=60_000):
        editor.run()
    settle(qtbot, window)


def compare(qtbot, window, path):
    editor = window.editor
    for mode in CompareMode:
        editor.compare.set_mode(mode)
        settle(qtbot, window)
    editor.form.choose("strength", 0.5)
    qtbot.waitUntil(lambda: not editor.refresh.busy, timeout=60_000)
    settle(qtbot, window)
    editor.compare.set_mode(CompareMode.SPLIT)


def settle(qtbot, window):
    qtbot.waitUntil(lambda: window.canvas.settled, timeout=60_000)


def worst_ms(qtbot, window, path, phases):
    """Of each phase, the best of a few tries: what blocks does so every time, a busy machine does not."""
    worst = dict.fromkeys(phases, float("inf"))
    for _ in range(TRIES):
        for phase in phases:
            with Watchdog() as dog:
                phase(qtbot, window, path)
            worst[phase] = min(worst[phase], dog.worst_ms)
        if max(worst.values()) <= BLOCKED_MOST_MS:
            break
    return {phase.__name__: round(ms) for phase, ms in worst.items()}


def test_opening_scrolling_running_and_comparing_never_block(qtbot, window, large_picture):
    worst = worst_ms(qtbot, window, large_picture, (open_it, scroll, run_it, compare))
    assert max(worst.values()) <= BLOCKED_MOST_MS, worst


def test_200_megapixels_open_and_scroll_without_blocking_and_within_the_cache(qtbot, window, tmp_path):
    path = tmp_path / "huge.tif"
    row = (np.arange(20_000) % 251).astype(np.uint8)
    pixels = np.broadcast_to(row, (10_000, 20_000)) + (np.arange(10_000) % 5).astype(np.uint8)[:, None]
    pyvips.Image.new_from_memory(pixels.data, 20_000, 10_000, 1, "uchar").tiffsave(str(path))
    worst = worst_ms(qtbot, window, path, (open_it, scroll_far))
    assert max(worst.values()) <= BLOCKED_MOST_MS, worst
    assert window.editor.view.document.area == 200_000_000
    assert window.canvas.store.held_bytes <= CACHE_BYTES


def scroll_far(qtbot, window, path):
    canvas, view = window.canvas, window.editor.view
    for x in (2000, 9000, 17_000):
        for notches in (6, 12):
            wheel(canvas, (x, 5000), notches)
            settle(qtbot, window)
        view.fit()
    view.zoom_to(0.5)
    for _ in range(25):
        view.pan(-350, 10)
        qtbot.wait(10)
    settle(qtbot, window)
