"""Menu bar and tool bars, made of the actions."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QMenu, QToolBar, QToolButton

from safelight_desktop.state.compare import CompareMode
from safelight_desktop.texts import translate
from safelight_desktop.widgets.brush_bar import BrushBar
from safelight_desktop.widgets.compare_bar import CompareBar
from safelight_desktop.widgets.tools.painter import PaintTool
from safelight_desktop.widgets.zoom_box import ZoomBox

if TYPE_CHECKING:
    from safelight_desktop.windows.main_window import MainWindow

ICON_PX, STATUS_ICON_PX = 20, 16
BEGINNERS = ("quit", "preferences", "new-region", "smaller-brush", "contradiction", "toggle-blink")
"""Commands that begin a part of their menu."""
TOOLS = ("hand", "rectangle", "lasso", "brush", "eraser", "strength")


class Bars:
    """Of one window."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window
        self.recent = QMenu(translate("Window", "Open recent"))
        self.zoom = ZoomBox(window.editor.view)
        self.compare = CompareBar(window.editor, window.canvas.maps)
        self.brush = BrushBar(window.editor.brush)
        self._fill_menus()
        self._fill_top()
        self._fill_tools()
        self.recent.aboutToShow.connect(self._fill_recent)

    def _fill_menus(self) -> None:
        actions = self._window.actions_
        for title, commands in actions.commands:
            menu = self._window.menuBar().addMenu(title)
            for command in commands:
                if command.name in BEGINNERS:
                    menu.addSeparator()
                menu.addAction(actions[command.name])
                if command.name == "open":
                    menu.addMenu(self.recent)

    def _fill_top(self) -> None:
        actions, bar = self._window.actions_, _bar(self._window, "main", translate("Window", "Main bar"))
        self._window.addToolBar(bar)
        for name in ("open", "save"):
            bar.addAction(actions[name])
        bar.addSeparator()
        for name in ("undo", "redo"):
            bar.addAction(actions[name])
        bar.addSeparator()
        for mode in CompareMode:
            bar.addAction(actions[mode.value])
        bar.addAction(actions["flip"])
        self._compare_action = bar.addWidget(self.compare)
        self._brush_action = bar.addWidget(self.brush)
        self.show_tool()

    def fill_status(self) -> None:
        """The zoom, at the right end of the status bar."""
        for name in ("fit", "one-to-one"):
            button = QToolButton()
            button.setDefaultAction(self._window.actions_[name])
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            button.setIconSize(QSize(STATUS_ICON_PX, STATUS_ICON_PX))
            self.zoom.row.addWidget(button)
        self._window.status.addPermanentWidget(self.zoom)

    def _fill_tools(self) -> None:
        self.tools = bar = _bar(self._window, "tools", translate("Window", "Tools"))
        bar.setOrientation(Qt.Orientation.Vertical)
        self._window.addToolBar(Qt.ToolBarArea.LeftToolBarArea, bar)
        for name in TOOLS:
            bar.addAction(self._window.actions_[name])
        bar.addSeparator()
        bar.addAction(self._window.actions_["remove-region"])

    def show_tool(self) -> None:
        """The brush's numbers take the place of those of the compare mode."""
        tool = self._window.canvas.tool
        paints = tool.effect if isinstance(tool, PaintTool) else ""
        self.brush.show_for(paints)
        self._brush_action.setVisible(bool(paints))
        self._compare_action.setVisible(not paints)

    def _fill_recent(self) -> None:
        self.recent.clear()
        paths = self._window.incoming.recent()
        for path in paths:
            self.recent.addAction(path.name, partial(self._window.open_files, [path]))
        if paths:
            self.recent.addSeparator()
            self.recent.addAction(translate("Window", "Forget them"), self._window.incoming.forget_all)
        else:
            self.recent.addAction(translate("Window", "Nothing yet")).setEnabled(False)


def _bar(window: MainWindow, name: str, title: str) -> QToolBar:
    bar = QToolBar(title, window)
    bar.setObjectName(name)
    bar.setMovable(False)
    bar.setIconSize(QSize(ICON_PX, ICON_PX))
    bar.setContextMenuPolicy(Qt.ContextMenuPolicy.PreventContextMenu)
    return bar
