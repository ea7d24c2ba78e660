"""Tells the desktop when a long job is over and nobody looks."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication, QSystemTrayIcon

from safelight.client.restoration import Restored
from safelight.errors import Cancelled, SafelightError
from safelight_desktop.state.jobs import Job
from safelight_desktop.texts import translate
from safelight_desktop.widgets.icons import icon

if TYPE_CHECKING:
    from safelight_desktop.windows.main_window import MainWindow

LONG_S = 8.0


class Notices(QObject):
    """The task bar always; a notification where the system takes them."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._tray: QSystemTrayIcon | None = None
        jobs = window.editor.jobs
        jobs.finished.connect(self._finished)
        jobs.failed.connect(self._failed)

    def _finished(self, job: Job, _: Restored) -> None:
        self._over(job, translate("Notices", "{name} is restored").format(name=job.call.work.title))

    def _failed(self, job: Job, error: SafelightError) -> None:
        if not isinstance(error, Cancelled):
            self._over(job, translate("Notices", "{name} was not restored").format(name=job.call.work.title))

    def _over(self, job: Job, text: str) -> None:
        self.tell(text, time.monotonic() - job.started, seen=self._window.isActiveWindow())

    def tell(self, text: str, seconds: float, *, seen: bool) -> None:
        """Unless it took no time, or a person is looking."""
        if seen or not self._window.preferences.notify or seconds < LONG_S:
            return
        QApplication.alert(self._window)
        if QSystemTrayIcon.isSystemTrayAvailable():
            if self._tray is None:
                self._tray = QSystemTrayIcon(icon("picture"), self)
            self._tray.show()
            self._tray.showMessage("Safelight", text)
