"""The batch and the main window: how pictures get into it, and what closing does."""

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDropEvent

from safelight_desktop.state.batch import BatchState
from safelight_desktop.state.batch_rows import RowState
from tests.desktop.batches import folder_of
from tests.desktop.fixtures import WAIT_MS


@pytest.fixture
def doors(qtbot, window):
    """The batch of a main window, with the fake that takes its time."""
    qtbot.waitUntil(lambda: window.batch.queue.loaded, timeout=WAIT_MS)
    window.batch.queue.form.choose_pipeline("tortoise")
    window.batch.queue.form.choose("pause", 0.3)
    yield window.batch
    window.batch.ask_whether_to_close = lambda: True


def drop(window, *paths):
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    left, plain = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    window.dropEvent(QDropEvent(QPointF(50, 50), Qt.DropAction.CopyAction, data, left, plain))


def filled(qtbot, doors, folder):
    doors.add([folder])
    qtbot.waitUntil(lambda: bool(doors.queue.rows) and not doors.queue.busy, timeout=WAIT_MS)
    return doors.queue.rows


def test_a_folder_that_is_dropped_on_the_main_window_becomes_a_batch(qtbot, window, doors, tmp_path):
    drop(window, folder_of(tmp_path / "scans", "a.png", "1920/b.png"))
    qtbot.waitUntil(lambda: len(doors.queue.rows) == 2, timeout=WAIT_MS)
    assert doors.window_.isVisible()
    assert window.editor.document is None


def test_several_files_become_a_batch_and_one_is_opened(qtbot, window, doors, photo_png, tmp_path):
    scans = folder_of(tmp_path / "scans", "a.png", "b.png")
    window.open_files([scans / "a.png", scans / "b.png"])
    qtbot.waitUntil(lambda: len(doors.queue.rows) == 2, timeout=WAIT_MS)
    with qtbot.waitSignal(window.editor.document_changed, timeout=WAIT_MS):
        window.open_files([photo_png])
    assert window.editor.document.path == photo_png


def test_the_key_shows_the_batch_and_the_status_bar_says_how_far_it_is(qtbot, window, doors, tmp_path):
    window.actions_["batch"].trigger()
    assert doors.window_.isVisible()
    assert not doors.button.isVisible()
    filled(qtbot, doors, folder_of(tmp_path / "scans", "a.png", "b.png"))
    doors.queue.start()
    qtbot.waitUntil(doors.button.isVisible, timeout=WAIT_MS)
    assert doors.button.text().startswith("Batch: 0 of 2")
    doors.queue.pause()


def test_closing_asks_while_a_batch_runs_and_it_goes_on_at_the_next_start(
    qtbot, window, doors, tmp_path, daemon_folder, preferences
):
    filled(qtbot, doors, folder_of(tmp_path / "scans", "a.png", "b.png"))
    doors.queue.start()
    qtbot.waitUntil(lambda: doors.queue.current is not None, timeout=WAIT_MS)
    doors.ask_whether_to_close = lambda: False
    assert not window.close()
    assert window.isVisible()
    assert doors.queue.running
    doors.ask_whether_to_close = lambda: True
    assert window.close()
    from safelight_desktop.windows.main_window import MainWindow
    from tests.desktop.batches import lone_link

    link, background = lone_link(daemon_folder)
    again = MainWindow(link, background, preferences)
    qtbot.addWidget(again)
    again.batch.ask_whether_to_close = lambda: True
    with qtbot.waitSignal(again.batch.queue.ended, timeout=WAIT_MS):
        link.connect_now()
    assert again.batch.queue.count(RowState.DONE) == 2
    assert again.batch.queue.state is BatchState.OVER
    again.close()


def test_a_result_is_compared_with_its_original_in_the_main_window(qtbot, window, doors, tmp_path):
    doors.queue.form.choose_pipeline("brighten")
    rows = filled(qtbot, doors, folder_of(tmp_path / "scans", "a.png"))
    with qtbot.waitSignal(doors.queue.ended, timeout=WAIT_MS):
        doors.queue.start()
    doors.window_.show_result(rows[0])
    doors.window_.sheet.compare()
    qtbot.waitUntil(lambda: window.editor.other is not None, timeout=WAIT_MS)
    assert window.editor.document.path == tmp_path / "scans/a-restored.png"
    assert window.editor.other.path == tmp_path / "scans/a.png"


def test_what_goes_wrong_is_told_where_somebody_looks(qtbot, window, doors, tmp_path):
    doors.queue.form.choose_pipeline("absent")
    filled(qtbot, doors, folder_of(tmp_path / "scans", "a.png"))
    doors.window_.hide()
    doors.queue.start()
    qtbot.waitUntil(lambda: bool(window.messages.reason), timeout=WAIT_MS)
    assert window.messages.help.text() == "Show the batch"
    window.messages.help.click()
    assert doors.window_.isVisible()
