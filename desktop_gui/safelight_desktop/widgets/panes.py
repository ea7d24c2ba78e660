"""Which layers are shown where on the canvas, by compare mode. Numbers only: nothing is drawn here."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF

from safelight.geometry import Size
from safelight_desktop.state.compare import CompareMode, CompareState

GAP_PX = 2  # between two panes


@dataclass(frozen=True)
class Part:
    """A layer and the part of the pane it may be drawn on, pixels of the screen within the pane."""

    layer: str
    """before, after or difference."""
    clip: QRectF


@dataclass(frozen=True)
class Pane:
    """A window onto the document."""

    origin: QPointF
    """Its left-top corner on the canvas, pixels of the screen."""
    size: Size
    parts: tuple[Part, ...]


def pane_size(compare: CompareState, canvas: Size) -> Size:
    """Of each pane."""
    if compare.mode is not CompareMode.SIDE_BY_SIDE:
        return canvas
    if compare.stacked:
        return Size(canvas.width, max(1, (canvas.height - GAP_PX) // 2))
    return Size(max(1, (canvas.width - GAP_PX) // 2), canvas.height)


def panes(compare: CompareState, canvas: Size) -> tuple[Pane, ...]:
    """One, or two side by side."""
    size = pane_size(compare, canvas)
    all_of_it = QRectF(0, 0, size.width, size.height)
    corner = QPointF(0, 0)
    if compare.mode is CompareMode.SIDE_BY_SIDE:
        other = QPointF(0, size.height + GAP_PX) if compare.stacked else QPointF(size.width + GAP_PX, 0)
        second = "before" if compare.original_held else "after"
        return (
            Pane(corner, size, (Part("before", all_of_it),)),
            Pane(other, size, (Part(second, all_of_it),)),
        )
    if compare.original_held:
        return (Pane(corner, size, (Part("before", all_of_it),)),)
    if compare.mode is CompareMode.SPLIT:
        return (Pane(corner, size, _halves(compare, size)),)
    if compare.mode is CompareMode.DIFFERENCE:
        layer = "difference"
    elif compare.mode is CompareMode.BLINK and compare.blink_shows_before:
        layer = "before"
    else:
        layer = "after"
    return (Pane(corner, size, (Part(layer, all_of_it),)),)


def divider_px(compare: CompareState, canvas: Size) -> int:
    """Where before ends, in pixels of the screen."""
    return round(compare.divider * (canvas.height if compare.stacked else canvas.width))


def _halves(compare: CompareState, size: Size) -> tuple[Part, Part]:
    at = divider_px(compare, size)
    if compare.stacked:
        return (
            Part("before", QRectF(0, 0, size.width, at)),
            Part("after", QRectF(0, at, size.width, size.height - at)),
        )
    return (
        Part("before", QRectF(0, 0, at, size.height)),
        Part("after", QRectF(at, 0, size.width - at, size.height)),
    )
