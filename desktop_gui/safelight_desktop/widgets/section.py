"""A titled part of the side bar that can be folded."""

from __future__ import annotations

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from safelight_desktop.texts import translate
from safelight_desktop.widgets.icons import icon

ICON_PX = 12


class Section(QWidget):
    """`content` is its layout."""

    def __init__(self, title: str, *, folded: bool = False, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.header = QPushButton(title)
        self.header.setProperty("role", "section")
        self.header.setIconSize(QSize(ICON_PX, ICON_PX))
        self._body = QWidget()
        self.content = QVBoxLayout(self._body)
        self.content.setContentsMargins(0, 2, 0, 6)
        self.content.setSpacing(10)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(self.header)
        layout.addWidget(self._body)
        self.folded = folded
        self.header.clicked.connect(lambda: self.fold(not self.folded))
        self.fold(folded)

    def fold(self, folded: bool) -> None:
        self.folded = folded
        self._body.setVisible(not folded)
        self.header.setAccessibleDescription(
            translate("Sidebar", "folded") if folded else translate("Sidebar", "unfolded")
        )
        self.redraw()

    def redraw(self) -> None:
        """Again when the theme changes."""
        self.header.setIcon(icon("chevron" if self.folded else "chevron-down"))
