"""What the window shows before there is a picture."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from safelight_desktop.texts import translate
from safelight_desktop.widgets import theme
from safelight_desktop.widgets.icons import pixmap

ICON_PX = 72
RECENT_SHOWN = 5


class EmptyPage(QWidget):
    """An invitation, and the recent files."""

    open_asked = Signal()
    path_chosen = Signal(Path)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.picture = QLabel()
        title = QLabel(translate("Empty", "Drop a picture here"))
        title.setProperty("role", "title")
        self.hint = QLabel(translate("Empty", "or paste one with Ctrl+V"))
        self.hint.setProperty("role", "quiet")
        self.open = QPushButton(translate("Empty", "Open a picture…"))
        self.open.setProperty("role", "primary")
        self.open.clicked.connect(self.open_asked)
        self.busy = QProgressBar()
        self.busy.setRange(0, 0)
        self.busy.setFixedWidth(220)
        self.busy.setTextVisible(False)
        self.busy.hide()
        self.recent_title = QLabel(translate("Empty", "Recent"))
        self.recent_title.setProperty("role", "quiet")
        self.recent = QVBoxLayout()
        self.recent.setSpacing(0)
        column = QVBoxLayout(self)
        column.setSpacing(10)
        column.addStretch(3)
        for widget in (self.picture, title, self.hint):
            column.addWidget(widget, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addSpacing(8)
        column.addWidget(self.open, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addWidget(self.busy, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addSpacing(24)
        column.addWidget(self.recent_title, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addLayout(self.recent)
        column.addStretch(4)
        self.show_recent([])
        self.draw_icon()

    def draw_icon(self) -> None:
        """Again when the theme changes."""
        colour = theme.current().accent.name()
        self.picture.setPixmap(pixmap("picture", ICON_PX, self.devicePixelRatioF(), colour))

    def show_opening(self, name: str) -> None:
        """A picture of this name is being read; empty: none is."""
        self.busy.setVisible(bool(name))
        self.open.setVisible(not name)
        if name:
            self.hint.setText(translate("Empty", "Opening {name}…").format(name=name))
        else:
            self.hint.setText(translate("Empty", "or paste one with Ctrl+V"))

    def show_recent(self, paths: list[Path]) -> None:
        while self.recent.count():
            item = self.recent.takeAt(0)
            widget = item.widget() if item is not None else None
            if widget is not None:
                widget.setParent(None)
                widget.deleteLater()
        self.recent_title.setVisible(bool(paths))
        for path in paths[:RECENT_SHOWN]:
            button = QPushButton(path.name)
            button.setProperty("role", "flat")
            button.setToolTip(str(path))
            button.clicked.connect(lambda _=False, chosen=path: self.path_chosen.emit(chosen))
            self.recent.addWidget(button, 0, Qt.AlignmentFlag.AlignHCenter)
