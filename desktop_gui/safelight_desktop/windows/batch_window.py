"""The batch in a window of its own: the queue, and the contact sheet of its results."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QSettings, Qt
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QStackedWidget, QTabBar, QVBoxLayout, QWidget

from safelight.errors import SafelightError
from safelight_desktop.state.batch import BatchQueue, BatchState, Summary
from safelight_desktop.state.batch_rows import BatchRow
from safelight_desktop.state.presets import OwnPresets
from safelight_desktop.texts import translate
from safelight_desktop.widgets.batch_list import THUMB_PX
from safelight_desktop.widgets.message_bar import MessageBar
from safelight_desktop.widgets.thumbs import Thumbs
from safelight_desktop.windows.batch_page import BatchPage
from safelight_desktop.windows.contact_sheet import ContactSheet
from safelight_desktop.windows.helps import Help

SIZE = (1240, 800)


class BatchWindow(QWidget):
    """Closing it stops nothing."""

    def __init__(
        self,
        queue: BatchQueue,
        presets: OwnPresets,
        settings: QSettings,
        *,
        compare: Callable[[Path, Path], None],
        help_for: Callable[[SafelightError], Help],
        monitor_icc: Callable[[], bytes] = lambda: b"",
    ) -> None:
        """`compare` shows an original and its result in the main window."""
        super().__init__(None, Qt.WindowType.Window)
        self._queue, self._settings, self._help_for = queue, settings, help_for
        self.thumbs = Thumbs(THUMB_PX, self, monitor_icc=monitor_icc)
        self.messages = MessageBar()
        self.queue_page = BatchPage(queue, presets, self.thumbs)
        self.sheet = ContactSheet(queue, presets, compare=compare, monitor_icc=monitor_icc)
        self.tabs = QTabBar()
        self.tabs.setExpanding(False)
        self.tabs.setDrawBase(False)
        self.tabs.addTab(translate("Batch", "Queue"))
        self.tabs.addTab(translate("Batch", "Contact sheet"))
        self.pages = QStackedWidget()
        self.pages.addWidget(self.queue_page)
        self.pages.addWidget(self.sheet)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.tabs)
        column.addWidget(self.messages)
        column.addWidget(self.pages, 1)
        self.setAcceptDrops(True)
        self.setMinimumSize(920, 560)
        self.tabs.currentChanged.connect(self._page_chosen)
        self.queue_page.opened.connect(self.show_result)
        self.queue_page.sidebar.run_box.results_asked.connect(lambda: self.tabs.setCurrentIndex(1))
        for keys, at in (("Ctrl+1", 0), ("Ctrl+2", 1)):
            QShortcut(QKeySequence(keys), self, lambda at=at: self.tabs.setCurrentIndex(at))
        QShortcut(QKeySequence("Ctrl+W"), self, self.close)
        queue.failed.connect(self.tell)
        queue.noted.connect(self._note)
        queue.ended.connect(self._ended)
        queue.state_changed.connect(self._show_title)
        queue.row_changed.connect(self._row_changed)
        geometry = settings.value("batch/geometry")
        if geometry is not None:
            self.restoreGeometry(geometry)
        else:
            self.resize(*SIZE)
        self._show_title()

    def show_result(self, row: BatchRow) -> None:
        """On the contact sheet."""
        self.tabs.setCurrentIndex(1)
        self.sheet.choose(row)

    def tell(self, error: SafelightError) -> None:
        self.messages.tell(error, *self._help_for(error))

    def redraw(self) -> None:
        """The theme changed."""
        self.queue_page.redraw()
        self.sheet.redraw()

    def shut(self) -> None:
        """For good: the app ends."""
        self._settings.setValue("batch/geometry", self.saveGeometry())
        self.thumbs.close()
        self.sheet.shut()
        self.close()

    def _page_chosen(self, at: int) -> None:
        self.pages.setCurrentIndex(at)
        (self.sheet if at else self.queue_page.list).setFocus()

    def _note(self, name: str, count: int) -> None:
        if name == "known":
            text = translate(
                "Batch", "{n} pictures were left out: they are in the list, or are results of it"
            )
        else:
            text = translate("Batch", "The list of the last batch could not be read and was set aside")
        self.messages.note(text.format(n=count))

    def _ended(self, summary: Summary) -> None:
        self.messages.forget()
        if summary.trial and summary.done:
            self.messages.note(
                translate("Batch", "The trial is over: look at the contact sheet, then start the rest")
            )

    def _row_changed(self, row: BatchRow) -> None:
        if row is self._queue.current:
            self._show_title()

    def _show_title(self) -> None:
        """With the share that is done, which the task bar shows as well."""
        title = translate("Batch", "Batch – Safelight")
        if self._queue.state is BatchState.RUNNING:
            bar = self.queue_page.progress
            title = f"{bar.value() * 100 // max(1, bar.maximum())} % · {title}"
        self.setWindowTitle(title)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if any(url.isLocalFile() for url in event.mimeData().urls()):
            event.setDropAction(Qt.DropAction.CopyAction)
            event.accept()

    def dropEvent(self, event: QDropEvent) -> None:
        paths = [Path(url.toLocalFile()) for url in event.mimeData().urls() if url.isLocalFile()]
        if paths:
            self.tabs.setCurrentIndex(0)
            self._queue.add(paths)

    def closeEvent(self, event: QCloseEvent) -> None:
        self._settings.setValue("batch/geometry", self.saveGeometry())
        super().closeEvent(event)
