"""What the window shows before there is a picture."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QDateTime, QLocale, QSize, Qt, Signal
from PySide6.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from safelight_desktop.state.unfinished import Unfinished
from safelight_desktop.texts import translate
from safelight_desktop.widgets import theme
from safelight_desktop.widgets.icons import icon, pixmap

ICON_PX = 72
RECENT_SHOWN, UNFINISHED_SHOWN = 5, 4
AWAY_PX = 12


class EmptyPage(QWidget):
    """An invitation, and the recent files."""

    open_asked = Signal()
    batch_asked = Signal()
    path_chosen = Signal(Path)
    going_on = Signal(Unfinished)
    given_up = Signal(Unfinished)

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
        self.batch = QPushButton(translate("Empty", "Restore whole folders…"))
        self.batch.setProperty("role", "flat")
        self.batch.clicked.connect(self.batch_asked)
        self.busy = QProgressBar()
        self.busy.setRange(0, 0)
        self.busy.setFixedWidth(220)
        self.busy.setTextVisible(False)
        self.busy.hide()
        self.unfinished_title = QLabel(translate("Empty", "Go on with"))
        self.unfinished_title.setProperty("role", "quiet")
        self.unfinished = QVBoxLayout()
        self.unfinished.setSpacing(0)
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
        column.addWidget(self.batch, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addWidget(self.busy, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addSpacing(24)
        column.addWidget(self.unfinished_title, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addLayout(self.unfinished)
        column.addSpacing(12)
        column.addWidget(self.recent_title, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addLayout(self.recent)
        column.addStretch(4)
        self.show_unfinished([])
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
        self.batch.setVisible(not name)
        if name:
            self.hint.setText(translate("Empty", "Opening {name}…").format(name=name))
        else:
            self.hint.setText(translate("Empty", "or paste one with Ctrl+V"))

    def show_unfinished(self, entries: list[Unfinished]) -> None:
        """Work that was left."""
        _empty(self.unfinished)
        self.unfinished_title.setVisible(bool(entries))
        for entry in entries[:UNFINISHED_SHOWN]:
            row = QWidget()
            inside = QHBoxLayout(row)
            inside.setContentsMargins(0, 0, 0, 0)
            inside.setSpacing(0)
            button = QPushButton(unfinished_text(entry))
            button.setProperty("role", "flat")
            button.clicked.connect(lambda _=False, chosen=entry: self.going_on.emit(chosen))
            away = QToolButton()
            away.setIcon(icon("cancel"))
            away.setIconSize(QSize(AWAY_PX, AWAY_PX))
            away.setToolTip(translate("Empty", "Give this work up"))
            away.setAccessibleName(translate("Empty", "Give the work on {name} up").format(name=entry.name))
            away.clicked.connect(lambda _=False, chosen=entry: self.given_up.emit(chosen))
            inside.addWidget(button)
            inside.addWidget(away)
            self.unfinished.addWidget(row, 0, Qt.AlignmentFlag.AlignHCenter)

    def show_recent(self, paths: list[Path]) -> None:
        _empty(self.recent)
        self.recent_title.setVisible(bool(paths))
        for path in paths[:RECENT_SHOWN]:
            button = QPushButton(path.name)
            button.setProperty("role", "flat")
            button.setToolTip(str(path))
            button.clicked.connect(lambda _=False, chosen=path: self.path_chosen.emit(chosen))
            self.recent.addWidget(button, 0, Qt.AlignmentFlag.AlignHCenter)


def unfinished_text(entry: Unfinished) -> str:
    """The picture, what was done to it, and when."""
    done = [
        translate("Empty", "regions: {count}").format(count=entry.regions) if entry.regions else "",
        translate("Empty", "results: {count}").format(count=entry.renditions) if entry.renditions else "",
        QLocale().toString(
            QDateTime.fromSecsSinceEpoch(int(entry.time.timestamp())), QLocale.FormatType.ShortFormat
        ),
    ]
    return f"{entry.name}   {' · '.join(filter(None, done))}"


def _empty(layout: QVBoxLayout) -> None:
    while layout.count():
        item = layout.takeAt(0)
        widget = item.widget() if item is not None else None
        if widget is not None:
            widget.setParent(None)
            widget.deleteLater()
