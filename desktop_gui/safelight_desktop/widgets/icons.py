"""Safelight's own icons: line drawings in icons/*.svg, in the theme's text colour."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from PySide6.QtCore import QByteArray, QRectF, QSize, Qt
from PySide6.QtGui import QIcon, QImage, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from safelight_desktop.widgets import theme

FOLDER = Path(__file__).parents[1] / "icons"
SIDES_PX = (16, 20, 24, 32, 40, 48, 64)
INK = "#000000"
"""The colour of the drawings, replaced by the theme's."""


def icon(name: str) -> QIcon:
    """In the colours of the theme in use: ask again when that changes."""
    used = theme.current()
    return _icon(name, used.text.name(), used.accent.name(), used.quiet_text.name())


def forget() -> None:
    """The theme changed."""
    _icon.cache_clear()


@lru_cache(maxsize=256)
def _icon(name: str, ink: str, on: str, faded: str) -> QIcon:
    made = QIcon()
    for side in SIDES_PX:
        made.addPixmap(_pixmap(name, side, ink), QIcon.Mode.Normal, QIcon.State.Off)
        made.addPixmap(_pixmap(name, side, on), QIcon.Mode.Normal, QIcon.State.On)
        disabled = _pixmap(name, side, faded, 0.5)
        made.addPixmap(disabled, QIcon.Mode.Disabled, QIcon.State.Off)
    return made


def pixmap(name: str, side_px: int, ratio: float, colour: str) -> QPixmap:
    """One drawing at a size of its own."""
    made = _pixmap(name, round(side_px * ratio), colour)
    made.setDevicePixelRatio(ratio)
    return made


def _pixmap(name: str, side_px: int, colour: str, opacity: float = 1.0) -> QPixmap:
    drawing = (FOLDER / f"{name}.svg").read_text(encoding="utf-8").replace(INK, colour)
    renderer = QSvgRenderer(QByteArray(drawing.encode()))
    image = QImage(QSize(side_px, side_px), QImage.Format.Format_ARGB32_Premultiplied)
    image.fill(Qt.GlobalColor.transparent)
    painter = QPainter(image)
    painter.setOpacity(opacity)
    renderer.render(painter, QRectF(0, 0, side_px, side_px))
    painter.end()
    return QPixmap.fromImage(image)
