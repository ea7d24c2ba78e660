"""Draws a free shape."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QPainter, QPainterPath

from safelight_desktop.state.painting import lasso_selection
from safelight_desktop.state.view import Point
from safelight_desktop.widgets import marks
from safelight_desktop.widgets.tools.tool import Tool

if TYPE_CHECKING:
    from safelight_desktop.widgets.canvas import Canvas

LEAST_STEP_PX = 3  # of the screen, between two corners
LEAST_CORNERS = 3


class LassoTool(Tool):
    """The line closes by itself; what it encloses becomes a region."""

    def __init__(self, canvas: Canvas) -> None:
        super().__init__(canvas)
        self._points: list[Point] = []

    def press(self, position: QPointF, modifiers: Qt.KeyboardModifier, *, panning: bool = False) -> None:
        self._points = [self.canvas.to_document(position)]

    def drag(self, position: QPointF, modifiers: Qt.KeyboardModifier) -> None:
        if not self._points:
            return
        point, last = self.canvas.to_document(position), self._points[-1]
        if math.hypot(point.x - last.x, point.y - last.y) * self.canvas.view.zoom >= LEAST_STEP_PX:
            self._points.append(point)
            self.canvas.update()

    def release(self, position: QPointF, modifiers: Qt.KeyboardModifier) -> None:
        points, self._points = self._points, []
        if len(points) >= LEAST_CORNERS and self.canvas.editor.document is not None:
            selection = lasso_selection(points, self.canvas.view.document)
            if selection is not None:
                self.canvas.editor.add_region(selection)
        self.canvas.update()

    def draw(self, painter: QPainter) -> None:
        if len(self._points) < 2:
            return
        for pane in self.canvas.panes:
            path = QPainterPath(QPointF(*self.canvas.view.to_screen(self._points[0])) + pane.origin)
            for point in self._points[1:]:
                path.lineTo(QPointF(*self.canvas.view.to_screen(point)) + pane.origin)
            marks.draw_path(painter, path, self.canvas.devicePixelRatioF(), active=True)

    def leave(self) -> None:
        self._points = []
