"""The window: tools on the left, the picture, and the side bar that says how it is restored."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QSettings, Qt, Signal
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QHBoxLayout, QMainWindow, QStackedWidget, QVBoxLayout, QWidget

from safelight.errors import SafelightError
from safelight.imaging.files import MetadataPolicy
from safelight_desktop.rpc.background import Background
from safelight_desktop.rpc.link import DaemonLink
from safelight_desktop.state.editor import Editor
from safelight_desktop.texts import translate
from safelight_desktop.widgets.canvas import Canvas
from safelight_desktop.widgets.empty_page import EmptyPage
from safelight_desktop.widgets.message_bar import MessageBar
from safelight_desktop.widgets.sidebar import Sidebar
from safelight_desktop.windows.actions import Actions
from safelight_desktop.windows.incoming import Incoming


class MainWindow(QMainWindow):
    """Owns the state of one session: the connection, the editor, the worker threads."""

    saved = Signal(Path)

    def __init__(self, link: DaemonLink, background: Background, settings: QSettings) -> None:
        super().__init__()
        self.link, self.background, self.settings = link, background, settings
        self.editor = Editor(link, background, self)
        self.canvas = Canvas(self.editor)
        self.empty = EmptyPage()
        self.sidebar = Sidebar(self.editor)
        self.messages = MessageBar()
        self.incoming = Incoming(self)
        self.pages = QStackedWidget()
        self.pages.addWidget(self.empty)
        self.pages.addWidget(self.canvas)
        self.actions_ = Actions(self)
        self._lay_out()
        self.setAcceptDrops(True)
        self.setMinimumSize(760, 520)
        self.editor.document_changed.connect(self._show_document)
        self.editor.opening.connect(self.empty.show_opening)
        self.editor.failed.connect(self.tell)
        self.background.failed.connect(self.tell)
        self.link.failed.connect(self.tell)
        self.link.greeted.connect(lambda _: self.messages.forget_connection())
        self.empty.open_asked.connect(self.incoming.ask)
        self.empty.path_chosen.connect(self.editor.open)
        self._show_document()
        self._restore_window()

    def _lay_out(self) -> None:
        middle = QWidget()
        column = QVBoxLayout(middle)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.messages)
        column.addWidget(self.pages, 1)
        whole = QWidget()
        row = QHBoxLayout(whole)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(middle, 1)
        row.addWidget(self.sidebar)
        self.setCentralWidget(whole)

    def open_files(self, paths: list[Path]) -> None:
        """What the command line or another program asked for."""
        if paths:
            self.editor.open(paths[0])

    def save_to(self, path: Path, policy: MetadataPolicy = "keep", *, record: bool = True) -> None:
        """The picture as it stands; `saved` follows, or a message."""
        plan = self.editor.save_plan(policy, record=record)
        self.background.run(lambda: plan.write(path), lambda notes: self._saved(path, notes))

    def _saved(self, path: Path, notes: tuple[str, ...]) -> None:
        self.incoming.remember(path)
        for note in notes:
            self.messages.note(note)
        self.saved.emit(path)

    def tell(self, error: SafelightError) -> None:
        self.messages.tell(error)

    def _show_document(self) -> None:
        document = self.editor.document
        self.pages.setCurrentWidget(self.empty if document is None else self.canvas)
        self.empty.show_opening("")
        self.sidebar.setEnabled(document is not None)
        name = document.name if document is not None else ""
        self.setWindowTitle(f"{name} – Safelight" if name else "Safelight")
        if document is not None:
            self.canvas.setFocus()
            if document.path is not None:
                self.incoming.remember(document.path)
            for note in document.notes:
                self.messages.note(note)

    def _restore_window(self) -> None:
        geometry = self.settings.value("window/geometry")
        if geometry is not None:
            self.restoreGeometry(geometry)
        else:
            self.resize(1360, 860)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if self.incoming.takes(event.mimeData()):
            event.setDropAction(Qt.DropAction.CopyAction)
            event.accept()

    def dropEvent(self, event: QDropEvent) -> None:
        self.incoming.take(event.mimeData(), translate("Window", "Dropped picture"))

    def closeEvent(self, event: QCloseEvent) -> None:
        self.settings.setValue("window/geometry", self.saveGeometry())
        self.editor.close()
        self.canvas.close_tiles()
        self.link.close()
        self.background.close()
        super().closeEvent(event)
