"""Draws a layer's tiles where the view sees them."""

from __future__ import annotations

import math
from collections.abc import Iterator

from PySide6.QtCore import QRect, QRectF
from PySide6.QtGui import QPainter

from safelight.geometry import Rect
from safelight_desktop.planes.layers import TILE_PX, Layer
from safelight_desktop.planes.pyramid import level_size
from safelight_desktop.planes.tiles import TileKey, TileStore, Wanted
from safelight_desktop.state.view import NEAREST_FROM, ViewState

_ROUNDING = 1e-6


def level_for(layer: Layer, zoom: float) -> int:
    """The level that has at least one sample per pixel of the screen, and fewer than two where there is one."""
    return math.floor(math.log2(layer.scale / zoom) + _ROUNDING) if zoom < layer.scale else 0


class LayerPainter:
    """Positions are pixels of the screen within one pane."""

    def __init__(self, store: TileStore, view: ViewState) -> None:
        self._store, self._view = store, view

    def tiles(self, layer: Layer, clip: QRectF) -> list[Wanted]:
        """What is to be seen of a layer within `clip`: first the tile that holds all of it, as a stand-in, then
        those nearest to the middle."""
        level = level_for(layer, self._view.zoom)
        middle = clip.center()
        near = sorted(
            self._grid(layer, level, clip),
            key=lambda place: (
                self._place(layer, level, *place).center().toPointF() - middle
            ).manhattanLength(),
        )
        top = (max(level, layer.top_level), 0, 0)
        places = dict.fromkeys([top, *((level, *place) for place in near)])
        owners = [(layer.owner(*place), place) for place in places]
        return [Wanted(TileKey(owner.number, *place), owner) for owner, place in owners]

    def ready(self, layer: Layer, clip: QRectF) -> bool:
        """Whether all of it could be drawn at its best now."""
        return all(self._store.tile(wanted.key) is not None for wanted in self.tiles(layer, clip))

    def draw(self, painter: QPainter, layer: Layer, clip: QRectF) -> None:
        """Tiles that are not there yet are drawn from coarser ones."""
        painter.save()
        painter.setClipRect(clip)
        smooth = self._view.zoom / layer.scale < NEAREST_FROM
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, smooth)
        level = level_for(layer, self._view.zoom)
        for column, row in self._grid(layer, level, clip):
            self._draw_tile(painter, layer, level, column, row)
        painter.restore()

    def _draw_tile(self, painter: QPainter, layer: Layer, level: int, column: int, row: int) -> None:
        target = self._place(layer, level, column, row)
        for coarser in range(level, max(level, layer.top_level) + 1):
            steps = coarser - level
            place = coarser, column >> steps, row >> steps
            image = self._store.tile(TileKey(layer.owner(*place).number, *place))
            if image is None:
                continue
            if steps == 0:
                painter.drawImage(target, image)
                return
            part = layer.tile_rect(level, column, row)
            share = 1 << steps
            origin_x, origin_y = (column >> steps) * TILE_PX, (row >> steps) * TILE_PX
            source = QRectF(
                part.x / share - origin_x, part.y / share - origin_y, part.width / share, part.height / share
            )
            painter.drawImage(QRectF(target), image, source)
            return

    def _grid(self, layer: Layer, level: int, clip: QRectF) -> Iterator[tuple[int, int]]:
        """Columns and rows of the tiles that `clip` touches."""
        size = level_size(layer.size, level)
        per_pixel = layer.scale / (1 << level)
        view = self._view
        left, top = view.to_document_xy(clip.left(), clip.top())
        right, bottom = view.to_document_xy(clip.right(), clip.bottom())
        seen = Rect.from_edges(
            math.floor(left * per_pixel), math.floor(top * per_pixel),
            math.ceil(right * per_pixel), math.ceil(bottom * per_pixel),
        ).intersect(Rect.of_size(size))  # fmt: skip
        if seen.empty:
            return
        for row in range(seen.y // TILE_PX, -(-seen.bottom // TILE_PX)):
            for column in range(seen.x // TILE_PX, -(-seen.right // TILE_PX)):
                yield column, row

    def _place(self, layer: Layer, level: int, column: int, row: int) -> QRect:
        """Whole pixels of the screen: neighbours share their edge."""
        tile = layer.tile_rect(level, column, row)
        per_sample = (1 << level) / layer.scale
        right = min(tile.right * per_sample, layer.size.width / layer.scale)
        bottom = min(tile.bottom * per_sample, layer.size.height / layer.scale)
        left_top = self._view.to_screen_xy(tile.x * per_sample, tile.y * per_sample)
        right_bottom = self._view.to_screen_xy(right, bottom)
        left, top = (round(v) for v in left_top)
        return QRect(left, top, round(right_bottom[0]) - left, round(right_bottom[1]) - top)
