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
    if error.reason in ("DEVICE_MEMORY", "HOST_MEMORY"):
        return translate("Helps", "Unload everything"), lambda: window.device.unload("")
    if error.reason == "OUT_OF_MEMORY" and window.editor.form.tiles:
        return translate("Helps", "Use smaller tiles"), lambda: run_in_smaller_tiles(window)
    if (
        error.reason in ("PIPELINE_NOT_INSTALLED", "CHECKPOINT_MISSING")
        and window.editor.form.spec is not None
    ):
        pipeline = window.editor.form.spec.id
        return translate("Helps", "Install…"), lambda: window.install_for(pipeline)
    if error.reason in ("DEVICE_BUSY", "QUEUE_FULL", "TOO_MANY_STREAMS"):
        return translate("Helps", "Try again"), lambda: _run(window)
    if isinstance(error, InternalError | Unrestorable):
        return translate("Helps", "Copy a report"), lambda: copy_report(error)
    return NO_HELP


def run_in_smaller_tiles(window: MainWindow) -> None:
    """Half as large as they were."""
    window.editor.form.halve_tiles()
    _run(window)


def _run(window: MainWindow) -> None:
    window.editor.run()


def open_log() -> None:
    QDesktopServices.openUrl(QUrl.fromLocalFile(str(runtime.log_path())))


def copy_report(error: SafelightError) -> None:
    QGuiApplication.clipboard().setText(report_of(error))
