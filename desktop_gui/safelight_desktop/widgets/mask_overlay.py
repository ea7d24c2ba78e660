"""A mask as a tint over the picture, sampled at the screen's resolution."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from PySide6.QtCore import QRect, QRectF
from PySide6.QtGui import QColor, QImage, QPainter, qRgba

from safelight.geometry import Rect
from safelight.imaging.pixels import MaskArray
from safelight_desktop.state.selection import scaled
from safelight_desktop.state.view import ViewState

SAMPLE_PX = 2  # of the screen: half its resolution is enough for a tint, at a quarter of the time
OPACITY = 0.42


class _Drawn(NamedTuple):
    key: object
    image: QImage
    target: QRect


class MaskOverlay:
    """Keeps what it sampled last."""

    def __init__(self) -> None:
        self._last: dict[str, _Drawn] = {}

    def draw(
        self,
        painter: QPainter,
        view: ViewState,
        clip: QRectF,
        rect: Rect,
        mask: MaskArray,
        colour: QColor,
        *,
        version: object = None,
        inverted: bool = False,
        within: MaskArray | None = None,
        slot: str = "",
    ) -> None:
        """`mask` lies at `rect` of the document, and is shown as far as `within` is there; `version` changes when its
        contents do."""
        key = (
            id(mask),
            version,
            view.zoom,
            view.centre,
            view.viewport,
            rect,
            inverted,
            id(within),
            colour.rgba(),
        )
        drawn = self._last.get(slot)
        if drawn is None or drawn.key != key:
            made = _sampled(view, clip, rect, mask, inverted=inverted, within=within)
            if made is None:
                return
            image, target = made
            image.setColorTable(_table(colour.rgba()))
            drawn = self._last[slot] = _Drawn(key, image, target)
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, True)
        painter.drawImage(drawn.target, drawn.image)


def _sampled(
    view: ViewState, clip: QRectF, rect: Rect, mask: MaskArray, *, inverted: bool, within: MaskArray | None
) -> tuple[QImage, QRect] | None:
    left, top = view.to_screen_xy(rect.x, rect.y)
    right, bottom = view.to_screen_xy(rect.right, rect.bottom)
    seen = QRectF(left, top, right - left, bottom - top).intersected(clip).toAlignedRect()
    if seen.isEmpty():
        return None
    columns = np.arange(seen.left(), seen.left() + seen.width(), SAMPLE_PX) + SAMPLE_PX / 2
    rows = np.arange(seen.top(), seen.top() + seen.height(), SAMPLE_PX) + SAMPLE_PX / 2
    x = (columns - view.viewport.width / 2) / view.zoom + view.centre.x - rect.x
    y = (rows - view.viewport.height / 2) / view.zoom + view.centre.y - rect.y
    places = np.clip(y.astype(np.intp), 0, rect.height - 1), np.clip(x.astype(np.intp), 0, rect.width - 1)
    taken = mask.take(places[0], axis=0).take(places[1], axis=1)
    if inverted:
        taken = 255 - taken
    if within is not None:
        taken = scaled(taken, within.take(places[0], axis=0).take(places[1], axis=1))
    height, width = taken.shape
    image = QImage(width, height, QImage.Format.Format_Indexed8)
    pixels = np.frombuffer(image.bits(), np.uint8).reshape(height, image.bytesPerLine())
    pixels[:, :width] = taken
    return image, QRect(seen.left(), seen.top(), width * SAMPLE_PX, height * SAMPLE_PX)


@lru_cache(maxsize=8)
def _table(rgba: int) -> list[int]:
    colour = QColor.fromRgba(rgba)
    return [
        qRgba(colour.red(), colour.green(), colour.blue(), round(share * OPACITY)) for share in range(256)
    ]
