"""All keys, on F1."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QVBoxLayout,
    QWidget,
)

from safelight_desktop.texts import translate
from safelight_desktop.windows.actions import Actions

COLUMNS = 3


class ShortcutsDialog(QDialog):
    """Made of the actions, and of the keys that the canvas has for itself."""

    def __init__(self, actions: Actions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(translate("Shortcuts", "Keyboard shortcuts"))
        self.keys: dict[str, str] = {}
        groups = [
            (title, [(actions[c.name].text().rstrip("…"), _native(actions, c.name)) for c in commands])
            for title, commands in actions.commands
        ]
        groups.append((translate("Shortcuts", "On the picture"), _canvas_keys()))
        groups.append((translate("Shortcuts", "Batch and contact sheet"), _batch_keys()))
        row = QHBoxLayout()
        row.setSpacing(36)
        for chosen in _spread(groups):
            column = QVBoxLayout()
            column.setSpacing(14)
            for title, entries in chosen:
                column.addLayout(self._group(title, entries))
            column.addStretch(1)
            row.addLayout(column)
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
        buttons.rejected.connect(self.reject)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(24, 20, 24, 16)
        whole.setSpacing(18)
        whole.addLayout(row)
        whole.addWidget(buttons)

    def _group(self, title: str, entries: list[tuple[str, str]]) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(5)
        heading = QLabel(title)
        heading.setProperty("role", "heading")
        grid.addWidget(heading, 0, 0, 1, 2)
        for number, (text, keys) in enumerate(entries, 1):
            self.keys[text] = keys
            label = QLabel(keys)
            label.setProperty("role", "quiet")
            grid.addWidget(QLabel(text), number, 0)
            grid.addWidget(label, number, 1, Qt.AlignmentFlag.AlignRight)
        grid.setColumnStretch(0, 1)
        return grid


def _native(actions: Actions, name: str) -> str:
    shortcuts = actions[name].shortcuts()[:2]
    return ", ".join(s.toString(QKeySequence.SequenceFormat.NativeText) for s in shortcuts)


def _canvas_keys() -> list[tuple[str, str]]:
    """What Canvas, its tools and the lists do with keys."""
    hold = translate("Shortcuts", "hold {key}")
    space = translate("Shortcuts", "Space")
    return [
        (translate("Shortcuts", "Show the original"), hold.format(key=space)),
        (translate("Shortcuts", "Loupe: restored pixels under the pointer"), hold.format(key="L")),
        (translate("Shortcuts", "Next or previous rendition (B)"), "↑ ↓"),
        (translate("Shortcuts", "The one it is compared with (A)"), translate("Shortcuts", "Shift+↑ ↓")),
        (translate("Shortcuts", "Move the divider by 1 %, with Shift by 10 %"), "← →"),
        (translate("Shortcuts", "Divider to an end"), translate("Shortcuts", "Home, End")),
        (translate("Shortcuts", "Move the region by a pixel"), translate("Shortcuts", "Ctrl+arrows")),
        (translate("Shortcuts", "Resize the region by a pixel"), translate("Shortcuts", "Ctrl+Shift+arrows")),
        (translate("Shortcuts", "Zoom at the pointer"), translate("Shortcuts", "wheel")),
        (translate("Shortcuts", "Pan"), translate("Shortcuts", "drag with the middle button")),
        (translate("Shortcuts", "Brush and eraser change places"), hold.format(key="Alt")),
    ]


def _batch_keys() -> list[tuple[str, str]]:
    """What the batch's lists do with keys."""
    return [
        (translate("Shortcuts", "Move pictures up or down"), translate("Shortcuts", "Alt+↑ ↓")),
        (translate("Shortcuts", "Try failed pictures again"), "F5"),
        (translate("Shortcuts", "Accept, reject or redo a result"), "A, X, R"),
        (translate("Shortcuts", "Take a verdict back"), translate("Shortcuts", "Backspace")),
        (translate("Shortcuts", "Show or compare a result"), translate("Shortcuts", "Return")),
    ]


def _spread(groups: list[tuple[str, list[tuple[str, str]]]]) -> list[list[tuple[str, list[tuple[str, str]]]]]:
    """In columns of about the same length, in order."""
    total = sum(len(entries) + 2 for _, entries in groups)
    columns: list[list[tuple[str, list[tuple[str, str]]]]] = [[]]
    length = 0
    for group in groups:
        rows = len(group[1]) + 2
        if columns[-1] and length + rows / 2 > total / COLUMNS and len(columns) < COLUMNS:
            columns.append([])
            length = 0
        columns[-1].append(group)
        length += rows
    return columns
