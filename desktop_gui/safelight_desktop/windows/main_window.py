"""The window: tools on the left, the picture, and the side bar that says how it is restored."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QSettings, Qt, Signal
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import (
    QApplication,
    QHBoxLayout,
    QMainWindow,
    QMessageBox,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from safelight import __version__
from safelight.errors import SafelightError
from safelight.imaging.files import MetadataPolicy
from safelight_desktop.rpc.background import Background
from safelight_desktop.rpc.link import DaemonLink
from safelight_desktop.state.checkpoints import CheckpointStore
from safelight_desktop.state.device import DeviceState
from safelight_desktop.state.doctor import Doctor
from safelight_desktop.state.editor import Editor
from safelight_desktop.state.estimate import Speeds
from safelight_desktop.state.preferences import Preferences
from safelight_desktop.state.presets import OwnPresets
from safelight_desktop.texts import translate
from safelight_desktop.widgets import icons, theme
from safelight_desktop.widgets.calm import Calm
from safelight_desktop.widgets.canvas import Canvas
from safelight_desktop.widgets.empty_page import EmptyPage
from safelight_desktop.widgets.message_bar import MessageBar
from safelight_desktop.widgets.section import Section
from safelight_desktop.widgets.sidebar import Sidebar
from safelight_desktop.widgets.status_bar import StatusBar
from safelight_desktop.windows.actions import Actions
from safelight_desktop.windows.batch_doors import BatchDoors
from safelight_desktop.windows.daemon_window import DaemonWindow
from safelight_desktop.windows.helps import help_for
from safelight_desktop.windows.incoming import Incoming
from safelight_desktop.windows.menus import Bars
from safelight_desktop.windows.notices import Notices
from safelight_desktop.windows.preferences_dialog import PreferencesDialog
from safelight_desktop.windows.saving import Saving
from safelight_desktop.windows.shortcuts_dialog import ShortcutsDialog


class MainWindow(QMainWindow):
    """Owns the state of one session: the connection, the editor, the worker threads."""

    saved = Signal(Path)

    def __init__(
        self, link: DaemonLink, background: Background, settings: QSettings, kept: Path | None = None
    ) -> None:
        """`kept`: folder for unfinished work; None: beside the file of `settings`."""
        super().__init__()
        self.link, self.background, self.settings = link, background, settings
        self.preferences = Preferences(settings, self)
        self.editor = Editor(link, background, self)
        self.editor.set_monitor(self.preferences.monitor_icc())
        self.device = DeviceState(link, self)
        self.checkpoints = CheckpointStore(link, self)
        self.doctor = Doctor(self)
        self.speeds = Speeds(settings, self)
        self.presets = OwnPresets(settings, self)
        self.canvas = Canvas(self.editor)
        self.empty = EmptyPage()
        self.sidebar = Sidebar(self.editor, self.speeds, self.presets, self.device)
        self.messages = MessageBar()
        self.incoming = Incoming(self)
        kept = kept or Path(settings.fileName()).parent / "unfinished"
        self.saving = Saving(self, kept)
        self.pages = QStackedWidget()
        self.pages.addWidget(self.empty)
        self.pages.addWidget(self.canvas)
        self.status = StatusBar(self.editor, self.device)
        self.setStatusBar(self.status)
        self.batch = BatchDoors(self, kept.parent / "batch")
        self.actions_ = Actions(self)
        self.bars = Bars(self)
        self.bars.fill_status()
        self.notices = Notices(self)
        for name in ("run-all", "run-scales", "new-seed"):
            self.sidebar.run_box.menu.addAction(self.actions_[name])
        self._calm = Calm(self)
        self._calm.watch(self.sidebar)
        self._sidebar_wanted = str(settings.value("window/sidebar", "true")) == "true"
        self._closing = False
        self.daemon_window: DaemonWindow | None = None
        self._lay_out()
        self.setAcceptDrops(True)
        self.setMinimumSize(900, 560)
        self._connect()
        self._show_document()
        self._restore_window()

    def _connect(self) -> None:
        self.editor.document_changed.connect(self._show_document)
        self.editor.opening.connect(self._show_opening)
        self.editor.rendered.connect(self.speeds.learn)
        self.editor.resumed.connect(self._tell_resumed)
        for source in (
            self.editor.failed, self.background.failed, self.link.failed, self.device.failed, self.canvas.maps.failed,
        ):  # fmt: skip
            source.connect(self.tell)
        self.saving.saved.connect(self.saved)
        self.saving.over.connect(self._saved_all)
        self.empty.going_on.connect(self.saving.autosave.go_on)
        self.empty.given_up.connect(self.saving.give_up)
        self.link.greeted.connect(lambda _: self.messages.forget_connection())
        self.checkpoints.installed_changed.connect(self.editor.ask_pipelines)
        self.sidebar.pipeline.install_asked.connect(self.install_for)
        self.device.changed.connect(self._device_changed)
        self.editor.jobs.changed.connect(self.device.ask)
        self.preferences.changed.connect(self._preferences_changed)
        self.canvas.pointed.connect(self.status.show_point)
        self.canvas.tool_changed.connect(self.bars.show_tool)
        self.empty.open_asked.connect(self.incoming.ask)
        self.empty.batch_asked.connect(self.batch.show)
        self.empty.path_chosen.connect(self.editor.open)

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

    # -- pictures -------------------------------------------------------------------------------------

    def open_files(self, paths: list[Path]) -> None:
        """What the command line, a drop or another program asked for; folders and several files are a batch."""
        if len(paths) > 1 or any(path.is_dir() for path in paths):
            self.batch.add(paths)
        elif paths:
            self.editor.open(paths[0])

    def save_to(self, path: Path, policy: MetadataPolicy = "keep", *, record: bool = True) -> None:
        """The picture as it stands; `saved` follows, or a message."""
        self.saving.save_picture(path, policy, record=record)

    def stay_open(self) -> None:
        """What was to be saved before closing was not."""
        self._closing = False

    def _saved_all(self) -> None:
        if self._closing:
            self.close()

    # -- words ----------------------------------------------------------------------------------------

    def tell(self, error: SafelightError) -> None:
        self.messages.tell(error, *help_for(error, self))

    def show_shortcuts(self) -> None:
        ShortcutsDialog(self.actions_, self).exec()

    def show_preferences(self) -> None:
        PreferencesDialog(self.preferences, self.device, self.link, self).exec()

    def show_daemon(self, page: str) -> None:
        """checkpoints, loaded or doctor."""
        if self.daemon_window is None:
            self.daemon_window = DaemonWindow(self)
        self.daemon_window.open_at(page)

    def install_for(self, pipeline: str) -> None:
        """What a pipeline lacks, in the checkpoint store."""
        self.show_daemon("checkpoints")
        assert self.daemon_window is not None
        self.daemon_window.checkpoints.install_when_known(pipeline)

    def show_about(self) -> None:
        text = translate(
            "Window",
            "Safelight {version} restores regions of photographs. The work is done by a daemon; nothing leaves "
            "the machine.\n\nApache-2.0. Icons: part of Safelight. Made with Qt (LGPL).",
        )
        QMessageBox.about(self, translate("Window", "About Safelight"), text.format(version=__version__))

    def toggle_sidebar(self) -> None:
        self._sidebar_wanted = not self._sidebar_wanted
        self._show_sides()

    def _show_sides(self) -> None:
        """Without a picture there is nothing to set."""
        there = self.editor.document is not None
        self.sidebar.setVisible(there and self._sidebar_wanted)
        self.bars.tools.setVisible(there)

    def toggle_fullscreen(self) -> None:
        self.setWindowState(self.windowState() ^ Qt.WindowState.WindowFullScreen)

    # -- following ------------------------------------------------------------------------------------

    def _show_document(self) -> None:
        document = self.editor.document
        self.pages.setCurrentWidget(self.empty if document is None else self.canvas)
        self.empty.show_opening("")
        self._show_sides()
        self.bars.zoom.show_picture(document is not None)
        self.show_title()
        self.messages.forget()
        if document is None:
            self.saving.show_unfinished()
            return
        self.canvas.setFocus()
        path = self.editor.project_path or document.path
        if path is not None:
            self.incoming.remember(path)
            self.saving.offer_unfinished(path)
        if document.notes:
            self.messages.note(*document.notes)

    def show_title(self) -> None:
        """The project's file, else the picture."""
        document, project = self.editor.document, self.editor.project_path
        name = project.name if project is not None else document.name if document is not None else ""
        self.setWindowTitle(f"{name} – Safelight" if name else "Safelight")

    def _show_opening(self, name: str) -> None:
        self.empty.show_opening(name)
        if self.editor.document is not None:
            self.messages.note(translate("Empty", "Opening {name}…").format(name=name))

    def _tell_resumed(self, count: int) -> None:
        self.messages.note(
            translate("Window", "The daemon is back. What it was doing is done again: {count}").format(
                count=count
            )
        )

    def _device_changed(self) -> None:
        device = self.device.device
        if device is not None:
            self.speeds.device = device.title

    def _preferences_changed(self) -> None:
        app = QApplication.instance()
        if isinstance(app, QApplication) and theme.choice() != self.preferences.theme:
            theme.apply(app, self.preferences.theme)
        icc = self.preferences.monitor_icc()
        if icc != self.editor.monitor_icc:
            self.editor.set_monitor(icc)

    def redraw(self) -> None:
        """The theme changed: what was drawn in its colours is drawn again."""
        icons.forget()
        self.actions_.redraw()
        for section in self.findChildren(Section):
            section.redraw()
        self.empty.draw_icon()
        if self.daemon_window is not None:
            self.daemon_window.redraw()
        self.batch.redraw()
        self.status.show_state()
        self.canvas.update()

    def _restore_window(self) -> None:
        geometry = self.settings.value("window/geometry")
        if geometry is not None:
            self.restoreGeometry(geometry)
        else:
            self.resize(1400, 880)
        self.empty.show_recent(self.incoming.recent())
        self.device.watch(True)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if self.incoming.takes(event.mimeData()):
            event.setDropAction(Qt.DropAction.CopyAction)
            event.accept()

    def dropEvent(self, event: QDropEvent) -> None:
        self.incoming.take(event.mimeData(), translate("Window", "Dropped picture"))

    def closeEvent(self, event: QCloseEvent) -> None:
        if self.saving.busy:  # a file that is being written is not given up
            self._closing = True
            self.messages.note(translate("Window", "The window closes when the picture is saved"))
            event.ignore()
            return
        if not self.batch.close():
            event.ignore()
            return
        self.settings.setValue("window/geometry", self.saveGeometry())
        self.settings.setValue("window/sidebar", "true" if self._sidebar_wanted else "false")
        self.device.watch(False)
        self.saving.autosave.close()
        self.doctor.close()
        if self.daemon_window is not None:
            self.daemon_window.close()
        self.editor.close()
        self.canvas.close_tiles()
        self.link.close()
        self.background.close()
        super().closeEvent(event)
