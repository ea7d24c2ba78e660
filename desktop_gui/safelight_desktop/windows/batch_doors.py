"""The batch as the main window knows it: its window, its place in the status bar, notifications, and closing."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QHBoxLayout, QMessageBox, QPushButton, QWidget

from safelight.errors import InternalError, NotReady, SafelightError, Unavailable, Unrestorable
from safelight_desktop.state.batch import BatchQueue, BatchState, Summary
from safelight_desktop.state.batch_rows import BatchRow, RowState
from safelight_desktop.state.power import Power
from safelight_desktop.texts import translate
from safelight_desktop.widgets.batch_texts import ended_text, long_duration, state_title
from safelight_desktop.windows.batch_window import BatchWindow
from safelight_desktop.windows.helps import NO_HELP, Help, copy_report, help_for

if TYPE_CHECKING:
    from safelight_desktop.windows.main_window import MainWindow


class BatchDoors(QObject):
    """`queue` lives as long as the main window; its own window is made when it is first wanted."""

    def __init__(self, window: MainWindow, folder: Path) -> None:
        super().__init__(window)
        self._main = window
        self.queue = BatchQueue(
            window.link, window.background, window.speeds, folder, Power(window.background, self), self
        )
        self.window_: BatchWindow | None = None
        self.ask_whether_to_close: Callable[[], bool] = self._ask
        self._compared: tuple[Path, Path] | None = None
        self.button = QPushButton()
        self.button.setProperty("role", "flat")
        self.button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.button.setToolTip(translate("Batch", "Show the batch"))
        self.button.clicked.connect(self.show)
        self.button.hide()
        place = QWidget()  # hidden buttons take no height in it
        row = QHBoxLayout(place)
        row.setContentsMargins(0, 0, 12, 0)
        row.addWidget(self.button)
        window.status.addPermanentWidget(place)
        window.editor.form.pipelines_changed.connect(self._take_pipelines)
        window.editor.document_changed.connect(self._compare_now)
        self.queue.state_changed.connect(self._show_state)
        self.queue.planned.connect(self._show_state)
        self.queue.row_changed.connect(self._row_changed)
        self.queue.ended.connect(self._ended)
        self.queue.failed.connect(self._failed)
        self._show_state()
        self.queue.load()

    def show(self) -> None:
        """In front of other windows."""
        if self.window_ is None:
            main = self._main
            self.window_ = BatchWindow(
                self.queue,
                main.presets,
                main.settings,
                compare=self.compare,
                help_for=self._help,
                monitor_icc=lambda: main.editor.monitor_icc,
            )
            self.window_.queue_page.sidebar.pipeline.install_asked.connect(main.install_for)
        self.window_.show()
        self.window_.raise_()
        self.window_.activateWindow()

    def add(self, paths: list[Path]) -> None:
        """Files and folders; shows the queue."""
        self.show()
        assert self.window_ is not None
        self.window_.tabs.setCurrentIndex(0)
        self.queue.add(paths)

    def compare(self, before: Path, after: Path) -> None:
        """In the main window, the original as before."""
        self._compared = (before, after)
        self._main.editor.open(after)
        self._main.raise_()
        self._main.activateWindow()

    def redraw(self) -> None:
        """The theme changed."""
        if self.window_ is not None:
            self.window_.redraw()

    def close(self) -> bool:
        """False: a person would rather let the batch run. True: it is closed, and goes on at the next start."""
        if self.queue.running and not self.ask_whether_to_close():
            return False
        if self.window_ is not None:
            self.window_.shut()
        self.queue.close()
        return True

    def _ask(self) -> bool:
        box = QMessageBox(self._main)
        box.setIcon(QMessageBox.Icon.Question)
        box.setWindowTitle(translate("Batch", "A batch is running"))
        box.setText(translate("Batch", "The batch is not finished. Close Safelight all the same?"))
        box.setInformativeText(translate("Batch", "It goes on where it was when Safelight is started again."))
        close = box.addButton(translate("Batch", "Close"), QMessageBox.ButtonRole.AcceptRole)
        stay = box.addButton(translate("Batch", "Let it run"), QMessageBox.ButtonRole.RejectRole)
        box.setDefaultButton(stay)
        box.exec()
        return box.clickedButton() is close

    def _take_pipelines(self) -> None:
        """Something was installed or removed."""
        if self.queue.form.pipelines:
            self.queue.form.take_pipelines(self._main.editor.form.pipelines, "")

    def _compare_now(self) -> None:
        document = self._main.editor.document
        if self._compared is not None and document is not None and document.path == self._compared[1]:
            before, self._compared = self._compared[0], None
            self._main.editor.compare_with(before)

    def _row_changed(self, row: BatchRow) -> None:
        if row is self.queue.current:
            self._show_state()

    def _show_state(self) -> None:
        queue = self.queue
        shown = queue.state in (
            BatchState.RUNNING, BatchState.PAUSED, BatchState.ON_BATTERY, BatchState.NO_DAEMON,
        )  # fmt: skip
        self.button.setVisible(shown)
        if not shown:
            return
        over = len(queue.rows) - queue.count(RowState.WAITING) - queue.count(RowState.RUNNING)
        text = translate("Batch", "Batch: {done} of {all}").format(done=over, all=len(queue.rows))
        left = queue.remaining_s
        if queue.state is not BatchState.RUNNING:
            text += f" · {state_title(queue)}"
        elif left is not None:
            text += " · " + translate("Run", "{time} left").format(time=long_duration(left))
        self.button.setText(text)

    def _ended(self, summary: Summary) -> None:
        seen = self._main.isActiveWindow() or (self.window_ is not None and self.window_.isActiveWindow())
        text = translate("Batch", "The batch is finished: {what}").format(what=ended_text(summary))
        self._main.notices.tell(text, summary.seconds, seen=seen)

    def _failed(self, error: SafelightError) -> None:
        """Its own window tells it where there is one."""
        if self.window_ is None or not self.window_.isVisible():
            self._main.messages.tell(error, translate("Batch", "Show the batch"), self.show)

    def _help(self, error: SafelightError) -> Help:
        spec = self.queue.form.spec
        if isinstance(error, NotReady) and spec is not None:
            return translate("Helps", "Install…"), partial(self._main.install_for, spec.id)
        if isinstance(error, Unavailable):
            return help_for(error, self._main)
        if isinstance(error, InternalError | Unrestorable):
            return translate("Helps", "Copy a report"), partial(copy_report, error)
        return NO_HELP
