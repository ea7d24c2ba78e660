"""What the left mouse button does on the canvas. Positions are pixels of the screen on the canvas."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QCursor, QKeyEvent, QPainter

if TYPE_CHECKING:
    from safelight_desktop.widgets.canvas import Canvas


class Tool:
    """Does nothing; tools override what they need."""

    def __init__(self, canvas: Canvas) -> None:
        self.canvas = canvas

    def press(self, position: QPointF, modifiers: Qt.KeyboardModifier, *, panning: bool = False) -> None:
        """`panning`: with the button that always pans."""

    def drag(self, position: QPointF, modifiers: Qt.KeyboardModifier) -> None:
        """The mouse moved with the button down."""

    def release(self, position: QPointF, modifiers: Qt.KeyboardModifier) -> None:
        """The button came up."""

    def hover(self, position: QPointF) -> None:
        """The mouse moved with no button down."""

    def double_click(self, position: QPointF) -> None:
        """Also after `press` and `release`."""

    def key(self, event: QKeyEvent) -> bool:
        """True when the tool used it."""
        return False

    def cursor(self, position: QPointF | None) -> QCursor:
        return QCursor(Qt.CursorShape.CrossCursor)

    def draw(self, painter: QPainter) -> None:
        """Over everything, in pixels of the screen."""

    def leave(self) -> None:
        """Another tool takes over."""
