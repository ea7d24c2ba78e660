"""Draws the pictures of docs/desktop.md: `xvfb-run python -m tests.desktop.screens FOLDER`, also without a display.

Real windows against a real daemon with `compact`. The photographs are scikit-image's: the coffee cup (Rachel Michetti,
CC0), damaged by noise and a hard JPEG, and the astronaut (NASA, public domain).
"""

import io
import os
import sys
import tempfile
import time
from contextlib import contextmanager
from math import cos, pi, sin
from pathlib import Path

import numpy as np
from PIL import Image
from PySide6.QtCore import QPointF, QSettings
from skimage import data

from safelight.client.restoration import RestorationClient
from safelight.geometry import Rect
from safelight_desktop import app as desktop
from safelight_desktop import texts
from safelight_desktop.rpc.background import Background
from safelight_desktop.rpc.link import DaemonLink, LinkState
from safelight_desktop.state.doctor import Finding
from safelight_desktop.state.painting import Brush, Stroke, lasso_selection
from safelight_desktop.state.selection import Selection
from safelight_desktop.state.view import Point
from safelight_desktop.widgets import theme
from safelight_desktop.windows.install_dialog import InstallDialog
from safelight_desktop.windows.main_window import MainWindow
from safelight_desktop.windows.preferences_dialog import PreferencesDialog
from safelight_desktop.windows.shortcuts_dialog import ShortcutsDialog
from tests.fakes.daemon import ROOT, daemon_process, short_folder

SIZE = (1360, 850)
QUALITY = 82
DAEMON = [sys.executable, "-m", "safelight.cli.main", "serve"]
FACE = Rect(150, 10, 150, 190)


class Session:
    """One window, and the loop that it lives in."""

    def __init__(self, app, folder, out, *, appearance, language):
        self.app, self.out = app, out
        texts.install(app, language)
        theme.apply(app, appearance)
        settings = QSettings(str(folder / f"{appearance}-{language}.ini"), QSettings.Format.IniFormat)
        background = Background()
        link = DaemonLink(background, open_client=lambda: RestorationClient.local(folder, start=False))
        self.window = MainWindow(link, background, settings)
        self.window.resize(*SIZE)
        self.window.show()
        link.connect_now()
        self.until(lambda: link.state is LinkState.CONNECTED)

    @property
    def editor(self):
        return self.window.editor

    def until(self, condition, within_s=120.0):
        deadline = time.monotonic() + within_s
        while not condition():
            assert time.monotonic() < deadline, "it never happened"
            self.app.processEvents()
            time.sleep(0.004)

    def rest(self, seconds=0.4):
        until = time.monotonic() + seconds
        self.until(lambda: time.monotonic() > until)

    def open(self, path):
        self.window.open_files([path])
        self.until(lambda: self.editor.document is not None and self.editor.document.path == path)
        self.until(lambda: self.window.canvas.settled)

    def run(self):
        self.editor.run()
        self.until(lambda: not self.editor.jobs.running and not self.editor.refresh.busy)
        self.until(lambda: self.window.canvas.settled)

    def shoot(self, name, widget=None):
        self.until(lambda: self.window.canvas.settled)
        self.rest()
        image = (widget or self.window).grab().toImage()
        rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1, 4)[:, : image.width()]
        Image.fromarray(np.ascontiguousarray(rows[..., [2, 1, 0]])).save(
            self.out / f"{name}.jpg", quality=QUALITY, optimize=True
        )


@contextmanager
def session(app, folder, out, appearance="dark", language="en"):
    made = Session(app, folder, out, appearance=appearance, language=language)
    yield made
    made.window.close()


def damaged(path):
    """The coffee cup as a bad scan."""
    cup = data.coffee()[:400, :600].astype(np.float32)
    noisy = np.clip(cup + np.random.default_rng(7).normal(0, 8, cup.shape), 0, 255).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(noisy).save(file, "JPEG", quality=40)
    path.write_bytes(file.getvalue())
    return path


def empty_and_error(app, folder, out, cup):
    with session(app, folder, out) as s:
        s.shoot("empty")
        s.window.open_files([cup.with_name("scan.psd")])
        s.until(lambda: s.window.messages.isVisible())
        s.shoot("error")


def compare(app, folder, out, cup):
    with session(app, folder, out) as s:
        s.open(cup)
        s.editor.add_region(Selection("rectangle", Rect(250, 160, 240, 200)))
        s.run()
        s.editor.form.choose("sharpness", 1.0)
        s.run()
        s.editor.view.zoom_to(2.6)
        s.editor.view.centre = Point(372, 262)
        s.editor.view.changed.emit()
        s.editor.compare.set_divider(0.46)
        s.shoot("split")
        s.window.actions_["side-by-side"].trigger()
        s.shoot("side-by-side")
        s.window.actions_["difference"].trigger()
        s.editor.compare.set_gain(8)
        s.shoot("difference")
        s.editor.activate(s.editor.regions[0])
        s.editor.form.choose("sharpness", 1.0)
        s.run()
        s.window.actions_["after"].trigger()
        s.editor.view.fit()
        s.window.actions_["invention"].trigger()
        s.until(lambda: not s.window.canvas.maps.busy)
        s.shoot("map")


def masks(app, folder, out, cup, face):
    with session(app, folder, out, "light") as s:
        s.open(face)
        circle = [Point(228 + 78 * cos(t / 20 * pi), 108 + 92 * sin(t / 20 * pi)) for t in range(40)]
        s.editor.add_region(lasso_selection(circle, s.editor.document.size))
        patch = Stroke(None, "paint", Brush(26, 0.6, 255), s.editor.document.size)
        for x in range(300, 360, 6):
            patch.to(Point(x, 380 + (x - 300) / 3))
        s.editor.add_region(patch.result())
        s.editor.view.zoom_to(1.45)
        s.window.actions_["brush"].trigger()
        s.window.canvas.pointer = QPointF(720, 560)
        s.window.canvas.tool.hover(s.window.canvas.pointer)
        s.shoot("masks")


def loupe(app, folder, out, cup):
    with session(app, folder, out) as s:
        s.open(cup)
        s.editor.form.choose_scale(1)
        s.editor.form.choose("sharpness", 1.0)
        s.editor.view.zoom_to(2.0)
        lens = s.window.canvas.loupe
        lens.show_at(QPointF(520, 420))
        s.until(lambda: not lens.state.busy)
        s.shoot("loupe")
        lens.hide()


def running(app, folder, out, cup):
    large = cup.with_name("large.png")
    Image.open(cup).resize((2400, 1600), Image.Resampling.BICUBIC).save(large)
    with session(app, folder, out, "light", "de") as s:
        s.open(large)
        s.editor.view.zoom_to(1.0)
        s.editor.compare.set_divider(0.3)
        s.editor.run()
        s.until(lambda: len(s.editor.jobs.running[0].tiles) >= 12)
        s.shoot("running")
        s.editor.jobs.cancel_all()
        s.until(lambda: not s.editor.jobs.running)
        s.editor.form.choose_pipeline("s3diff")
        s.rest()
        s.window.sidebar.scrolled.ensureWidgetVisible(s.window.sidebar.settings.rows["colour_fix"])
        s.shoot("s3diff")
        keys = ShortcutsDialog(s.window.actions_, s.window)
        keys.show()
        s.shoot("keys", keys)
        keys.close()


def pages(app, folder, out, cup):
    """The daemon's window and the preferences, in both languages and both themes."""
    with session(app, folder, out, "light", "de") as s:
        s.window.show_daemon("checkpoints")
        s.until(lambda: s.window.checkpoints.entries)
        s.shoot("checkpoints", s.window.daemon_window)
        dialog = InstallDialog(s.window.checkpoints.missing("s3diff"), 64 * 10**9, parent=s.window)
        dialog.show()
        s.shoot("licences", dialog)
        dialog.close()
    with session(app, folder, out) as s:
        s.open(cup)
        s.run()
        s.window.show_daemon("loaded")
        s.until(lambda: s.window.device.device and s.window.device.device.residents)
        s.shoot("loaded", s.window.daemon_window)
        s.window.show_daemon("doctor")
        s.until(lambda: s.window.doctor.findings and not s.window.doctor.checking)
        s.window.doctor.findings = [tidied(finding) for finding in s.window.doctor.findings]
        s.window.doctor.changed.emit()
        s.shoot("doctor", s.window.daemon_window)
        dialog = PreferencesDialog(s.window.preferences, s.window.device, s.window.link, s.window)
        dialog.tabs.setCurrentWidget(dialog.daemon)
        dialog.show()
        s.shoot("preferences", dialog)
        dialog.close()
    for closed in (folder / "unfinished").glob("*/closed"):
        closed.unlink()  # as after a crash
    with session(app, folder, out, "light", "de") as s:
        s.shoot("go-on")


def tidied(finding):
    """Without the paths of the machine that draws these pictures."""
    places = ((sys.prefix, "~/safelight/.venv"), (str(ROOT), "~/safelight"), (tempfile.gettempdir(), "/tmp"))
    text = finding.text
    for place, shown in places:
        text = text.replace(place, shown)
    return Finding(finding.area, text, finding.fix)


@contextmanager
def environment(home, folder):
    """A new person's: commands meet the daemon of these pictures."""
    os.environ.update(HOME=home, XDG_DATA_HOME=f"{home}/.local/share", SAFELIGHT_RUNTIME_DIR=str(folder))
    yield


def main(out):
    """Gives the exit code."""
    out.mkdir(parents=True, exist_ok=True)
    if not os.environ.get("DISPLAY"):
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as kept,
        short_folder() as folder,
        environment(kept, folder),
        daemon_process(folder, DAEMON),
    ):
        app = desktop.make_app(["safelight"])
        out = out.absolute()
        os.chdir(kept)
        cup, face = damaged(Path("scan.jpg")), Path("portrait.jpg")
        Image.fromarray(data.astronaut()).save(face, quality=40)
        cup.with_name("scan.psd").write_bytes(b"8BPS\0\1")
        empty_and_error(app, folder, out, cup)
        compare(app, folder, out, cup)
        masks(app, folder, out, cup, face)
        loupe(app, folder, out, cup)
        running(app, folder, out, cup)
        pages(app, folder, out, cup)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
