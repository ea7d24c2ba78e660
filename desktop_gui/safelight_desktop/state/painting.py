"""Brush strokes on masks and strength maps."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

import numpy as np
from PySide6.QtCore import QObject, QPointF, Qt, Signal
from PySide6.QtGui import QColor, QImage, QPainter, QPolygonF

from safelight.geometry import Rect, Size
from safelight.imaging.pixels import MaskArray
from safelight_desktop.state.selection import FULL, Selection
from safelight_desktop.state.view import Point

Effect = Literal["paint", "erase", "strength"]
SIZE_LEAST_PX, SIZE_MOST_PX = 2, 4000
SPACING = 0.2  # of a brush's radius, between its dabs
GROWTH_PX = 256  # a mask that is painted over its edge grows by whole blocks


class BrushState(QObject):
    """The brush of all painting tools."""

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.size_px = 120.0
        """Diameter in document pixels."""
        self.softness = 0.5
        """Share of the radius over which it fades, 0 to 1: the feather."""
        self.strength = 0.5
        """What the strength brush paints, 0 to 1."""

    def set_size(self, size_px: float) -> None:
        self.size_px = min(max(size_px, SIZE_LEAST_PX), SIZE_MOST_PX)
        self.changed.emit()

    def set_softness(self, softness: float) -> None:
        self.softness = min(max(softness, 0.0), 1.0)
        self.changed.emit()

    def set_strength(self, strength: float) -> None:
        self.strength = min(max(strength, 0.0), 1.0)
        self.changed.emit()


@dataclass(frozen=True)
class Brush:
    """As it is while one stroke lasts."""

    radius_px: float
    softness: float
    value: int
    """What is painted, 0 to 255."""


class Stroke:
    """One stroke over a selection, or over nothing yet. However often it crosses itself, it counts once."""

    def __init__(self, selection: Selection | None, effect: Effect, brush: Brush, document: Size) -> None:
        self._selection, self._effect, self._brush = selection, effect, brush
        self._document = Rect.of_size(document)
        self.area = selection.rect if selection is not None else Rect(0, 0, 0, 0)
        """What `plane` covers."""
        self._base = self._first_base()
        self._coverage: MaskArray = np.zeros_like(self._base)
        self.plane: MaskArray = self._base.copy()
        """Mask or strength map as it will be; written to while the stroke lasts."""
        self._last: Point | None = None

    def to(self, point: Point) -> Rect:
        """Goes on to a document point; gives what changed."""
        last = self._last or point
        step = max(1.0, self._brush.radius_px * SPACING)
        count = max(1, math.ceil(math.hypot(point.x - last.x, point.y - last.y) / step))
        changed = Rect(0, 0, 0, 0)
        for i in range(1 if self._last else 0, count + 1):
            share = i / count
            place = Point(last.x + (point.x - last.x) * share, last.y + (point.y - last.y) * share)
            changed = _united(changed, self._dab(place))
        self._last = point
        if not changed.empty:
            self._blend(changed)
        return changed

    def result(self) -> Selection | None:
        """The selection after the stroke; None where nothing is left of it."""
        if self._effect == "strength":
            assert self._selection is not None
            full = bool(self.plane.min() == FULL)
            return replace(self._selection, strength=None if full else self.plane)
        rows, columns = np.flatnonzero(self.plane.any(axis=1)), np.flatnonzero(self.plane.any(axis=0))
        if not rows.size:
            return None
        inner = Rect.from_edges(int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1)
        strength = self._selection.strength if self._selection is not None else None
        if strength is not None and self._selection is not None:
            strength = _placed(strength, self._selection.rect, inner.shifted(self.area.x, self.area.y), FULL)
        mask = np.ascontiguousarray(self.plane[inner.slices])
        return Selection("brush", inner.shifted(self.area.x, self.area.y), mask, (), strength)

    def _first_base(self) -> MaskArray:
        selection = self._selection
        shape = (self.area.height, self.area.width)
        if selection is None:
            return np.zeros(shape, np.uint8)
        kept = selection.strength if self._effect == "strength" else selection.mask
        return np.full(shape, FULL, np.uint8) if kept is None else kept.copy()

    def _dab(self, middle: Point) -> Rect:
        profile = dab(round(self._brush.radius_px * 2) / 2, round(self._brush.softness, 2))
        side = profile.shape[0]
        place = Rect(math.floor(middle.x) - side // 2, math.floor(middle.y) - side // 2, side, side)
        visible = place.intersect(self._document)
        if visible.empty:
            return Rect(0, 0, 0, 0)
        if self._effect == "paint":
            self._grow(visible)
        visible = visible.intersect(self.area)
        if visible.empty:
            return visible
        part = profile[visible.shifted(-place.x, -place.y).slices]
        target = self._coverage[visible.shifted(-self.area.x, -self.area.y).slices]
        np.maximum(target, part, out=target)
        return visible

    def _grow(self, needed: Rect) -> None:
        if self.area.contains(needed) and not self.area.empty:
            return
        wider = _united(self.area, needed).snapped_outward(GROWTH_PX).intersect(self._document)
        self._base, self._coverage, self.plane = (
            _placed(plane, self.area, wider, 0) for plane in (self._base, self._coverage, self.plane)
        )
        self.area = wider

    def _blend(self, changed: Rect) -> None:
        at = changed.shifted(-self.area.x, -self.area.y).slices
        base, share = self._base[at].astype(np.int32), self._coverage[at]
        value = {"paint": FULL, "erase": 0, "strength": self._brush.value}[self._effect]
        self.plane[at] = (base + ((value - base) * share + 127) // 255).astype(np.uint8)


@lru_cache(maxsize=8)
def dab(radius_px: float, softness: float) -> MaskArray:
    """A round spot, odd sides, 255 in the middle, falling smoothly to 0 over `softness` of the radius but at least
    a pixel."""
    reach = math.ceil(radius_px)
    axis = np.arange(-reach, reach + 1, dtype=np.float32)
    distance = np.hypot(axis[:, None], axis[None])
    width = max(1.0, radius_px * softness)
    share = np.clip((radius_px - distance) / width + (0.5 if width == 1.0 else 0.0), 0, 1)
    smooth = share * share * (3 - 2 * share)
    return np.rint(smooth * 255).astype(np.uint8)


def _united(a: Rect, b: Rect) -> Rect:
    if a.empty or b.empty:
        return b if a.empty else a
    return Rect.from_edges(min(a.x, b.x), min(a.y, b.y), max(a.right, b.right), max(a.bottom, b.bottom))


def _placed(plane: MaskArray, at: Rect, area: Rect, fill: int) -> MaskArray:
    """The part of a plane that lies at `at` within `area`; `fill` elsewhere."""
    result = np.full((area.height, area.width), fill, np.uint8)
    common = at.intersect(area)
    if not common.empty:
        inside = plane[common.shifted(-at.x, -at.y).slices]
        result[common.shifted(-area.x, -area.y).slices] = inside
    return result


def lasso_selection(points: list[Point], document: Size) -> Selection | None:
    """The inside of a closed line, antialiased; None where it is empty."""
    xs, ys = [p.x for p in points], [p.y for p in points]
    box = Rect.from_edges(math.floor(min(xs)), math.floor(min(ys)), math.ceil(max(xs)), math.ceil(max(ys)))
    box = box.intersect(Rect.of_size(document))
    if box.empty:
        return None
    image = QImage(box.width, box.height, QImage.Format.Format_Grayscale8)
    image.fill(0)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(255, 255, 255))
    painter.drawPolygon(QPolygonF([QPointF(p.x - box.x, p.y - box.y) for p in points]))
    painter.end()
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(box.height, image.bytesPerLine())
    mask = np.array(rows[:, : box.width], order="C")
    return Selection("lasso", box, mask, tuple(points)) if mask.any() else None
