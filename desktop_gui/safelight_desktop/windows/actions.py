"""Every command of the window with its shortcut: menus, tool bars and the list on F1 are made of these."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QFileDialog

from safelight_desktop.texts import translate
from safelight_desktop.widgets.tools.rectangle import RectangleTool

if TYPE_CHECKING:
    from safelight_desktop.windows.main_window import MainWindow


class Actions(QObject):
    """Belongs to the window."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self.all: list[QAction] = []
        bar = window.addToolBar("main")
        rectangle = RectangleTool(window.canvas)
        for text, keys, does in (
            ("Open", "Ctrl+O", window.incoming.ask),
            ("Paste", "Ctrl+V", window.incoming.paste),
            ("Save", "Ctrl+S", self.save),
            ("Rectangle", "M", lambda: window.canvas.use_tool(rectangle)),
            ("Hand", "H", lambda: window.canvas.use_tool(None)),
        ):
            bar.addAction(self._action(text, keys, does))

    def _action(self, text: str, keys: str, does: Callable[[], object]) -> QAction:
        action = QAction(text, self)
        action.setShortcut(QKeySequence(keys))
        action.triggered.connect(lambda: does())
        self.all.append(action)
        return action

    def save(self) -> None:
        name, _ = QFileDialog.getSaveFileName(self._window, translate("Window", "Save the picture"))
        if name:
            self._window.save_to(Path(name))
