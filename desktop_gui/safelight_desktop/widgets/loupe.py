"""A lens under the cursor that shows restored pixels while its key is held."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QColor, QPainter, QPen

from safelight.geometry import Rect
from safelight_desktop.state.loupe import LoupeState
from safelight_desktop.state.view import NEAREST_FROM, Point
from safelight_desktop.texts import translate
from safelight_desktop.widgets import marks, theme

if TYPE_CHECKING:
    from safelight_desktop.widgets.canvas import Canvas

SIDE_PX = 256  # of the lens, at 100 % display scale


class Loupe:
    """Below 100 % it shows its middle at 100 %; above, as large as the picture around it."""

    def __init__(self, canvas: Canvas) -> None:
        self._canvas = canvas
        self.state = LoupeState(canvas.editor, canvas)
        self.state.arrived.connect(canvas.update)
        self.state.failed.connect(canvas.editor.failed)
        self._shown = False
        self._at: QPointF | None = None

    @property
    def shown(self) -> bool:
        return self._shown

    def show_at(self, position: QPointF | None) -> None:
        """`position` on the canvas; None: where the mouse comes in."""
        if self._canvas.editor.document is None:
            return
        self._shown = True
        self.follow(position)

    def follow(self, position: QPointF | None) -> None:
        self._at = position
        if not self._shown:
            return
        if position is None:
            self.state.leave()
        else:
            side = self._side_px / self._zoom
            self.state.look(self._canvas.to_document(position), side, side)
        self._canvas.update()

    def hide(self) -> None:
        if self._shown:
            self._shown = False
            self.state.leave()
            self._canvas.update()

    @property
    def _side_px(self) -> float:
        return SIDE_PX * self._canvas.devicePixelRatioF()

    @property
    def _zoom(self) -> float:
        return max(1.0, self._canvas.view.zoom)

    def draw(self, painter: QPainter) -> None:
        if not self._shown or self._at is None:
            return
        side, zoom = self._side_px, self._zoom
        lens = QRectF(self._at.x() - side / 2, self._at.y() - side / 2, side, side)
        middle = self._canvas.to_document(self._at)
        painter.save()
        painter.setClipRect(lens)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, zoom < NEAREST_FROM)
        cells = self.state.cells(_seen(middle, side / zoom))
        for cell in cells:
            left = lens.center().x() + (cell.rect.x - middle.x) * zoom
            top = lens.center().y() + (cell.rect.y - middle.y) * zoom
            painter.drawImage(QRectF(left, top, cell.rect.width * zoom, cell.rect.height * zoom), cell.image)
        painter.restore()
        ratio = self._canvas.devicePixelRatioF()
        painter.setPen(QPen(QColor(0, 0, 0, 160), 3 * ratio))
        painter.drawRect(lens)
        painter.setPen(QPen(theme.current().accent, 1 * ratio))
        painter.drawRect(lens)
        foot = QPointF(lens.center().x(), lens.bottom() - 18 * ratio)
        if not cells:
            marks.draw_chip(painter, self._canvas, lens.center(), translate("Canvas", "Restoring…"))
        elif any(cell.exact is False for cell in cells):
            marks.draw_chip(painter, self._canvas, foot, translate("Canvas", "Approximate"))
        elif all(cell.exact for cell in cells):
            marks.draw_chip(painter, self._canvas, foot, translate("Canvas", "Exact"))


def _seen(middle: Point, side: float) -> Rect:
    left, top = math.floor(middle.x - side / 2), math.floor(middle.y - side / 2)
    return Rect(left, top, math.ceil(side) + 1, math.ceil(side) + 1)
