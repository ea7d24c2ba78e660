"""Draws the batch's pictures of docs/desktop.md: `xvfb-run python -m tests.desktop.batch_screens FOLDER`.

Real windows against a real daemon with `compact`. The photographs are scikit-image's, damaged by noise: the coffee cup
(Rachel Michetti, CC0), the astronaut (NASA, public domain), the cat (Stéfan van der Walt, CC0), the rocket (SpaceX,
CC0).
"""

import os
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image
from PySide6.QtCore import QSettings
from skimage import data

from safelight.client.restoration import RestorationClient
from safelight_desktop import app as desktop
from safelight_desktop import texts
from safelight_desktop.rpc.background import Background
from safelight_desktop.rpc.link import DaemonLink, LinkState
from safelight_desktop.state.batch import BatchQueue
from safelight_desktop.state.batch_rows import RowState
from safelight_desktop.state.estimate import Speeds
from safelight_desktop.state.power import Power
from safelight_desktop.state.presets import OwnPresets
from safelight_desktop.widgets import theme
from safelight_desktop.windows.batch_window import BatchWindow
from safelight_desktop.windows.helps import NO_HELP
from tests.fakes.daemon import daemon_process, short_folder

DAEMON = [sys.executable, "-m", "safelight.cli.main", "serve"]
SIZE, QUALITY = (1280, 800), 82
NOISE = 9.0


def scans(folder):
    """An album: ten pictures in folders, one of them torn."""
    noise = np.random.default_rng(3)
    cup, cat, rocket, woman = data.coffee(), data.chelsea(), data.rocket(), data.astronaut()
    for name, pixels in {
        "1952/Cup and saucer.jpg": cup[:400, :600],
        "1952/Portrait.jpg": woman[:400, 60:460],
        "1961/Cat.jpg": cat,
        "1961/Launch pad.jpg": rocket,
        "1961/Breakfast.jpg": cup[100:360, 40:380],
        "1974/Suit 2.jpg": woman[200:512, :400],
        "1974/Suit 10.jpg": cat[50:260, 100:400],
        "1974/Torn.jpg": rocket[:200, :300],
        "Garden.jpg": cup[0:200, 200:500],
        "Evening.jpg": rocket[100:400, 200:600],
    }.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        noisy = np.clip(pixels + noise.normal(0, NOISE, pixels.shape), 0, 255).astype(np.uint8)
        Image.fromarray(noisy).save(path, quality=60)
    torn = folder / "1974/Torn.jpg"
    torn.write_bytes(torn.read_bytes()[:500])
    return folder


class Session:
    """One window, and the loop that it lives in."""

    def __init__(self, app, folder, kept, *, appearance, language):
        self.app = app
        texts.install(app, language)
        theme.apply(app, appearance)
        settings = QSettings(str(kept / "desktop.ini"), QSettings.Format.IniFormat)
        self.background = Background()
        self.link = DaemonLink(
            self.background, open_client=lambda: RestorationClient.local(folder, start=False)
        )
        self.speeds = Speeds(settings)
        power = Power(self.background, look=lambda: False)
        self.queue = BatchQueue(self.link, self.background, self.speeds, kept / "batch", power)
        self.window = BatchWindow(
            self.queue, OwnPresets(settings), settings, compare=lambda *_: None, help_for=lambda _: NO_HELP
        )
        self.window.resize(*SIZE)
        self.window.show()
        self.queue.load()
        self.link.connect_now()
        self.until(lambda: self.link.state is LinkState.CONNECTED and self.queue.loaded)
        self.queue.form.choose_pipeline("compact")

    def until(self, condition, within_s=120.0):
        deadline = time.monotonic() + within_s
        while not condition():
            assert time.monotonic() < deadline, "it never happened"
            self.app.processEvents()
            time.sleep(0.004)

    def rest(self, seconds=0.6):
        until = time.monotonic() + seconds
        self.until(lambda: time.monotonic() > until)

    def add(self, folder):
        self.queue.add([folder])
        self.until(lambda: not self.queue.busy and self.queue.rows and self.queue.estimate is not None)
        self.until(lambda: self.window.thumbs.idle)

    def run(self):
        self.queue.start()
        self.until(lambda: not self.queue.running)

    def shoot(self, out):
        self.rest()
        image = self.window.grab().toImage()
        rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1, 4)[:, : image.width()]
        Image.fromarray(np.ascontiguousarray(rows[..., [2, 1, 0]])).save(out, quality=QUALITY, optimize=True)

    def close(self):
        self.window.shut()
        self.queue.close()
        self.link.close()
        self.background.close()


@contextmanager
def session(app, folder, appearance, language):
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as kept:
        made = Session(app, folder, Path(kept), appearance=appearance, language=language)
        made.add(scans(Path(kept) / "Scans"))
        yield made
        made.close()


def running(s, out):
    def underway():
        row = s.queue.current
        return s.queue.count(RowState.DONE) >= 4 and row is not None and row.progress is not None

    s.queue.start()
    s.until(underway)
    s.shoot(out)


def sheet(s, out):
    s.run()
    s.window.queue_page.sidebar.run_box.look.click()
    shown = s.window.sheet
    for place, judge in ((0, shown.accept), (1, shown.accept), (4, shown.reject)):
        shown.cards.choose(place)
        judge()
        s.rest(0.2)
    shown.cards.choose(2)
    s.until(lambda: shown.thumbs.idle)
    s.rest()
    s.until(lambda: not shown.detail.busy and shown.detail.pair is not None)
    s.shoot(out)


SHOTS = {"batch": running, "contact-sheet": sheet}


def main(out, every=False):
    """The pictures of the docs; with `every` all of them in both languages and appearances. Gives the exit code."""
    out.mkdir(parents=True, exist_ok=True)
    if not os.environ.get("DISPLAY"):
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
    looks = {"batch": [("dark", "en")], "contact-sheet": [("light", "de")]}
    with short_folder() as folder, daemon_process(folder, DAEMON):
        app = desktop.make_app(["safelight"])
        for name, shot in SHOTS.items():
            for look in (
                looks[name] if not every else [(a, c) for a in ("dark", "light") for c in ("en", "de")]
            ):
                with session(app, folder, *look) as s:
                    shot(s, out / (f"{name}-{'-'.join(look)}.jpg" if every else f"{name}.jpg"))
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), "--every" in sys.argv))
