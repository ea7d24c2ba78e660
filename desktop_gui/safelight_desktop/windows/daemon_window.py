"""Everything about the daemon in one window: checkpoints, what is loaded, and whether all is well."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QDialog, QTabWidget, QVBoxLayout

from safelight.errors import SafelightError
from safelight_desktop.state.doctor import Finding
from safelight_desktop.texts import translate
from safelight_desktop.widgets.message_bar import MessageBar
from safelight_desktop.windows.checkpoints_page import CheckpointsPage
from safelight_desktop.windows.doctor_page import DoctorPage, Fix
from safelight_desktop.windows.helps import open_log
from safelight_desktop.windows.loaded_page import LoadedPage

if TYPE_CHECKING:
    from safelight_desktop.windows.main_window import MainWindow

SIZE = (760, 620)


class DaemonWindow(QDialog):
    """Stays beside the picture; one for each main window."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self.setWindowTitle(translate("Daemon", "Checkpoints and daemon"))
        form = window.editor.form
        self.messages = MessageBar()
        self.checkpoints = CheckpointsPage(window.checkpoints, form)
        self.loaded = LoadedPage(window.device, form)
        self.doctor = DoctorPage(window.doctor, self._fix_for, open_log)
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self.tabs.addTab(self.checkpoints, translate("Daemon", "Checkpoints"))
        self.tabs.addTab(self.loaded, translate("Daemon", "Loaded"))
        self.tabs.addTab(self.doctor, translate("Daemon", "Doctor"))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.messages)
        column.addWidget(self.tabs, 1)
        geometry = window.settings.value("daemon-window/geometry")
        if geometry is not None:
            self.restoreGeometry(geometry)
        else:
            self.resize(*SIZE)
        for source in (window.checkpoints.failed, window.doctor.failed):
            source.connect(self._tell)
        self.tabs.currentChanged.connect(self._look)
        self.finished.connect(lambda _: self.keep_geometry())

    def open_at(self, page: str) -> None:
        """checkpoints, loaded or doctor."""
        pages = {"checkpoints": self.checkpoints, "loaded": self.loaded, "doctor": self.doctor}
        self.tabs.setCurrentWidget(pages[page])
        self.show()
        self.raise_()
        self.activateWindow()
        self._look()

    def keep_geometry(self) -> None:
        """For the next start."""
        self._window.settings.setValue("daemon-window/geometry", self.saveGeometry())

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._window.checkpoints.ask()

    def redraw(self) -> None:
        """The theme changed."""
        self.doctor.redraw()

    def _look(self) -> None:
        self._window.device.ask()
        if self.tabs.currentWidget() is self.doctor and not self._window.doctor.findings:
            self._window.doctor.check()

    def _tell(self, error: SafelightError) -> None:
        self.messages.tell(error)

    def _fix_for(self, finding: Finding) -> Fix | None:
        pipelines = {p.spec.id: p for p in self._window.editor.form.pipelines}
        missing = finding.area in pipelines and not pipelines[finding.area].installed
        if missing and self._window.checkpoints.missing(finding.area):
            return translate("Daemon", "Install…"), lambda: self._install(finding.area)
        if finding.fix and finding.area == "daemon":
            return translate("Daemon", "Try again"), self._window.link.connect_now
        if finding.fix and finding.area == "log":
            return translate("Daemon", "Open the log"), open_log
        return None

    def _install(self, pipeline: str) -> None:
        self.tabs.setCurrentWidget(self.checkpoints)
        self.checkpoints.install_for(pipeline)
