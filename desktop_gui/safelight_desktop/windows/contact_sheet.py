"""The contact sheet: before and after of every picture, accepted, done again or rejected by keys."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QSize, Qt, QTimer
from PySide6.QtGui import QFont, QFontMetrics
from PySide6.QtWidgets import (
    QButtonGroup,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSlider,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from safelight_desktop.planes.thumbnails import busiest_place
from safelight_desktop.rpc.background import Background
from safelight_desktop.state.batch import BatchQueue
from safelight_desktop.state.batch_rows import BatchRow, RowState, Verdict
from safelight_desktop.state.presets import OwnPresets
from safelight_desktop.state.sheet import Detail, SheetFilter
from safelight_desktop.texts import translate
from safelight_desktop.units import byte_count, pixel_size
from safelight_desktop.widgets.contact_cards import LEAST_PX, MOST_PX, USUAL_PX, ContactCards, SheetModel
from safelight_desktop.widgets.detail_pair import DetailPair
from safelight_desktop.widgets.icons import icon
from safelight_desktop.widgets.thumbs import Thumbs
from safelight_desktop.windows.redo_dialog import RedoDialog

THUMB_PX, SIDE_PX, BUTTON_PX = 320, 410, 16
SEGMENT_PADDING_PX = 22
SHOW_PAUSE_MS = 60  # rows may change by the hundred


class ContactSheet(QWidget):
    """Follows one batch."""

    def __init__(
        self,
        queue: BatchQueue,
        presets: OwnPresets,
        *,
        compare: Callable[[Path, Path], None],
        monitor_icc: Callable[[], bytes] = lambda: b"",
        parent: QWidget | None = None,
    ) -> None:
        """`compare` shows an original and its result in the main window."""
        super().__init__(parent)
        self._queue, self._presets, self._compare = queue, presets, compare
        self.thumbs = Thumbs(THUMB_PX, self, monitor_icc=monitor_icc)
        self._background = Background(self, threads=1)
        self.detail = Detail(self._background, self, monitor_icc=monitor_icc())
        self.model = SheetModel(queue)
        self.cards = ContactCards(self.model, self.thumbs)
        self.pair = DetailPair(self.detail)
        self._results: dict[int, tuple[Path | None, int]] = {}
        self._placed = (0, False)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(SHOW_PAUSE_MS)
        self._soon.timeout.connect(self._show_counts)
        self._make_controls()
        self._lay_out()
        self._connect()
        self.redraw()
        self._show()

    def choose(self, row: BatchRow) -> None:
        """Shows this one."""
        if not self.model.filter.shows(row):
            self._filter(SheetFilter.ALL)
        place = self.model.place(row)
        if place is not None:
            self.cards.choose(place)
        self.cards.setFocus()

    def accept(self) -> None:
        self._judge(self._queue.verdicts.accept)

    def reject(self) -> None:
        self._judge(self._queue.verdicts.reject)

    def unjudge(self) -> None:
        self._queue.verdicts.unjudge(self.cards.chosen)

    def redo(self) -> None:
        """Asks with which settings."""
        rows = self.cards.chosen
        if not rows:
            return
        recipe = rows[0].recipe or self._queue.form.recipe()
        dialog = RedoDialog(self._queue.form.pipelines, recipe, self._presets, len(rows), self)
        if dialog.exec():
            self._queue.redo(rows, dialog.recipe)

    def compare(self) -> None:
        """The current one, in the main window."""
        row = self.cards.current
        if row is not None and row.result is not None:
            self._compare(row.source, row.result)

    def redraw(self) -> None:
        """The theme changed."""
        for button, name in (
            (self.accept_button, "good"),
            (self.redo_button, "redo"),
            (self.reject_button, "cancel"),
        ):
            button.setIcon(icon(name))
        self.cards.viewport().update()
        self.pair.update()

    def shut(self) -> None:
        """For good."""
        self.thumbs.close()
        self._background.close()

    def _make_controls(self) -> None:
        self.filters = QButtonGroup(self)
        texts = (
            translate("Sheet", "All"),
            translate("Sheet", "To judge"),
            translate("Sheet", "Accepted"),
            translate("Sheet", "Rejected"),
        )
        for number, (chosen, text) in enumerate(zip(SheetFilter, texts, strict=True)):
            button = QPushButton(text)
            button.setCheckable(True)
            button.setProperty("role", "segment")
            button.setProperty("title", text)
            places = {SheetFilter.ALL: "first", SheetFilter.REJECTED: "last"}
            button.setProperty("place", places.get(chosen, "middle"))
            self.filters.addButton(button, number)
        self.filters.button(0).setChecked(True)
        self.zoom = QSlider(Qt.Orientation.Horizontal)
        self.zoom.setRange(LEAST_PX, MOST_PX)
        self.zoom.setValue(USUAL_PX)
        self.zoom.setFixedWidth(130)
        self.zoom.setAccessibleName(translate("Sheet", "Size of the pictures"))
        self.zoom.setToolTip(self.zoom.accessibleName())
        self.accept_button = _key_button(translate("Sheet", "Accept"), "A")
        self.redo_button = _key_button(translate("Sheet", "Redo…"), "R")
        self.reject_button = _key_button(translate("Sheet", "Reject"), "X")
        self.compare_button = QPushButton(translate("Sheet", "Compare in the main window"))
        self.name, self.about = QLabel(), QLabel()
        self.name.setProperty("role", "heading")
        self.about.setProperty("role", "quiet")
        self.about.setWordWrap(True)
        self.keys = QLabel(
            translate(
                "Sheet",
                "Arrows choose, Shift and Ctrl choose several. Backspace takes a verdict back. A rejected result is "
                "moved into a folder beside it; originals are never touched.",
            )
        )
        self.keys.setProperty("role", "quiet")
        self.keys.setWordWrap(True)
        self.nothing = QLabel()
        self.nothing.setProperty("role", "quiet")
        self.nothing.setAlignment(Qt.AlignmentFlag.AlignCenter)

    def _lay_out(self) -> None:
        bar = QHBoxLayout()
        bar.setContentsMargins(14, 8, 14, 8)
        bar.setSpacing(0)
        for button in self.filters.buttons():
            bar.addWidget(button)
        bar.addStretch(1)
        bar.addWidget(self.zoom)
        self.pages = QStackedWidget()
        self.pages.addWidget(self.cards)
        self.pages.addWidget(self.nothing)
        left = QVBoxLayout()
        left.setSpacing(0)
        left.addLayout(bar)
        left.addWidget(self.pages, 1)
        verdicts = QHBoxLayout()
        verdicts.setSpacing(6)
        for button in (self.accept_button, self.redo_button, self.reject_button):
            verdicts.addWidget(button)
        self.side = QFrame()
        self.side.setObjectName("sidebar")
        self.side.setFixedWidth(SIDE_PX)
        column = QVBoxLayout(self.side)
        column.setContentsMargins(14, 12, 14, 14)
        column.setSpacing(8)
        column.addWidget(self.name)
        column.addWidget(self.pair, 1)
        column.addWidget(self.about)
        column.addLayout(verdicts)
        column.addWidget(self.compare_button)
        column.addWidget(self.keys)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addLayout(left, 1)
        row.addWidget(self.side)

    def _connect(self) -> None:
        cards = self.cards
        for signal, does in (
            (cards.accept_asked, self.accept), (cards.reject_asked, self.reject), (cards.redo_asked, self.redo),
            (cards.unjudge_asked, self.unjudge), (cards.compare_asked, self.compare),
            (self.accept_button.clicked, self.accept), (self.reject_button.clicked, self.reject),
            (self.redo_button.clicked, self.redo), (self.compare_button.clicked, self.compare),
        ):  # fmt: skip
            signal.connect(lambda *_, done=does: done())
        self.filters.idClicked.connect(lambda number: self._filter(list(SheetFilter)[number]))
        self.zoom.valueChanged.connect(cards.set_size)
        cards.selectionModel().currentChanged.connect(lambda *_: self._show_current())
        cards.selectionModel().selectionChanged.connect(lambda *_: self._show_buttons())
        self.model.modelReset.connect(self._show)
        self._queue.row_changed.connect(self._row_changed)
        self.thumbs.ready.connect(self._thumb_came)

    def _judge(self, verdict: Callable[[list[BatchRow]], None]) -> None:
        """And on to the next one."""
        rows = self.cards.chosen
        if not rows:
            return
        last = self.model.place(rows[-1]) or 0
        following = self.model.rows[last + 1] if last + 1 < len(self.model.rows) else None
        verdict(rows)
        self._show_counts()
        if following is not None:
            place = self.model.place(following)
            if place is not None:
                self.cards.choose(place)
        self._show_current()

    def _filter(self, chosen: SheetFilter) -> None:
        self.filters.button(list(SheetFilter).index(chosen)).setChecked(True)
        self.model.show_only(chosen)
        self.cards.setFocus()

    def _row_changed(self, row: BatchRow) -> None:
        if row.state is RowState.RUNNING:
            return
        now = (row.result, row.result_bytes)
        if self._results.get(row.id) != now:
            self._results[row.id] = now
            if row.result is not None:
                self.thumbs.forget(row.result)
            if row is self.cards.current:
                self._show_current()
        if not self._soon.isActive():
            self._soon.start()

    def _thumb_came(self, path: Path) -> None:
        row = self.cards.current
        if row is not None and path in (row.source, row.result) and self._placed == (row.id, False):
            self._show_current()

    def _show(self) -> None:
        self._show_counts()
        self._show_current()

    def _show_counts(self) -> None:
        counts = Counter(row.verdict for row in self._queue.rows if row.result is not None)
        numbers = (
            sum(counts.values()), counts[Verdict.OPEN], counts[Verdict.ACCEPTED], counts[Verdict.REJECTED],
        )  # fmt: skip
        for button, number in zip(self.filters.buttons(), numbers, strict=True):
            button.setText(f"{button.property('title')}  {number}")
            bold = QFont(button.font())
            bold.setWeight(QFont.Weight.DemiBold)  # as the style sheet has the checked one
            button.setMinimumWidth(QFontMetrics(bold).horizontalAdvance(button.text()) + SEGMENT_PADDING_PX)
        self.pages.setCurrentWidget(self.cards if self.model.rows else self.nothing)
        self.nothing.setText(
            translate("Sheet", "Nothing here.")
            if numbers[0]
            else translate("Sheet", "Results appear here as they are finished.")
        )
        self.side.setVisible(numbers[0] > 0)
        self._show_buttons()

    def _show_current(self) -> None:
        row = self.cards.current
        self._show_buttons()
        if row is None or row.result is None:
            self.pair.show_row(None)
            self.name.setText("")
            self.about.setText("")
            return
        before, after = self.thumbs.get(row.source), self.thumbs.get(row.result)
        known = before is not None and after is not None
        place = (0.5, 0.5)
        if before is not None and after is not None:
            place = busiest_place(before.toImage(), after.toImage())
        if self._placed == (row.id, True) and self.pair.shows(row):
            place = self.pair.place
        self._placed = (row.id, known)
        self.pair.show_row(row, place)
        self.name.setText(row.source.name)
        self.name.setToolTip(str(row.source))
        size = f"{pixel_size(row.size)}   " if row.size is not None else ""
        taken = f"{byte_count(row.result_bytes)}" if row.result_bytes else ""
        self.about.setText(f"{size}→   {row.result.name}   {taken}".strip())

    def _show_buttons(self) -> None:
        rows = self.cards.chosen
        made = any(row.state is RowState.DONE for row in rows)
        self.accept_button.setEnabled(bool(rows))
        self.reject_button.setEnabled(made)
        self.redo_button.setEnabled(bool(rows) and bool(self._queue.form.pipelines))
        self.compare_button.setEnabled(self.cards.current is not None)


def _key_button(text: str, key: str) -> QPushButton:
    button = QPushButton(f"{text} ({key})")
    button.setProperty("role", "verdict")
    button.setIconSize(QSize(BUTTON_PX, BUTTON_PX))
    return button
