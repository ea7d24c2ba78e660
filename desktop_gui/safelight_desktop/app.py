"""Starts the desktop app."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import platformdirs
from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QApplication

from safelight import __version__
from safelight_desktop import texts
from safelight_desktop.rpc.background import Background, favour_event_loop
from safelight_desktop.rpc.link import DaemonLink
from safelight_desktop.state.preferences import Preferences
from safelight_desktop.widgets import theme
from safelight_desktop.widgets.icons import icon
from safelight_desktop.windows.main_window import MainWindow
from safelight_desktop.windows.preferences_dialog import apply_kept

KEPT = Path(platformdirs.user_data_dir("safelight", appauthor=False)) / "unfinished"


def make_app(arguments: Sequence[str]) -> QApplication:
    favour_event_loop()
    app = QApplication([*arguments])
    app.setApplicationName("Safelight")
    app.setApplicationVersion(__version__)
    app.setDesktopFileName("safelight")
    app.setWindowIcon(icon("safelight"))
    return app


def run(files: Sequence[Path]) -> int:
    """Until the window is closed; gives the exit code."""
    app = make_app(sys.argv[:1])
    settings = QSettings("safelight", "desktop")
    preferences = Preferences(settings)
    texts.install(app, preferences.language)
    theme.apply(app, preferences.theme)
    app.styleHints().colorSchemeChanged.connect(lambda _: theme.apply(app, theme.choice()))
    if preferences.kept_megabytes is not None:
        apply_kept(preferences)
    background = Background()
    link = DaemonLink(background)
    window = MainWindow(link, background, settings, KEPT)
    window.show()
    link.connect_now()
    window.open_files([*files])
    return app.exec()
