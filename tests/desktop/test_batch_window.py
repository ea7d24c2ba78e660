"""The windows of the batch, by mouse and keys."""

import os
import time
from datetime import datetime
from itertools import pairwise

import numpy as np
import pytest
from PIL import Image
from PySide6.QtCore import QMimeData, QPointF, Qt, QTimer, QUrl
from PySide6.QtGui import QDropEvent, QImage

from safelight.client.naming import Naming
from safelight_desktop import texts
from safelight_desktop.planes.thumbnails import busiest_place, thumbnail
from safelight_desktop.state.batch import BatchState
from safelight_desktop.state.batch_plan import Output
from safelight_desktop.state.batch_rows import Verdict
from safelight_desktop.state.presets import OwnPresets
from safelight_desktop.state.sheet import SheetFilter
from safelight_desktop.widgets import theme
from safelight_desktop.widgets.batch_texts import advice, finish_time, long_duration
from safelight_desktop.windows.batch_window import BatchWindow
from safelight_desktop.windows.helps import NO_HELP
from safelight_desktop.windows.redo_dialog import RedoDialog
from tests.desktop.batches import DONE, FAILED, WAITING, batch, folder_of, sessions
from tests.desktop.fixtures import WAIT_MS
from tests.desktop.test_translations import cut_off

__all__ = ["batch", "sessions"]
LEFT = Qt.MouseButton.LeftButton
BLOCKED_MOST_MS = 50


@pytest.fixture
def shown(qtbot, batch, preferences):
    """The window of a batch, without the main window; what it wants compared is noted."""
    compared = []
    made = BatchWindow(
        batch.queue,
        OwnPresets(preferences),
        preferences,
        compare=lambda before, after: compared.append((before.name, after.name)),
        help_for=lambda error: NO_HELP,
    )
    made.compared = compared
    qtbot.addWidget(made)
    made.show()
    yield made
    made.shut()


def drop(widget, *paths):
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    event = QDropEvent(QPointF(50, 50), Qt.DropAction.CopyAction, data, LEFT, Qt.KeyboardModifier.NoModifier)
    widget.dropEvent(event)


def run_to_the_end(qtbot, batch, shown):
    run_box = shown.queue_page.sidebar.run_box
    qtbot.waitUntil(run_box.start.isEnabled, timeout=WAIT_MS)
    with qtbot.waitSignal(batch.queue.ended, timeout=WAIT_MS):
        qtbot.mouseClick(run_box.start, LEFT)


def sheet_of(qtbot, batch, shown, tmp_path, *names):
    """The contact sheet of restored pictures, the first one chosen."""
    batch.add(folder_of(tmp_path / "scans", *names))
    run_to_the_end(qtbot, batch, shown)
    qtbot.mouseClick(shown.queue_page.sidebar.run_box.look, LEFT)
    sheet = shown.sheet
    sheet.cards.choose(0)
    qtbot.waitUntil(lambda: sheet.thumbs.idle and not sheet.detail.busy, timeout=WAIT_MS)
    return sheet


def key(qtbot, sheet, *keys):
    for pressed in keys:
        qtbot.keyClick(sheet.cards, pressed)


def test_a_dropped_folder_is_restored_by_one_click_and_its_results_are_shown(qtbot, batch, shown, tmp_path):
    assert shown.queue_page.pages.currentWidget() is shown.queue_page.empty
    drop(shown, folder_of(tmp_path / "scans", "a.png", "1920/b.png"))
    qtbot.waitUntil(lambda: batch.queue.estimate is not None and batch.queue.estimate.pictures == 2)
    assert shown.queue_page.list.rows.rowCount() == 2
    run_to_the_end(qtbot, batch, shown)
    assert set(batch.states.values()) == {DONE}
    qtbot.mouseClick(shown.queue_page.sidebar.run_box.look, LEFT)
    assert shown.pages.currentWidget() is shown.sheet
    assert shown.sheet.model.rowCount() == 2


def test_what_it_takes_is_said_before_and_changes_wait_while_it_runs(qtbot, batch, shown, tmp_path):
    batch.queue.form.choose_pipeline("tortoise")
    batch.queue.form.choose("pause", 0.3)
    batch.add(folder_of(tmp_path / "scans", "a.png", "b.png"))
    run_box, sidebar = shown.queue_page.sidebar.run_box, shown.queue_page.sidebar
    qtbot.waitUntil(lambda: run_box.disk.isVisible(), timeout=WAIT_MS)
    assert run_box.count.text() == "2 pictures to restore"
    assert run_box.time.text() == "Time not known yet"
    assert "free" in run_box.disk.text()
    qtbot.mouseClick(run_box.start, LEFT)
    assert not sidebar.output.name.isEnabled()
    assert run_box.pause.isVisible()
    qtbot.waitUntil(lambda: batch.queue.current is not None, timeout=WAIT_MS)
    qtbot.mouseClick(run_box.pause, LEFT)
    qtbot.waitUntil(lambda: batch.queue.state is BatchState.PAUSED and batch.queue.current is None)
    assert sidebar.output.name.isEnabled()
    assert run_box.start.text() == "Go on"


def test_rows_move_and_go_by_keys(qtbot, batch, shown, tmp_path):
    batch.add(folder_of(tmp_path / "scans", "a.png", "b.png", "c.png"))
    rows = shown.queue_page.list
    rows.setCurrentIndex(rows.rows.index(2))
    qtbot.keyClick(rows, Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    assert batch.names == ["a.png", "c.png", "b.png"]
    assert [row.source.name for row in rows.chosen] == ["c.png"]
    qtbot.keyClick(rows, Qt.Key.Key_Delete)
    assert batch.names == ["a.png", "b.png"]
    assert (tmp_path / "scans/c.png").exists()


def test_rows_are_dragged_to_another_place(batch, shown, tmp_path):
    batch.add(folder_of(tmp_path / "scans", "a.png", "b.png", "c.png"))
    model = shown.queue_page.list.rows
    data = model.mimeData([model.index(2)])
    model.dropMimeData(data, Qt.DropAction.MoveAction, 0, 0, model.index(-1))
    assert batch.names == ["c.png", "a.png", "b.png"]


def test_a_failed_row_says_why_and_is_tried_again(qtbot, batch, shown, tmp_path):
    scans = folder_of(tmp_path / "scans", "a.png", "b.png")
    good = (scans / "a.png").read_bytes()
    (scans / "a.png").write_bytes(b"")
    batch.add(scans)
    rows = shown.queue_page.list.rows
    assert "Is empty" in rows.index(0).data(Qt.ItemDataRole.ToolTipRole)
    assert batch.states["a.png"] is FAILED
    (scans / "a.png").write_bytes(good)
    shown.queue_page.actions_["retry"].trigger()
    batch.until(lambda: batch.states["a.png"] is WAITING and not batch.queue.busy)
    run_to_the_end(qtbot, batch, shown)
    assert batch.states["a.png"] is DONE


def test_a_name_that_cannot_be_used_is_said_and_not_taken(qtbot, batch, shown):
    output = shown.queue_page.sidebar.output
    output.name.setFocus()
    output.name.selectAll()
    qtbot.keyClicks(output.name, "{name")
    assert "{name}" in output.said.text()
    assert batch.queue.output.naming.template == "{name}-restored"
    qtbot.keyClicks(output.name, "} new")
    assert batch.queue.output.naming.template == "{name} new"


def test_results_can_go_into_a_folder_in_another_format(qtbot, batch, shown, tmp_path):
    output = shown.queue_page.sidebar.output
    output.use_folder(tmp_path / "out")
    output.format.setCurrentIndex(output.format.findText("TIFF"))
    output.format.activated.emit(output.format.currentIndex())
    batch.add(folder_of(tmp_path / "scans", "1920/a.png"))
    run_to_the_end(qtbot, batch, shown)
    assert (tmp_path / "out/1920/a-restored.tif").exists()


def test_results_are_judged_by_keys_one_after_the_other(qtbot, batch, shown, tmp_path):
    sheet = sheet_of(qtbot, batch, shown, tmp_path, "a.png", "b.png", "c.png")
    key(qtbot, sheet, Qt.Key.Key_A, Qt.Key.Key_X, Qt.Key.Key_A)
    rows = batch.queue.rows
    assert [row.verdict for row in rows] == [Verdict.ACCEPTED, Verdict.REJECTED, Verdict.ACCEPTED]
    batch.until(lambda: rows[1].set_aside is not None)
    assert not (tmp_path / "scans/b-restored.png").exists()
    assert (tmp_path / "scans/b.png").exists()
    sheet.choose(rows[1])
    key(qtbot, sheet, Qt.Key.Key_Backspace)
    batch.until(lambda: rows[1].set_aside is None)
    assert (tmp_path / "scans/b-restored.png").exists()


def test_the_sheet_shows_what_is_still_to_be_judged(qtbot, batch, shown, tmp_path):
    sheet = sheet_of(qtbot, batch, shown, tmp_path, "a.png", "b.png", "c.png")
    button = sheet.filters.button(list(SheetFilter).index(SheetFilter.OPEN))
    qtbot.mouseClick(button, LEFT)
    key(qtbot, sheet, Qt.Key.Key_A)
    assert [row.source.name for row in sheet.model.rows] == ["b.png", "c.png"]
    assert sheet.cards.current.source.name == "b.png"
    assert button.text() == "To judge  2"
    key(qtbot, sheet, Qt.Key.Key_A, Qt.Key.Key_A)
    assert sheet.pages.currentWidget() is sheet.nothing


def test_redo_asks_for_settings_and_restores_again(qtbot, batch, shown, tmp_path, monkeypatch):
    sheet = sheet_of(qtbot, batch, shown, tmp_path, "a.png", "b.png")
    before = (tmp_path / "scans/a-restored.png").read_bytes()

    def choose(dialog):
        dialog.settings.rows["amount"].changed.emit(0.09)
        return True

    monkeypatch.setattr(RedoDialog, "exec", choose)
    with qtbot.waitSignal(batch.queue.ended, timeout=WAIT_MS):
        key(qtbot, sheet, Qt.Key.Key_R)
    assert batch.queue.rows[0].recipe.values == {"amount": 0.09}
    assert (tmp_path / "scans/a-restored.png").read_bytes() != before
    assert batch.queue.rows[1].recipe is None


def test_the_same_part_of_both_is_seen_at_100_percent(qtbot, batch, shown, tmp_path):
    sheet = sheet_of(qtbot, batch, shown, tmp_path, "a.png")
    batch.until(lambda: sheet.detail.pair is not None)
    pair = sheet.detail.pair
    assert (pair.size.width, pair.before_size.width) == (96, 48)
    assert pair.after.width() == 2 * pair.before.width()
    assert sheet.name.text() == "a.png"
    key(qtbot, sheet, Qt.Key.Key_Return)
    assert shown.compared == [("a.png", "a-restored.png")]


def test_thumbnails_are_small_pictures_of_any_format(tmp_path):
    wide = np.zeros((40, 1000, 3), np.uint8)
    wide[:, 500:] = (200, 100, 50)
    for name in ("a.png", "a.jpg", "a.tif", "a.webp"):
        Image.fromarray(wide).save(tmp_path / name, **({"quality": 95} if name == "a.jpg" else {}))
        small = thumbnail(tmp_path / name, 100)
        assert (small.width(), small.height()) in ((100, 4), (100, 5))
        assert small.pixelColor(90, 2).red() == pytest.approx(200, abs=6)
        assert small.pixelColor(10, 2).red() == pytest.approx(0, abs=6)


def test_the_place_looked_at_first_is_where_two_pictures_differ_most():
    before = QImage(200, 100, QImage.Format.Format_RGB32)
    before.fill(0)
    after = before.copy()
    for x in range(150, 160):
        for y in range(20, 30):
            after.setPixelColor(x, y, "white")
    x, y = busiest_place(before, after)
    assert (x, y) == (pytest.approx(155 / 200, abs=0.06), pytest.approx(0.25, abs=0.06))
    assert busiest_place(before, before) == (0.5, 0.5)


def test_long_times_are_said_with_days_and_the_clock(batch, tmp_path):
    now = datetime(2026, 5, 4, 21, 30)
    assert long_duration(3 * 86400 + 5 * 3600) == "3 days 5 h"
    times = [finish_time(hours * 3600, now) for hours in (1, 4, 72)]
    assert [text.partition(" at ")[0] for text in times] == ["today", "tomorrow", "Thursday, 7 May"]
    assert all(":30" in text for text in times)


def test_the_advice_names_the_quicker_pipeline_and_takes_it(qtbot, batch, shown, tmp_path):
    batch.speeds._learn("brighten", 0.02)
    batch.speeds._learn("compact", 1e6)
    batch.add(folder_of(tmp_path / "scans", "a.png"))
    box = shown.queue_page.sidebar.run_box.advice
    qtbot.waitUntil(box.isVisible, timeout=WAIT_MS)
    assert "Compact would need" in box.text.text()
    assert advice(batch.queue.estimate, "Brighten") == box.text.text()
    qtbot.mouseClick(box.use, LEFT)
    assert batch.queue.form.spec.id == "compact"
    qtbot.waitUntil(lambda: not box.isVisible(), timeout=WAIT_MS)


@pytest.mark.parametrize("code", ["en", "de"])
def test_no_text_is_cut_off(qtbot, qapp, batch, preferences, tmp_path, code):
    style, sheet = qapp.style().objectName(), qapp.styleSheet()
    texts.install(qapp, code)
    theme.apply(qapp, "light")
    window = BatchWindow(
        batch.queue, OwnPresets(preferences), preferences, compare=lambda *_: None, help_for=lambda _: NO_HELP
    )
    qtbot.addWidget(window)
    window.show()
    qtbot.waitUntil(lambda: cut_off(window) == [])
    batch.speeds._learn("brighten", 0.02)
    batch.speeds._learn("compact", 1e6)
    batch.queue.set_output(Output(Naming(folder=tmp_path / "results of the last winter")))
    batch.add(folder_of(tmp_path / "scans", *(f"{n}.png" for n in range(7))))
    qtbot.waitUntil(window.queue_page.sidebar.run_box.advice.isVisible, timeout=WAIT_MS)
    qtbot.waitUntil(lambda: cut_off(window) == [])
    assert batch.run().done == 7
    window.tabs.setCurrentIndex(1)
    batch.queue.verdicts.reject(batch.queue.rows[:1])
    qtbot.waitUntil(lambda: cut_off(window) == [])
    dialog = RedoDialog(
        batch.queue.form.pipelines, batch.queue.form.recipe(), OwnPresets(preferences), 7, window
    )
    dialog.show()
    qtbot.waitUntil(lambda: cut_off(dialog) == [])
    dialog.close()
    window.shut()
    texts.install(qapp, "en")
    qapp.setStyle(style)
    qapp.setStyleSheet(sheet)


class Bursts:
    """How long the thread of the event loop computed at a stretch: its own time, so that a busy machine and other
    threads do not count."""

    def __enter__(self):
        self._spent = [time.thread_time()]
        self._timer = QTimer()
        self._timer.setInterval(1)
        self._timer.timeout.connect(lambda: self._spent.append(time.thread_time()))
        self._timer.start()
        return self

    def __exit__(self, *exception):
        self._timer.stop()
        self._spent.append(time.thread_time())
        self.worst_ms = 1000 * max(b - a for a, b in pairwise(self._spent))


def test_a_thousand_rows_never_keep_the_event_loop_busy_for_long(qtbot, batch, shown, tmp_path):
    scans = tmp_path / "scans"
    folder_of(scans, "0.png")
    for number in range(1, 1000):
        os.link(scans / "0.png", scans / f"{number}.png")
    with Bursts() as bursts:
        batch.queue.add([scans])
        qtbot.waitUntil(lambda: len(batch.queue.rows) == 1000 and not batch.queue.busy, timeout=60_000)
        qtbot.waitUntil(
            lambda: batch.queue.estimate is not None and batch.queue.estimate.pictures == 1000,
            timeout=WAIT_MS,
        )
        rows = shown.queue_page.list
        rows.setCurrentIndex(rows.rows.index(900))
        batch.queue.move([batch.queue.rows[900]], 3)
        rows.scrollToBottom()
        qtbot.wait(50)
        batch.queue.remove(batch.queue.rows[10:])
        qtbot.wait(50)
    assert bursts.worst_ms <= BLOCKED_MOST_MS
