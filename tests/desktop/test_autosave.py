"""What is done to a picture survives a crash, and a window that is closed."""

import os
import signal
import subprocess
import sys
from datetime import datetime

import numpy as np
import pytest
from PIL import Image
from PySide6.QtWidgets import QPushButton

from safelight.client.restoration import RestorationClient
from safelight.geometry import Rect
from safelight_desktop.rpc.background import Background
from safelight_desktop.rpc.link import DaemonLink
from safelight_desktop.state import unfinished
from safelight_desktop.state.selection import Selection
from safelight_desktop.windows.main_window import MainWindow
from tests.desktop.fixtures import WAIT_MS
from tests.fakes.daemon import ROOT

BOX = Rect(40, 30, 120, 80)
APP = """
import sys
from pathlib import Path
from PySide6.QtCore import QSettings
from safelight.client.restoration import RestorationClient
from safelight.geometry import Rect
from safelight_desktop import app as desktop
from safelight_desktop.rpc.background import Background
from safelight_desktop.rpc.link import DaemonLink
from safelight_desktop.state.selection import Selection
from safelight_desktop.windows.main_window import MainWindow

folder, picture, settings = map(Path, sys.argv[1:])
app = desktop.make_app(["safelight"])
background = Background()
link = DaemonLink(background, open_client=lambda: RestorationClient.local(folder, start=False))
window = MainWindow(link, background, QSettings(str(settings), QSettings.Format.IniFormat))
window.show()
editor = window.editor

def work():
    editor.form.choose_pipeline("brighten")
    editor.add_region(Selection("rectangle", Rect(40, 30, 120, 80)))
    editor.run()

def kept():
    if any(region.renditions for region in editor.regions) and not editor.jobs.running:
        print("kept", flush=True)

link.greeted.connect(lambda _: window.open_files([picture]))
editor.document_changed.connect(work)
window.saving.autosave.kept.connect(kept)
link.connect_now()
app.exec()
"""


def opened_window(qtbot, folder, settings):
    background = Background()
    link = DaemonLink(background, open_client=lambda: RestorationClient.local(folder, start=False))
    window = MainWindow(link, background, settings)
    qtbot.addWidget(window)
    window.show()
    with qtbot.waitSignal(link.greeted, timeout=WAIT_MS):
        link.connect_now()
    return window


def worked(qtbot, window, path):
    """A box with a result, kept on the disk."""
    editor = window.editor
    with qtbot.waitSignal(editor.document_changed, timeout=WAIT_MS):
        window.open_files([path])
    editor.form.choose_pipeline("brighten")
    editor.add_region(Selection("rectangle", BOX))
    with qtbot.waitSignal(editor.jobs.finished, timeout=WAIT_MS):
        editor.run()
    return editor.active.shown.pixels


def left(qtbot, window):
    """The picture is closed."""
    with qtbot.waitSignal(window.saving.autosave.left, timeout=WAIT_MS):
        window.editor.close_document()


def buttons(window):
    return [b.text() for b in window.empty.findChildren(QPushButton) if b.isVisible()]


def test_work_survives_kill_9_and_is_offered_at_the_next_start(
    qtbot, own_daemon, photo_png, preferences, photo
):
    command = [sys.executable, "-c", APP, str(own_daemon.folder), str(photo_png), preferences.fileName()]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    try:
        assert process.stdout.readline() == "kept\n"
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
    window = opened_window(qtbot, own_daemon.folder, preferences)
    assert "photo.png was kept" in window.messages.text.text()
    assert any(text.startswith("photo.png   regions: 1 · results: 1") for text in buttons(window))
    with qtbot.waitSignal(window.editor.document_changed, timeout=WAIT_MS):
        window.messages.help.click()
    editor = window.editor
    assert editor.active.selection.rect == BOX
    assert editor.form.spec.id == "brighten"
    shown = editor.active.shown
    change = shown.pixels[30:50, 40:80].astype(float) - photo[60:80, 80:120]
    assert change.mean() / 255 == pytest.approx(0.05, abs=0.005)
    with qtbot.waitSignal(editor.jobs.finished, timeout=WAIT_MS):
        editor.run()
    assert np.array_equal(editor.active.shown.pixels, shown.pixels)
    window.close()


def test_a_closed_window_leaves_its_work_and_says_nothing_of_a_crash(
    qtbot, own_daemon, photo_png, preferences
):
    window = opened_window(qtbot, own_daemon.folder, preferences)
    pixels = worked(qtbot, window, photo_png)
    window.close()
    window = opened_window(qtbot, own_daemon.folder, preferences)
    assert not window.messages.isVisible()
    (entry,) = window.saving.autosave.unfinished()
    assert (entry.name, entry.regions, entry.renditions, entry.crashed) == ("photo.png", 1, 1, False)
    with qtbot.waitSignal(window.editor.document_changed, timeout=WAIT_MS):
        window.saving.autosave.go_on(entry)
    assert np.array_equal(window.editor.active.shown.pixels, pixels)
    window.close()
    (again,) = unfinished.found(entry.folder.parent)
    assert again.folder == entry.folder


def test_a_picture_with_unfinished_work_says_so_when_it_is_opened(qtbot, opened, photo_png):
    opened.editor.add_region(Selection("rectangle", BOX))
    left(qtbot, opened)
    with qtbot.waitSignal(opened.editor.document_changed, timeout=WAIT_MS):
        opened.open_files([photo_png])
    assert opened.messages.text.text() == "There is unfinished work on this picture."
    with qtbot.waitSignal(opened.editor.document_changed, timeout=WAIT_MS):
        opened.messages.help.click()
    assert opened.editor.active.selection.rect == BOX
    assert not opened.messages.isVisible()


def test_what_was_saved_leaves_nothing(qtbot, own_daemon, photo_png, preferences, tmp_path):
    window = opened_window(qtbot, own_daemon.folder, preferences)
    worked(qtbot, window, photo_png)
    with qtbot.waitSignal(window.saved, timeout=WAIT_MS):
        window.saving.save_project_to(tmp_path / "work.safelight")
    assert window.windowTitle() == "work.safelight – Safelight"
    window.close()
    assert unfinished.found(tmp_path / "unfinished") == []


def test_a_pasted_picture_is_kept_with_its_pixels(qtbot, window, photo, preferences):
    from PySide6.QtGui import QImage

    height, width = photo.shape[:2]
    image = QImage(photo.data, width, height, 3 * width, QImage.Format.Format_RGB888).copy()
    with qtbot.waitSignal(window.editor.document_changed, timeout=WAIT_MS):
        window.editor.open_image(image, "pasted")
    window.editor.add_region(Selection("rectangle", BOX))
    autosave = window.saving.autosave
    qtbot.waitUntil(lambda: autosave.idle, timeout=WAIT_MS)
    left(qtbot, window)
    (entry,) = autosave.unfinished()
    with qtbot.waitSignal(window.editor.document_changed, timeout=WAIT_MS):
        autosave.go_on(entry)
    assert np.array_equal(window.editor.document.pixels, photo)


def test_a_picture_that_changed_meanwhile_is_not_gone_on_with(qtbot, opened, photo, photo_png):
    autosave = opened.saving.autosave
    opened.editor.add_region(Selection("rectangle", BOX))
    left(qtbot, opened)
    (entry,) = autosave.unfinished()
    Image.fromarray(255 - photo).save(photo_png)
    with qtbot.waitSignal(opened.editor.failed, timeout=WAIT_MS) as told:
        autosave.go_on(entry)
    assert told.args[0].reason == "PICTURE_CHANGED"
    qtbot.waitUntil(lambda: autosave.idle, timeout=WAIT_MS)
    assert autosave.unfinished() == [entry]


def test_work_can_be_given_up(qtbot, opened):
    opened.editor.add_region(Selection("rectangle", BOX))
    left(qtbot, opened)
    (entry,) = opened.saving.autosave.unfinished()
    opened.empty.given_up.emit(entry)
    assert opened.saving.autosave.unfinished() == []
    assert not any("photo.png   " in text for text in buttons(opened))


def test_nothing_is_kept_of_a_picture_that_was_only_looked_at(qtbot, opened, tmp_path):
    opened.editor.form.choose("strength", 0.5)
    region = opened.editor.add_region(Selection("rectangle", BOX))
    qtbot.waitUntil(lambda: opened.saving.autosave.idle, timeout=WAIT_MS)
    opened.editor.remove_region(region)
    qtbot.waitUntil(lambda: opened.saving.autosave.idle, timeout=WAIT_MS)
    left(qtbot, opened)
    assert list((tmp_path / "unfinished").iterdir()) == []


def test_only_the_newest_are_kept_and_those_of_other_windows_are_left_alone(tmp_path, monkeypatch):
    from tests.desktop.state.test_project import small_project

    path = tmp_path / "photo.png"
    Image.new("RGB", (240, 160)).save(path)
    project, root = small_project(path), tmp_path / "unfinished"
    busy = unfinished.Keeper(root)
    busy.write(project)
    for number in range(unfinished.KEPT_MOST + 2):
        keeper = unfinished.Keeper(root)
        keeper.write(project)
        keeper.end(keep=True)
        time = datetime(2026, 1, 1 + number).timestamp()
        os.utime(keeper.folder / "project.json", (time, time))
    found = unfinished.found(root)
    assert [entry.time.day for entry in found] == list(range(10, 2, -1))
    assert busy.folder.exists()
    assert len(list(root.iterdir())) == unfinished.KEPT_MOST + 1
