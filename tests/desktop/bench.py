"""What the app costs a person in waiting: `python -m tests.desktop.bench [RUNS] [--tiny]`.

The daemon is a process of its own with `compact`; the window is offscreen, 1920 x 1080.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
import pyvips
from PySide6.QtCore import QPointF
from skimage import data

from safelight.geometry import Rect
from safelight_desktop import app as desktop
from safelight_desktop.state.selection import Selection
from safelight_desktop.state.view import Point
from tests.bench.machine import facts, load_note
from tests.bench.tables import Table, best_and_median, verdict
from tests.desktop.screens import DAEMON, Session
from tests.desktop.watchdog import Watchdog
from tests.fakes.daemon import daemon_process, short_folder

RUNS = 5
SIZES, TINY = ((6000, 4000), (20_000, 10_000)), ((4400, 2200), (5000, 3000))
LOUPE_BAR_S, BLOCKED_BAR_S = 0.3, 0.05


def picture(folder, name, size, dtype):
    """A photograph repeated to `size`, as an uncompressed TIFF."""
    cup = data.coffee().astype(dtype) * (257 if dtype is np.uint16 else 1)
    repeats = (-(-size[1] // cup.shape[0]), -(-size[0] // cup.shape[1]), 1)
    pixels = np.ascontiguousarray(np.tile(cup, repeats)[: size[1], : size[0]])
    kind = "ushort" if dtype is np.uint16 else "uchar"
    image = pyvips.Image.new_from_memory(pixels.data, *size, 3, kind)
    path = folder / name
    image.copy(interpretation="rgb16" if dtype is np.uint16 else "srgb").tiffsave(str(path))
    return path


def timed(action):
    started = time.monotonic()
    action()
    return time.monotonic() - started


def loupe(session):
    """From the key to the first restored pixels, each time at another place."""
    state, editor = session.window.canvas.loupe.state, session.editor
    editor.form.choose_scale(1)
    editor.form.new_seed()  # nothing that was kept is used
    arrived = []
    state.arrived.connect(lambda: arrived.append(1))
    times = []
    for number in range(6):
        del arrived[:]
        started = time.monotonic()
        state.look(Point(400.0 + 700 * number, 400.0 + 300 * number), 250, 250)
        session.until(lambda: arrived)
        times.append(time.monotonic() - started)
        session.until(lambda: not state.busy)
    state.leave()
    return times[1:]  # the first one may load the pipeline


def strength(session):
    """A finished region with another strength, until it is on the screen."""
    editor = session.editor
    editor.add_region(Selection("rectangle", Rect(1000, 800, 800, 600)))
    editor.view.show_rect(Rect(900, 700, 1000, 800))
    session.run()
    times = []
    for value in (0.9, 0.7, 0.5, 0.3):
        started = time.monotonic()
        editor.form.choose("strength", value)
        session.until(lambda: not editor.refresh.busy and session.window.canvas.settled)
        times.append(time.monotonic() - started)
    return times


def scroll(session):
    """Zooms and pans; gives the longest time that the event loop was kept from its events."""
    view = session.editor.view
    with Watchdog() as dog:
        for step in (6, 6, -4, 5, -6):
            view.zoom_by(step, Point(700, 500))
            session.rest(0.15)
        for _ in range(30):
            view.pan(-120, -30)
            session.rest(0.012)
        session.until(lambda: session.window.canvas.settled)
    return dog.worst_ms / 1000


def measured(runs, sizes):
    """One table; `sizes` of the two pictures."""
    found = {"24 MP, 16 bit: opened and drawn": [], "200 MP, 8 bit: opened and drawn": []}
    names = (
        "loupe, first 256 x 256 pixels",
        "strength of an 800 x 600 region",
        "event loop blocked, 24 MP",
        "event loop blocked, 200 MP",
    )
    found |= {name: [] for name in names}
    with tempfile.TemporaryDirectory() as kept, short_folder() as folder, daemon_process(folder, DAEMON):
        small = picture(Path(kept), "24.tif", sizes[0], np.uint16)
        large = picture(Path(kept), "200.tif", sizes[1], np.uint8)
        app = desktop.make_app(["bench"])
        for _ in range(runs):
            session = Session(app, folder, Path(kept), appearance="dark", language="en")
            session.window.resize(1920, 1080)
            session.editor.form.choose_pipeline("compact")
            found["24 MP, 16 bit: opened and drawn"].append(timed(lambda s=session: s.open(small)))
            found[names[0]] += loupe(session)
            found[names[1]] += strength(session)
            found[names[2]].append(scroll(session))
            found["200 MP, 8 bit: opened and drawn"].append(timed(lambda s=session: s.open(large)))
            found[names[3]].append(scroll(session))
            session.window.canvas.pointer = QPointF(0, 0)
            session.window.close()
    table = Table("desktop: seconds a person waits", ("what", "best s", "median s"))
    table.rows = [[name, *best_and_median(times)] for name, times in found.items()]
    kept_bar = verdict(min(found[names[0]]), LOUPE_BAR_S)
    table.notes.append(f"bar of the loupe: {LOUPE_BAR_S:g} s, best: {kept_bar}")
    worst = min(found[names[2]]), min(found[names[3]])
    table.notes.append(
        f"bar of the event loop: {BLOCKED_BAR_S:g} s, best: {verdict(max(worst), BLOCKED_BAR_S)}"
    )
    return table


if __name__ == "__main__":
    given = sys.argv[1:]
    sizes = TINY if "--tiny" in given else SIZES
    runs = next((int(word) for word in given if word.isdigit()), RUNS)
    sys.stdout.write(" | ".join(f"{name} {value}" for name, value in facts().items()) + "\n")
    sys.stdout.write(measured(runs, sizes).text + "\n")
    sys.stdout.write(load_note() + "\n")
