"""Marks that are seen on any picture: light lines on dark ones, and short texts on a dark ground."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPainterPath, QPen
from PySide6.QtWidgets import QWidget

SHADE = QColor(0, 0, 0, 150)
CHIP = QColor(20, 20, 20, 200)
ACTIVE = QColor("#f2a33c")
"""The active region's line and handles."""
TINT = QColor("#2fb4ff")
"""What is selected by a mask."""
LESS = QColor("#ff4fc3")
"""What gets less of the restoration."""


def draw_outline(painter: QPainter, box: QRectF, ratio: float, *, active: bool) -> None:
    path = QPainterPath()
    path.addRect(box)
    draw_path(painter, path, ratio, active=active, smooth=False)


def draw_path(
    painter: QPainter, path: QPainterPath, ratio: float, *, active: bool, smooth: bool = True
) -> None:
    """Dark under light, so that it is seen on any picture."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, smooth)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(SHADE, 3 * ratio))
    painter.drawPath(path)
    colour = ACTIVE if active else QColor(255, 255, 255, 190)
    pen = QPen(colour, 1.4 * ratio)
    if not active:
        pen.setDashPattern([4, 3])
    painter.setPen(pen)
    painter.drawPath(path)
    painter.restore()


def chip(
    painter: QPainter,
    canvas: QWidget,
    corner: QPointF,
    text: str,
    *,
    from_right: bool = False,
    from_below: bool = False,
) -> None:
    box = _chip_box(canvas, text)
    if from_right:
        box.moveRight(corner.x())
    else:
        box.moveLeft(corner.x())
    if from_below:
        box.moveBottom(corner.y())
    else:
        box.moveTop(corner.y())
    _paint_chip(painter, canvas, box, text)


def draw_chip(painter: QPainter, canvas: QWidget, middle: QPointF, text: str) -> None:
    """A short text on a dark ground, centred."""
    box = _chip_box(canvas, text)
    box.moveCenter(middle)
    _paint_chip(painter, canvas, box, text)


def _font(canvas: QWidget) -> QFont:
    font = QFont(canvas.font())
    font.setPixelSize(round(12 * canvas.devicePixelRatioF()))
    return font


def _chip_box(canvas: QWidget, text: str) -> QRectF:
    ratio = canvas.devicePixelRatioF()
    box = QFontMetricsF(_font(canvas)).boundingRect(text)
    return QRectF(0, 0, box.width() + 18 * ratio, box.height() + 8 * ratio)


def _paint_chip(painter: QPainter, canvas: QWidget, box: QRectF, text: str) -> None:
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(CHIP)
    painter.drawRoundedRect(box, box.height() / 2, box.height() / 2)
    painter.setPen(QColor(245, 245, 245))
    painter.setFont(_font(canvas))
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)
    painter.restore()
