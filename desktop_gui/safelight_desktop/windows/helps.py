"""The button beside an error that does what helps."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication

from safelight import runtime
from safelight.errors import InternalError, SafelightError, Unavailable, Unrestorable
from safelight_desktop.report import report_of
from safelight_desktop.texts import translate

if TYPE_CHECKING:
    from safelight_desktop.windows.main_window import MainWindow

Help = tuple[str, Callable[[], None] | None]
NO_HELP: Help = ("", None)


def help_for(error: SafelightError, window: MainWindow) -> Help:
    """Its words and what it does."""
    if error.reason in ("START_FAILED", "START_TIMEOUT"):
        return translate("Helps", "Open the log"), open_log
    if isinstance(error, Unavailable):
        return translate("Helps", "Try again"), window.link.connect_now
    if isinstance(error, InternalError | Unrestorable):
        return translate("Helps", "Copy a report"), lambda: copy_report(error)
    return NO_HELP


def open_log() -> None:
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(runtime.log_path())))


def copy_report(error: SafelightError) -> None:
    QGuiApplication.clipboard().setText(report_of(error))
