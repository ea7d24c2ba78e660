"""Draws a box."""

from __future__ import annotations

import math

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QPainter

from safelight.geometry import Rect
from safelight_desktop.state.selection import Selection
from safelight_desktop.state.view import Point
from safelight_desktop.widgets import marks
from safelight_desktop.widgets.tools.tool import Tool

LEAST_PX = 4  # of the document: smaller ones are slips


class RectangleTool(Tool):
    """Shift makes it square. A new region becomes the active one."""

    _start: Point | None = None
    _rect: Rect | None = None

    def press(self, position: QPointF, modifiers: Qt.KeyboardModifier, *, panning: bool = False) -> None:
        self._start = self.canvas.to_document(position)
        self._rect = None

    def drag(self, position: QPointF, modifiers: Qt.KeyboardModifier) -> None:
        if self._start is None:
            return
        end = self.canvas.to_document(position)
        if modifiers & Qt.KeyboardModifier.ShiftModifier:
            side = max(abs(end.x - self._start.x), abs(end.y - self._start.y))
            end = Point(
                self._start.x + math.copysign(side, end.x - self._start.x),
                self._start.y + math.copysign(side, end.y - self._start.y),
            )
        left, right = sorted((self._start.x, end.x))
        top, bottom = sorted((self._start.y, end.y))
        drawn = Rect.from_edges(*(math.floor(edge + 0.5) for edge in (left, top, right, bottom)))
        self._rect = drawn.intersect(Rect.of_size(self.canvas.view.document))
        self.canvas.update()

    def release(self, position: QPointF, modifiers: Qt.KeyboardModifier) -> None:
        rect, self._rect, self._start = self._rect, None, None
        if rect is not None and rect.size.short_side >= LEAST_PX and self.canvas.editor.document is not None:
            self.canvas.editor.add_region(Selection("rectangle", rect))
        self.canvas.update()

    def draw(self, painter: QPainter) -> None:
        if self._rect is None:
            return
        for pane in self.canvas.panes:
            left, top = self.canvas.view.to_screen(Point(self._rect.x, self._rect.y))
            box = QRectF(
                left, top, self._rect.width * self.canvas.view.zoom, self._rect.height * self.canvas.view.zoom
            )
            marks.draw_outline(
                painter, box.translated(pane.origin), self.canvas.devicePixelRatioF(), active=True
            )

    def leave(self) -> None:
        self._start = self._rect = None
