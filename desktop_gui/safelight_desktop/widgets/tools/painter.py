"""Brush, eraser and strength brush."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QCursor, QPainter, QPen

from safelight_desktop.state.painting import Brush, Effect, Stroke
from safelight_desktop.state.region import Region
from safelight_desktop.widgets import marks
from safelight_desktop.widgets.tools.tool import Tool

if TYPE_CHECKING:
    from safelight_desktop.widgets.canvas import Canvas


class PaintTool(Tool):
    """The brush adds to the active region, or begins a new one where that is the whole picture; the eraser takes
    away from it; the strength brush says how much of the restoration each place gets. Alt turns brush and eraser
    round, and makes the strength brush paint full strength."""

    def __init__(self, canvas: Canvas, effect: Effect) -> None:
        super().__init__(canvas)
        self.effect: Effect = effect
        self.stroke: Stroke | None = None
        self.region: Region | None = None
        """The region that is painted on; None for a new one."""
        self.version = 0
        self._at: QPointF | None = None

    def press(self, position: QPointF, modifiers: Qt.KeyboardModifier, *, panning: bool = False) -> None:
        editor, brush = self.canvas.editor, self.canvas.brush
        if editor.document is None or editor.active is None:
            return
        effect = self._effect(modifiers)
        whole = editor.active.whole and effect != "strength"
        if whole and effect == "erase":
            return
        self.region = None if whole else editor.active
        value = 255 if modifiers & Qt.KeyboardModifier.AltModifier else round(brush.strength * 255)
        used = Brush(brush.size_px / 2, brush.softness, value)
        selection = None if self.region is None else self.region.selection
        self.stroke = Stroke(selection, effect, used, editor.document.size)
        self.drag(position, modifiers)

    def drag(self, position: QPointF, modifiers: Qt.KeyboardModifier) -> None:
        self._at = position
        if self.stroke is not None:
            self.stroke.to(self.canvas.to_document(position))
            self.version += 1
        self.canvas.update()

    def release(self, position: QPointF, modifiers: Qt.KeyboardModifier) -> None:
        stroke, region = self.stroke, self.region
        self.stroke, self.region = None, None
        if stroke is None:
            return
        selection, editor = stroke.result(), self.canvas.editor
        if region is None:
            if selection is not None:
                editor.add_region(selection)
        elif selection is None:
            editor.remove_region(region)
        else:
            before = region.selection
            editor.reshape(region, selection)
            editor.reshaped(region, before)
        self.canvas.update()

    def hover(self, position: QPointF) -> None:
        self._at = position
        self.canvas.update()

    def cursor(self, position: QPointF | None) -> QCursor:
        return QCursor(Qt.CursorShape.BlankCursor if position is not None else Qt.CursorShape.CrossCursor)

    def draw(self, painter: QPainter) -> None:
        """The brush's rim, and where it begins to fade."""
        if self._at is None or self.canvas.pointer is None:
            return
        brush, ratio = self.canvas.brush, self.canvas.devicePixelRatioF()
        radius = max(1.5 * ratio, brush.size_px / 2 * self.canvas.view.zoom)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for width, colour in ((3.0, marks.SHADE), (1.2, QColor(255, 255, 255))):
            painter.setPen(QPen(colour, width * ratio))
            painter.drawEllipse(self._at, radius, radius)
        inner = radius * (1 - brush.softness)
        if 2 * ratio < inner < radius - 2 * ratio:
            pen = QPen(QColor(255, 255, 255, 150), ratio)
            pen.setDashPattern([3, 3])
            painter.setPen(pen)
            painter.drawEllipse(self._at, inner, inner)
        painter.restore()

    def leave(self) -> None:
        self.stroke = self.region = self._at = None

    def _effect(self, modifiers: Qt.KeyboardModifier) -> Effect:
        if not modifiers & Qt.KeyboardModifier.AltModifier or self.effect == "strength":
            return self.effect
        return "erase" if self.effect == "paint" else "paint"
