"""The queue: pictures on the left, how and where to on the right."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import (
    QFileDialog,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from safelight_desktop.state.batch import BatchQueue, BatchState
from safelight_desktop.state.batch_rows import BatchRow, RowState
from safelight_desktop.state.presets import OwnPresets
from safelight_desktop.texts import translate
from safelight_desktop.widgets import theme
from safelight_desktop.widgets.batch_list import BatchList
from safelight_desktop.widgets.batch_sidebar import BatchSidebar
from safelight_desktop.widgets.batch_texts import finish_time, long_duration, state_title, summary_line
from safelight_desktop.widgets.icons import icon, pixmap
from safelight_desktop.widgets.thumbs import Thumbs
from safelight_desktop.windows.incoming import PATTERNS

ICON_PX, BUTTON_PX = 72, 18
PROGRESS_STEPS = 1000


class BatchPage(QWidget):
    """Follows one batch."""

    opened = Signal(BatchRow)

    def __init__(
        self, queue: BatchQueue, presets: OwnPresets, thumbs: Thumbs, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._queue = queue
        self.list = BatchList(queue, thumbs)
        self.list.opened.connect(self.opened)
        self.empty = _Empty()
        self.sidebar = BatchSidebar(queue, presets)
        self.title, self.summary = QLabel(), QLabel()
        self.title.setProperty("role", "heading")
        self.summary.setProperty("role", "quiet")
        self.progress = QProgressBar()
        self.progress.setRange(0, PROGRESS_STEPS)
        self.progress.setTextVisible(False)
        self.progress.setAccessibleName(translate("Batch", "Progress of the batch"))
        self.actions_ = self._make_actions()
        self.pages = QStackedWidget()
        self.pages.addWidget(self.empty)
        self.pages.addWidget(self.list)
        self._lay_out()
        self.empty.folder_asked.connect(self.ask_folder)
        self.empty.files_asked.connect(self.ask_files)
        self.list.selectionModel().selectionChanged.connect(lambda *_: self._show_enabled())
        queue.rows_changed.connect(self._show)
        queue.state_changed.connect(self._show)
        queue.planned.connect(self._show)
        queue.row_changed.connect(self._row_changed)
        self.redraw()
        self._show()

    def ask_folder(self) -> None:
        """By the system's dialog."""
        name = QFileDialog.getExistingDirectory(self, translate("Batch", "Add a folder of pictures"))
        if name:
            self._queue.add([Path(name)])

    def ask_files(self) -> None:
        pictures, everything = translate("Window", "Pictures"), translate("Window", "All files")
        names, _ = QFileDialog.getOpenFileNames(
            self,
            translate("Batch", "Add pictures"),
            "",
            f"{pictures} ({PATTERNS} {PATTERNS.upper()});;{everything} (*)",
        )
        if names:
            self._queue.add([Path(name) for name in names])

    def redraw(self) -> None:
        """The theme changed."""
        for name, (_, drawing, _, _) in self._commands().items():
            self.actions_[name].setIcon(icon(drawing))
        self.empty.draw_icon()
        self.sidebar.redraw()
        self.list.viewport().update()

    def _commands(self) -> dict[str, tuple[str, str, str, object]]:
        queue, rows = self._queue, self.list
        return {
            "add-folder": (translate("Batch", "Add a folder…"), "folder-add", "Ctrl+Shift+O", self.ask_folder),
            "add-files": (translate("Batch", "Add pictures…"), "picture-add", "Ctrl+O", self.ask_files),
            "up": (translate("Batch", "Move up"), "up", "Alt+Up", lambda: rows.move_chosen(-1)),
            "down": (translate("Batch", "Move down"), "down", "Alt+Down", lambda: rows.move_chosen(1)),
            "retry": (translate("Batch", "Try failed ones again"), "retry", "F5", self._retry),
            "remove": (translate("Batch", "Remove from the list"), "remove", "Del", rows.remove_chosen),
            "clear": (
                translate("Batch", "Remove finished ones"), "clear", "Ctrl+Shift+Del", queue.clear_finished,
            ),
        }  # fmt: skip

    def _make_actions(self) -> dict[str, QAction]:
        made = {}
        for name, (text, _, keys, does) in self._commands().items():
            action = QAction(text, self)
            action.setShortcut(QKeySequence(keys))
            action.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shown = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
            action.setToolTip(f"{text.rstrip('…')}  ({shown})")
            action.triggered.connect(lambda _=False, done=does: done())
            self.addAction(action)
            made[name] = action
        return made

    def _retry(self) -> None:
        """Chosen ones where some are, else all that failed."""
        chosen = [r for r in self.list.chosen if r.state in (RowState.FAILED, RowState.SKIPPED)]
        self._queue.retry(chosen or [r for r in self._queue.rows if r.state is RowState.FAILED])

    def _lay_out(self) -> None:
        bar = QHBoxLayout()
        bar.setContentsMargins(10, 6, 10, 6)
        bar.setSpacing(4)
        for name in ("add-folder", "add-files", "", "up", "down", "", "retry", "remove", "clear"):
            if not name:
                bar.addSpacing(12)
                continue
            button = QToolButton()
            button.setDefaultAction(self.actions_[name])
            button.setIconSize(QSize(BUTTON_PX, BUTTON_PX))
            if name.startswith("add"):
                button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
            bar.addWidget(button)
        bar.addStretch(1)
        head = QHBoxLayout()
        head.setContentsMargins(14, 6, 14, 0)
        head.addWidget(self.title)
        head.addStretch(1)
        head.addWidget(self.summary)
        whole_bar = QVBoxLayout()
        whole_bar.setContentsMargins(14, 2, 14, 8)
        whole_bar.addWidget(self.progress)
        self._head = QWidget()
        head_column = QVBoxLayout(self._head)
        head_column.setContentsMargins(0, 0, 0, 0)
        head_column.setSpacing(4)
        head_column.addLayout(head)
        head_column.addLayout(whole_bar)
        left = QVBoxLayout()
        left.setSpacing(0)
        left.addLayout(bar)
        left.addWidget(self._head)
        left.addWidget(self.pages, 1)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addLayout(left, 1)
        row.addWidget(self.sidebar)

    def _row_changed(self, row: BatchRow) -> None:
        if row is self._queue.current:
            self._show_progress()

    def _show(self) -> None:
        queue = self._queue
        nothing = queue.state in (BatchState.EMPTY, BatchState.ELSEWHERE)
        self.pages.setCurrentWidget(self.empty if nothing else self.list)
        self._head.setVisible(not nothing)
        self.progress.setVisible(queue.state is not BatchState.READY)
        self.empty.show_state(queue.busy, elsewhere=queue.elsewhere)
        self.sidebar.setVisible(not queue.elsewhere)
        title = state_title(queue)
        left = queue.remaining_s
        if queue.running and left is not None and not nothing:
            text = translate("Batch", "{time} left, done {when}")
            title += " · " + text.format(time=long_duration(left), when=finish_time(left))
        self.title.setText(title)
        self.summary.setText(summary_line(queue))
        self._show_progress()
        self._show_enabled()

    def _show_progress(self) -> None:
        queue = self._queue
        over = sum(queue.count(s) for s in (RowState.DONE, RowState.SKIPPED, RowState.FAILED))
        running = queue.current.progress if queue.current is not None else None
        share = (over + (running.fraction if running is not None else 0.0)) / max(1, len(queue.rows))
        self.progress.setValue(round(share * PROGRESS_STEPS))

    def _show_enabled(self) -> None:
        queue, chosen = self._queue, bool(self.list.selectionModel().hasSelection())
        here = not queue.elsewhere
        for name in ("up", "down", "remove"):
            self.actions_[name].setEnabled(chosen and here)
        for name in ("add-folder", "add-files"):
            self.actions_[name].setEnabled(here)
        self.actions_["retry"].setEnabled(queue.count(RowState.FAILED) > 0 or chosen)
        finished = queue.count(RowState.DONE) + queue.count(RowState.SKIPPED)
        self.actions_["clear"].setEnabled(finished > 0)


class _Empty(QWidget):
    """An invitation."""

    folder_asked = Signal()
    files_asked = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.picture = QLabel()
        self.title = QLabel()
        self.title.setProperty("role", "title")
        self.hint = QLabel()
        self.hint.setProperty("role", "quiet")
        self.hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.folder = QPushButton(translate("Batch", "Add a folder…"))
        self.folder.setProperty("role", "primary")
        self.files = QPushButton(translate("Batch", "Add pictures…"))
        self.folder.clicked.connect(self.folder_asked)
        self.files.clicked.connect(self.files_asked)
        self.busy = QProgressBar()
        self.busy.setRange(0, 0)
        self.busy.setFixedWidth(220)
        self.busy.setTextVisible(False)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addStretch(1)
        buttons.addWidget(self.folder)
        buttons.addWidget(self.files)
        buttons.addStretch(1)
        column = QVBoxLayout(self)
        column.setSpacing(10)
        column.addStretch(3)
        for widget in (self.picture, self.title, self.hint):
            column.addWidget(widget, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addSpacing(8)
        column.addLayout(buttons)
        column.addWidget(self.busy, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(4)
        self.show_state(False, elsewhere=False)
        self.draw_icon()

    def draw_icon(self) -> None:
        """Again when the theme changes."""
        colour = theme.current().accent.name()
        self.picture.setPixmap(pixmap("batch", ICON_PX, self.devicePixelRatioF(), colour))

    def show_state(self, busy: bool, *, elsewhere: bool) -> None:
        if elsewhere:
            self.title.setText(translate("Batch", "The batch is open in another window"))
            self.hint.setText(
                translate("Batch", "Safelight runs twice: look there, or close that one first.")
            )
        else:
            self.title.setText(translate("Batch", "Drop folders or pictures here"))
            self.hint.setText(
                translate(
                    "Batch",
                    "They are restored one after the other, also after a restart.\nThe originals stay as they are.",
                )
            )
        self.folder.setVisible(not elsewhere and not busy)
        self.files.setVisible(not elsewhere and not busy)
        self.busy.setVisible(busy and not elsewhere)
