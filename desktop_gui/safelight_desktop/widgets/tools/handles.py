"""The eight handles and the edge of a region's box."""

from __future__ import annotations

from enum import Enum

from PySide6.QtCore import Qt

from safelight.geometry import Rect, Size
from safelight_desktop.state.view import Point

REACH_PX = 7  # from the middle of a handle or the line of an edge
LEAST_PX = 1


class Handle(Enum):
    """Value: which edges it moves, left top right bottom."""

    LEFT_TOP = (1, 1, 0, 0)
    TOP = (0, 1, 0, 0)
    RIGHT_TOP = (0, 1, 1, 0)
    RIGHT = (0, 0, 1, 0)
    RIGHT_BOTTOM = (0, 0, 1, 1)
    BOTTOM = (0, 0, 0, 1)
    LEFT_BOTTOM = (1, 0, 0, 1)
    LEFT = (1, 0, 0, 0)
    MOVE = (1, 1, 1, 1)


Box = tuple[float, float, float, float]
"""Left, top, right, bottom on the screen."""


def handle_points(box: Box) -> dict[Handle, Point]:
    left, top, right, bottom = box
    x, y = (left + right) / 2, (top + bottom) / 2
    return {
        Handle.LEFT_TOP: Point(left, top), Handle.TOP: Point(x, top), Handle.RIGHT_TOP: Point(right, top),
        Handle.RIGHT: Point(right, y), Handle.RIGHT_BOTTOM: Point(right, bottom),
        Handle.BOTTOM: Point(x, bottom), Handle.LEFT_BOTTOM: Point(left, bottom), Handle.LEFT: Point(left, y),
    }  # fmt: skip


def handle_at(position: Point, box: Box, ratio: float) -> Handle | None:
    """A handle, MOVE on the edge between handles, None elsewhere."""
    reach = REACH_PX * ratio
    for handle, point in handle_points(box).items():
        if max(abs(position.x - point.x), abs(position.y - point.y)) <= reach:
            return handle
    left, top, right, bottom = box
    within_x = left - reach <= position.x <= right + reach
    within_y = top - reach <= position.y <= bottom + reach
    near_x = min(abs(position.x - left), abs(position.x - right)) <= reach
    near_y = min(abs(position.y - top), abs(position.y - bottom)) <= reach
    return Handle.MOVE if (near_x and within_y) or (near_y and within_x) else None


def resized_rect(
    rect: Rect, handle: Handle, right: int, down: int, document: Size, *, keep_shape: bool
) -> Rect:
    """The box with the handle's edges moved, at least a pixel large, within the document."""
    moves_left, moves_top, moves_right, moves_bottom = handle.value
    if keep_shape and moves_left + moves_right and moves_top + moves_bottom:
        grown = right * (1 if moves_right else -1)
        down = round(grown * rect.height / rect.width) * (1 if moves_bottom else -1)
    left = min(max(rect.x + moves_left * right, 0), rect.right - LEAST_PX)
    top = min(max(rect.y + moves_top * down, 0), rect.bottom - LEAST_PX)
    right_edge = max(min(rect.right + moves_right * right, document.width), rect.x + LEAST_PX)
    bottom_edge = max(min(rect.bottom + moves_bottom * down, document.height), rect.y + LEAST_PX)
    return Rect.from_edges(left, top, right_edge, bottom_edge)


def cursor_of(handle: Handle) -> Qt.CursorShape:
    match handle:
        case Handle.LEFT_TOP | Handle.RIGHT_BOTTOM:
            return Qt.CursorShape.SizeFDiagCursor
        case Handle.RIGHT_TOP | Handle.LEFT_BOTTOM:
            return Qt.CursorShape.SizeBDiagCursor
        case Handle.TOP | Handle.BOTTOM:
            return Qt.CursorShape.SizeVerCursor
        case Handle.LEFT | Handle.RIGHT:
            return Qt.CursorShape.SizeHorCursor
    return Qt.CursorShape.SizeAllCursor
