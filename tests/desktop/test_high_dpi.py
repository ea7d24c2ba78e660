"""A screen with two pixels where others have one."""

import json
import os
import subprocess
import sys

from tests.fakes.daemon import ROOT

SCRIPT = """
import json, sys, time
from pathlib import Path
import numpy as np
from PySide6.QtCore import QSettings
from PySide6.QtTest import QTest
from safelight_desktop import app as desktop
from safelight_desktop.rpc.background import Background
from safelight_desktop.rpc.link import DaemonLink
from safelight_desktop.state.document import load_document
from safelight_desktop.widgets import theme
from safelight_desktop.windows.main_window import MainWindow
from tests.desktop.mouse import drag
from tests.desktop.test_translations import cut_off

class Mouse:
    mousePress = staticmethod(lambda widget, button, modifiers, pos: QTest.mousePress(widget, button, modifiers, pos))
    mouseRelease = staticmethod(lambda w, button, modifiers, pos: QTest.mouseRelease(w, button, modifiers, pos))

app = desktop.make_app(["safelight"])
theme.apply(app, "dark")
background = Background()
settings = QSettings(sys.argv[2], QSettings.Format.IniFormat)
window = MainWindow(DaemonLink(background), background, settings)
window.resize(1000, 700)
window.show()
editor, canvas = window.editor, window.canvas
document = load_document(Path(sys.argv[1]))
editor.show_document(document)
editor.view.zoom_to(1.0)

def settle():
    until = time.monotonic() + 20
    for _ in range(3):
        app.processEvents()
    while not canvas.settled and time.monotonic() < until:
        app.processEvents()
        time.sleep(0.005)

settle()
image = canvas.grab().toImage()
pixels = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1, 4)[:, : image.width(), [2, 1, 0]]
left, top = (round(v) for v in editor.view.to_screen_xy(100, 60))
exact = np.array_equal(pixels[top : top + 40, left : left + 50], document.pixels[60:100, 100:150])
window.actions_["rectangle"].trigger()
drag(Mouse, canvas, (40, 30), (160, 110))
print(json.dumps({
    "ratio": canvas.devicePixelRatioF(),
    "image": [image.width(), image.height()],
    "canvas": [canvas.width(), canvas.height()],
    "viewport": list(editor.view.viewport),
    "exact": exact,
    "rect": list(editor.active.selection.rect),
    "icon": max(s.width() for s in window.actions_["open"].icon().availableSizes()),
    "cut off": cut_off(window),
}))
window.close()
"""


def test_at_scale_two_pixels_of_the_picture_are_pixels_of_the_screen(photo_png, tmp_path):
    environment = {
        **os.environ, "QT_QPA_PLATFORM": "offscreen", "QT_SCALE_FACTOR": "2", "PYTHONPATH": str(ROOT),
    }  # fmt: skip
    command = [sys.executable, "-c", SCRIPT, str(photo_png), str(tmp_path / "settings.ini")]
    said = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert said.returncode == 0, said.stderr
    told = json.loads(said.stdout)
    assert told["ratio"] == 2.0
    assert told["image"] == told["viewport"] == [2 * side for side in told["canvas"]]
    assert told["exact"]
    assert all(abs(a - b) <= 1 for a, b in zip(told["rect"], [40, 30, 120, 80], strict=True))  # half a point
    assert told["icon"] >= 40
    assert told["cut off"] == []
