"""Pictures come in by drop, paste, argument and the list of recent ones."""

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QMimeData, QPoint, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QGuiApplication, QImage
from PySide6.QtWidgets import QApplication

from safelight.imaging.pixels import PixelFormat, Sample
from tests.desktop.fixtures import WAIT_MS


def opens(qtbot, window, action):
    with qtbot.waitSignal(window.editor.document_changed, timeout=WAIT_MS):
        action()
    return window.editor.document


def drop(window, data):
    arguments = (Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    enter = QDragEnterEvent(QPoint(10, 10), *arguments)
    QApplication.sendEvent(window, enter)
    assert enter.isAccepted()
    QApplication.sendEvent(window, QDropEvent(QPoint(10, 10), *arguments))


def urls(*paths):
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(p)) for p in paths])
    return data


def test_a_dropped_file_is_opened(qtbot, window, photo_png, photo):
    document = opens(qtbot, window, lambda: drop(window, urls(photo_png)))
    assert np.array_equal(document.pixels, photo)
    assert window.windowTitle() == "photo.png – Safelight"


def test_a_picture_from_a_browser_is_opened_as_it_came(qtbot, window, photo):
    data = QMimeData()
    height, width = photo.shape[:2]
    data.setImageData(QImage(photo.data, width, height, 3 * width, QImage.Format.Format_RGB888))
    document = opens(qtbot, window, lambda: drop(window, data))
    assert np.array_equal(document.pixels, photo)
    assert document.path is None


def test_paste_needs_nothing_before(qtbot, window, photo):
    height, width = photo.shape[:2]
    image = QImage(photo.data, width, height, 3 * width, QImage.Format.Format_RGB888).copy()
    QGuiApplication.clipboard().setImage(image)
    document = opens(
        qtbot, window, lambda: qtbot.keyClick(window, Qt.Key.Key_V, Qt.KeyboardModifier.ControlModifier)
    )
    assert np.array_equal(document.pixels, photo)


def test_a_deep_pasted_picture_stays_deep(qtbot, window):
    image = QImage(4, 3, QImage.Format.Format_RGBA64)
    image.fill(Qt.GlobalColor.transparent)
    image.setPixelColor(1, 1, "#ff8040")
    document = opens(qtbot, window, lambda: window.editor.open_image(image, "pasted"))
    assert document.format == PixelFormat(3, True, Sample.U16)
    assert document.pixels[1, 1, 0] == 65535


def test_a_pasted_path_is_opened(qtbot, window, photo_png):
    QGuiApplication.clipboard().setText(str(photo_png))
    document = opens(qtbot, window, window.incoming.paste)
    assert document.path == photo_png


def test_nothing_to_paste_is_told(qtbot, window):
    QGuiApplication.clipboard().setText("no picture")
    window.incoming.paste()
    assert window.messages.reason == "NOTHING_TO_OPEN"


def test_recent_files_are_remembered_newest_first_and_shown_when_empty(qtbot, window, photo_png, tmp_path):
    other = tmp_path / "other.png"
    Image.open(photo_png).save(other)
    for path in (photo_png, other, photo_png):
        opens(qtbot, window, lambda path=path: window.open_files([path]))
    assert window.incoming.recent() == [photo_png, other]
    opens(qtbot, window, window.editor.close_document)
    assert window.pages.currentWidget() is window.empty
    assert [window.empty.recent.itemAt(i).widget().text() for i in range(2)] == ["photo.png", "other.png"]
    other.unlink()
    assert window.incoming.recent() == [photo_png]


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("gone.png", None, "FILE_MISSING"),
        ("notes.png", b"just words", "NOT_A_PICTURE"),
        ("half.png", b"\x89PNG\r\n\x1a\n and no more", "PICTURE_DAMAGED"),
        ("drawing.gif", b"GIF89a", "FORMAT_NOT_SUPPORTED"),
    ],
)
def test_what_cannot_be_opened_is_refused_with_a_reason(qtbot, window, tmp_path, name, content, reason):
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with qtbot.waitSignal(window.editor.failed, timeout=WAIT_MS):
        window.open_files([path])
    assert window.messages.reason == reason
    assert window.messages.isVisible()
    assert window.pages.currentWidget() is window.empty


def test_a_bad_file_leaves_the_open_picture_alone(qtbot, opened, tmp_path):
    document = opened.editor.document
    with qtbot.waitSignal(opened.editor.failed, timeout=WAIT_MS):
        opened.open_files([tmp_path / "gone.png"])
    assert opened.editor.document is document
    assert opened.messages.reason == "FILE_MISSING"


def test_the_last_of_two_pictures_asked_for_is_shown(qtbot, window, photo_png, tmp_path):
    other = tmp_path / "other.png"
    Image.open(photo_png).rotate(90, expand=True).save(other)
    window.open_files([photo_png])
    window.open_files([other])
    qtbot.waitUntil(lambda: window.editor.document is not None and window.background.idle, timeout=WAIT_MS)
    assert window.editor.document.path == other


def test_the_window_comes_back_as_it_was(qtbot, daemon_folder, preferences, window):
    from safelight_desktop.rpc.background import Background
    from safelight_desktop.rpc.link import DaemonLink
    from safelight_desktop.windows.main_window import MainWindow

    window.resize(950, 611)
    window.toggle_sidebar()
    window.close()
    background = Background()
    again = MainWindow(DaemonLink(background), background, preferences)
    qtbot.addWidget(again)
    assert again.height() == 611  # the offscreen screen is 800 wide, the window at least 900
    assert again.sidebar.isHidden()
    again.close()
