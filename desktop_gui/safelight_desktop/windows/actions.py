"""Every command of the window with its keys: menus, tool bars and the list on F1 are made of these."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtGui import QAction, QActionGroup, QKeySequence

from safelight_desktop.state.compare import CompareMode
from safelight_desktop.texts import translate
from safelight_desktop.widgets.icons import icon
from safelight_desktop.widgets.tools.lasso import LassoTool
from safelight_desktop.widgets.tools.painter import PaintTool
from safelight_desktop.widgets.tools.rectangle import RectangleTool
from safelight_desktop.widgets.tools.tool import Tool

if TYPE_CHECKING:
    from safelight_desktop.windows.main_window import MainWindow

BRUSH_STEP = 1.2


@dataclass(frozen=True)
class Command:
    """One thing that can be done."""

    name: str
    text: str
    keys: str
    """In Qt's notation, alternatives parted by blanks; empty: none."""
    does: Callable[[], object]
    drawing: str = ""
    """Name of its icon."""
    group: str = ""
    """One of a group is on."""


class Actions(QObject):
    """QActions by name."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._groups: dict[str, QActionGroup] = {}
        self.by_name: dict[str, QAction] = {}
        self.commands: list[tuple[str, list[Command]]] = [
            (translate("Actions", "File"), self._file()),
            (translate("Actions", "Edit"), self._edit()),
            (translate("Actions", "View"), self._view()),
            (translate("Actions", "Compare"), self._compare()),
            (translate("Actions", "Tools"), self._tools()),
            (translate("Actions", "Restore"), self._restore()),
            (translate("Actions", "Daemon"), self._daemon()),
            (translate("Actions", "Help"), self._help()),
        ]
        for _, commands in self.commands:
            for command in commands:
                self.by_name[command.name] = self._action(command)
        self.by_name["hand"].setChecked(True)
        self.by_name["split"].setChecked(True)
        window.editor.compare.changed.connect(self._show_mode)
        for signal in (
            window.editor.document_changed, window.editor.active_changed, window.editor.regions_changed,
            window.editor.jobs.changed, window.editor.history.indexChanged,
        ):  # fmt: skip
            signal.connect(self.show_enabled)
        self.show_enabled()

    def __getitem__(self, name: str) -> QAction:
        return self.by_name[name]

    def redraw(self) -> None:
        """The theme changed."""
        for _, commands in self.commands:
            for command in commands:
                if command.drawing:
                    self.by_name[command.name].setIcon(icon(command.drawing))

    def _action(self, command: Command) -> QAction:
        action = QAction(command.text, self._window)
        action.setObjectName(command.name)
        action.setShortcuts([QKeySequence(keys) for keys in command.keys.split()])
        if command.drawing:
            action.setIcon(icon(command.drawing))
        if command.group:
            action.setCheckable(True)
            group = self._groups.setdefault(command.group, QActionGroup(self))
            group.addAction(action)
        keys = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
        action.setToolTip(f"{command.text.rstrip('…')}  ({keys})" if keys else command.text.rstrip("…"))
        action.triggered.connect(lambda: command.does())
        self._window.addAction(action)
        return action

    def _file(self) -> list[Command]:
        window = self._window
        return [
            Command("open", translate("Actions", "Open…"), "Ctrl+O", window.incoming.ask, "open"),
            Command("paste", translate("Actions", "Paste as a new picture"), "Ctrl+V", window.incoming.paste),
            Command("batch", translate("Actions", "Batch…"), "Ctrl+B", window.batch.show, "batch"),
            Command(
                "compare-with",
                translate("Actions", "Compare with a file…"),
                "Ctrl+Shift+O",
                window.incoming.ask_other,
            ),
            Command("save", translate("Actions", "Save as…"), "Ctrl+S", window.saving.ask_picture, "save"),
            Command(
                "save-project",
                translate("Actions", "Save the project"),
                "Ctrl+Shift+S",
                window.saving.save_project,
            ),
            Command(
                "save-project-as",
                translate("Actions", "Save the project as…"),
                "Ctrl+Alt+S",
                window.saving.ask_project,
            ),
            Command(
                "close", translate("Actions", "Close the picture"), "Ctrl+W", window.editor.close_document
            ),
            Command("quit", translate("Actions", "Quit"), "Ctrl+Q", window.close),
        ]

    def _edit(self) -> list[Command]:
        editor, window = self._window.editor, self._window
        return [
            Command("undo", translate("Actions", "Undo"), "Ctrl+Z", editor.history.undo, "undo"),
            Command("redo", translate("Actions", "Redo"), "Ctrl+Shift+Z Ctrl+Y", editor.history.redo, "redo"),
            Command(
                "new-region", translate("Actions", "New region in the middle of the view"), "Ctrl+N",
                editor.add_region_in_sight, "add",
            ),
            Command(
                "remove-region", translate("Actions", "Remove the region"), "Del Backspace", self._remove_region,
                "remove",
            ),
            Command(
                "next-region", translate("Actions", "Next region"), "Ctrl+Tab Ctrl+PgDown",
                lambda: editor.step_region(1),
            ),
            Command(
                "last-region", translate("Actions", "Previous region"), "Ctrl+Shift+Tab Ctrl+PgUp",
                lambda: editor.step_region(-1),
            ),
            Command(
                "preferences", translate("Actions", "Preferences…"), "Ctrl+,", window.show_preferences, "settings"
            ),
        ]  # fmt: skip

    def _view(self) -> list[Command]:
        view, window = self._window.editor.view, self._window
        return [
            Command("zoom-in", translate("Actions", "Zoom in"), "+ = Ctrl++ Ctrl+=", lambda: view.zoom_by(1)),
            Command("zoom-out", translate("Actions", "Zoom out"), "- Ctrl+-", lambda: view.zoom_by(-1)),
            Command("fit", translate("Actions", "Whole picture"), "Ctrl+0 F", view.fit, "fit"),
            Command(
                "one-to-one", translate("Actions", "100 %"), "Ctrl+1", window.canvas.zoom_one_to_one, "one-to-one"
            ),
            Command(
                "toggle-zoom", translate("Actions", "Whole picture or 100 % at the pointer"), "Z",
                window.canvas.toggle_zoom,
            ),
            Command(
                "sidebar", translate("Actions", "Show or hide the side bar"), "F9", window.toggle_sidebar
            ),
            Command("fullscreen", translate("Actions", "Full screen"), "F11", window.toggle_fullscreen),
        ]  # fmt: skip

    def _compare(self) -> list[Command]:
        compare = self._window.editor.compare
        modes = (
            (CompareMode.SPLIT, translate("Actions", "Split"), "1"),
            (CompareMode.SIDE_BY_SIDE, translate("Actions", "Side by side"), "2"),
            (CompareMode.BLINK, translate("Actions", "Blink"), "3"),
            (CompareMode.DIFFERENCE, translate("Actions", "Difference"), "4"),
            (CompareMode.AFTER, translate("Actions", "After only"), "5"),
        )
        commands = [
            Command(mode.value, text, key, partial(compare.set_mode, mode), mode.value, "mode")
            for mode, text, key in modes
        ]
        maps = self._window.canvas.maps
        return [
            *commands,
            Command(
                "contradiction", translate("Actions", "Map: what contradicts the original"), "C",
                partial(maps.toggle, "contradiction"),
            ),
            Command(
                "invention", translate("Actions", "Map: detail that was invented"), "I",
                partial(maps.toggle, "invention"),
            ),
            Command(
                "spread", translate("Actions", "Map: where renditions disagree"), "D", partial(maps.toggle, "spread")
            ),
            Command("toggle-blink", translate("Actions", "Blink on or off"), "B", compare.toggle_blink),
            Command("flip", translate("Actions", "Flip the direction"), "V", compare.flip, "flip"),
        ]  # fmt: skip

    def _tools(self) -> list[Command]:
        canvas, brush = self._window.canvas, self._window.editor.brush
        tools: tuple[tuple[str, str, str, Tool], ...] = (
            ("hand", translate("Actions", "Hand: pan, move and resize regions"), "H", canvas.hand),
            ("rectangle", translate("Actions", "Rectangle"), "M", RectangleTool(canvas)),
            ("lasso", translate("Actions", "Lasso"), "O", LassoTool(canvas)),
            ("brush", translate("Actions", "Mask brush"), "P", PaintTool(canvas, "paint")),
            ("eraser", translate("Actions", "Mask eraser"), "E", PaintTool(canvas, "erase")),
            ("strength", translate("Actions", "Strength brush"), "S", PaintTool(canvas, "strength")),
        )
        commands = [
            Command(name, text, key, partial(canvas.use_tool, tool), name, "tool")
            for name, text, key, tool in tools
        ]
        return [
            *commands,
            Command(
                "smaller-brush", translate("Actions", "Smaller brush"), "[",
                lambda: brush.set_size(brush.size_px / BRUSH_STEP),
            ),
            Command(
                "larger-brush", translate("Actions", "Larger brush"), "]",
                lambda: brush.set_size(brush.size_px * BRUSH_STEP),
            ),
            Command(
                "harder-brush", translate("Actions", "Harder brush"), "Shift+[ {",
                lambda: brush.set_softness(brush.softness - 0.1),
            ),
            Command(
                "softer-brush", translate("Actions", "Softer brush"), "Shift+] }",
                lambda: brush.set_softness(brush.softness + 0.1),
            ),
        ]  # fmt: skip

    def _restore(self) -> list[Command]:
        editor = self._window.editor
        return [
            Command(
                "run", translate("Actions", "Restore"), "Ctrl+Return Ctrl+Enter", editor.run, "run"
            ),
            Command(
                "run-all", translate("Actions", "Restore with every installed pipeline"), "Ctrl+Shift+Return",
                editor.run_all_pipelines,
            ),
            Command(
                "run-scales", translate("Actions", "Try half, automatic and double working scale"),
                "Ctrl+Alt+Return", editor.run_working_scales,
            ),
            Command("new-seed", translate("Actions", "New seed"), "Ctrl+D", editor.form.new_seed, "dice"),
            Command("cancel", translate("Actions", "Cancel what runs"), "Esc", editor.cancel, "cancel"),
        ]  # fmt: skip

    def _daemon(self) -> list[Command]:
        show = self._window.show_daemon
        return [
            Command(
                "checkpoints", translate("Actions", "Checkpoints…"), "Ctrl+K", partial(show, "checkpoints")
            ),
            Command("loaded", translate("Actions", "What is loaded…"), "Ctrl+L", partial(show, "loaded")),
            Command(
                "unload", translate("Actions", "Unload everything now"), "Ctrl+Shift+L",
                lambda: self._window.device.unload(""),
            ),
            Command("doctor", translate("Actions", "Doctor, log and report…"), "Ctrl+Shift+D", partial(show, "doctor")),
        ]  # fmt: skip

    def _help(self) -> list[Command]:
        window = self._window
        return [
            Command(
                "shortcuts",
                translate("Actions", "Keyboard shortcuts"),
                "F1",
                window.show_shortcuts,
                "keyboard",
            ),
            Command("about", translate("Actions", "About Safelight"), "", window.show_about, "info"),
        ]

    def _remove_region(self) -> None:
        active = self._window.editor.active
        if active is not None:
            self._window.editor.remove_region(active)

    def _show_mode(self) -> None:
        self.by_name[self._window.editor.compare.mode.value].setChecked(True)

    def show_enabled(self) -> None:
        """What makes no sense now is grey."""
        editor = self._window.editor
        picture = editor.document is not None
        needs_picture = (
            "save", "save-project", "save-project-as",
            "compare-with", "close", "zoom-in", "zoom-out", "fit", "one-to-one", "toggle-zoom", "run",
            "run-all", "run-scales", "new-region", "rectangle", "lasso", "brush", "eraser", "strength", "hand",
            "next-region", "last-region", "flip", "toggle-blink", *(mode.value for mode in CompareMode),
        )  # fmt: skip
        for name in needs_picture:
            self.by_name[name].setEnabled(picture)
        active = editor.active
        self.by_name["remove-region"].setEnabled(active is not None and not active.whole)
        restored = active is not None and active.shown is not None and self._window.canvas.maps.offered
        for name in ("contradiction", "invention", "spread"):
            self.by_name[name].setEnabled(restored)
        self.by_name["undo"].setEnabled(editor.history.canUndo())
        self.by_name["redo"].setEnabled(editor.history.canRedo())
        self.by_name["cancel"].setEnabled(bool(editor.jobs.running))
