"""Whole-pixel rectangles and 8-bit masks, without numpy. Standard library only.

Rectangles are half-open. Masks are bytes, rows top to bottom, 255 = restore.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_SELECTED = re.compile(rb"[^\0]+")


class Rect(NamedTuple):
    x: int
    y: int
    width: int
    height: int

    @property
    def right(self) -> int:
        return self.x + self.width

    @property
    def bottom(self) -> int:
        return self.y + self.height

    @property
    def empty(self) -> bool:
        return self.width <= 0 or self.height <= 0

    def shifted(self, dx: int, dy: int) -> Rect:
        return Rect(self.x + dx, self.y + dy, self.width, self.height)

    def intersect(self, other: Rect) -> Rect:
        """The common part; empty where there is none."""
        left, top = max(self.x, other.x), max(self.y, other.y)
        right, bottom = min(self.right, other.right), min(self.bottom, other.bottom)
        return Rect(left, top, max(0, right - left), max(0, bottom - top))

    def around(self, width: int, height: int, center: tuple[int, int]) -> Rect:
        """A rectangle of that size, or smaller where this one is, as near to having that centre as fits into it."""
        width, height = min(width, self.width), min(height, self.height)
        x = min(max(center[0] - width // 2, self.x), self.right - width)
        y = min(max(center[1] - height // 2, self.y), self.bottom - height)
        return Rect(x, y, width, height)

    @property
    def center(self) -> tuple[int, int]:
        return self.x + self.width // 2, self.y + self.height // 2


def covered(mask: bytes, width: int) -> Rect:
    """The box around all that is not 0; empty where nothing is."""
    left, right, top, bottom = width, 0, -1, 0
    for row in range(len(mask) // width if width else 0):
        line = mask[row * width : (row + 1) * width]
        start = width - len(line.lstrip(b"\0"))
        if start == width:
            continue
        top = row if top < 0 else top
        bottom = row + 1
        left, right = min(left, start), max(right, len(line.rstrip(b"\0")))
    return Rect(left, top, right - left, bottom - top) if bottom else Rect(0, 0, 0, 0)


def cut(mask: bytes, width: int, box: Rect) -> bytes:
    """The part of a mask that lies in `box`, which must lie in the mask."""
    if box.x == 0 and box.width == width:
        return mask[box.y * width : box.bottom * width]
    rows = range(box.y, box.bottom)
    return b"".join(mask[row * width + box.x : row * width + box.right] for row in rows)


def placed(mask: bytes, box: Rect, within: Rect) -> bytes:
    """The mask of a box in a mask of what the box lies in, 0 elsewhere."""
    left, right = bytes(box.x - within.x), bytes(within.right - box.right)
    rows = (left + mask[start : start + box.width] + right for start in range(0, len(mask), box.width))
    above, below = (bytes(within.width * rows) for rows in (box.y - within.y, within.bottom - box.bottom))
    return b"".join([above, *rows, below])


def plain(mask: bytes) -> bool:
    """Whether all of it is to be restored."""
    return mask.count(255) == len(mask)


def product(one: bytes, other: bytes, width: int) -> bytes:
    """Of two masks of the same size: what both let through. Exact and quick in rows that hold only 0 and 255."""
    rows = range(0, len(one), width)
    return b"".join(_row_product(one[start : start + width], other[start : start + width]) for start in rows)


def _row_product(one: bytes, other: bytes) -> bytes:
    length = len(one)
    if one.count(255) == length:
        return other
    if other.count(255) == length:
        return one
    if all(row.count(0) + row.count(255) == length for row in (one, other)):
        return (int.from_bytes(one, "big") & int.from_bytes(other, "big")).to_bytes(length, "big")
    return bytes((a * b + 127) // 255 for a, b in zip(one, other))  # noqa: B905 - GIMP's Python may be older


def where_selected(mask: bytes, before: bytes, after: bytes) -> bytes:
    """The samples of `after` where the mask is not 0, those of `before` elsewhere; bit by bit."""
    if not mask:
        return after
    pixel_bytes, rest = divmod(len(before), len(mask))
    if rest or len(after) != len(before):
        raise ValueError(f"{len(before)} and {len(after)} bytes do not fit a mask of {len(mask)}")
    parts, end = [], 0
    for run in _SELECTED.finditer(mask):
        start = run.start() * pixel_bytes
        parts += [before[end:start], after[start : (end := run.end() * pixel_bytes)]]
    return b"".join([*parts, before[end:]])


def strips(box: Rect, row_bytes: int, most_bytes: int) -> list[Rect]:
    """The box in bands of whole rows, each of at most that many bytes (or of one row)."""
    rows = max(1, most_bytes // max(1, row_bytes))
    return [
        Rect(box.x, top, box.width, min(rows, box.bottom - top)) for top in range(box.y, box.bottom, rows)
    ]
