"""Whole-pixel sizes and rectangles. Rectangles are half-open: `right` and `bottom` are not inside.

Units are pixels of whatever plane the caller speaks of (document, network input, latent cells, output);
names of variables that hold them say which one.
"""

from __future__ import annotations

import math
from typing import NamedTuple


class Size(NamedTuple):
    """Width and height, in that order."""

    width: int
    height: int

    @property
    def area(self) -> int:
        return self.width * self.height

    @property
    def short_side(self) -> int:
        return min(self.width, self.height)

    @property
    def long_side(self) -> int:
        return max(self.width, self.height)

    def scaled(self, factor: float) -> Size:
        """Both sides times `factor`, rounded to the nearest pixel, at least 1."""
        return Size(max(1, round(self.width * factor)), max(1, round(self.height * factor)))


class Rect(NamedTuple):
    """Left-top corner and size."""

    x: int
    y: int
    width: int
    height: int

    @classmethod
    def from_edges(cls, left: int, top: int, right: int, bottom: int) -> Rect:
        return cls(left, top, right - left, bottom - top)

    @classmethod
    def of_size(cls, size: Size) -> Rect:
        return cls(0, 0, size.width, size.height)

    @property
    def right(self) -> int:
        return self.x + self.width

    @property
    def bottom(self) -> int:
        return self.y + self.height

    @property
    def size(self) -> Size:
        return Size(self.width, self.height)

    @property
    def empty(self) -> bool:
        return self.width <= 0 or self.height <= 0

    @property
    def slices(self) -> tuple[slice, slice]:
        """Row and column slices of an array whose first element is pixel (0, 0)."""
        return slice(self.y, self.bottom), slice(self.x, self.right)

    def contains(self, other: Rect) -> bool:
        return (
            self.x <= other.x
            and self.y <= other.y
            and other.right <= self.right
            and other.bottom <= self.bottom
        )

    def intersect(self, other: Rect) -> Rect:
        """The common part; width or height 0 where there is none."""
        left, top = max(self.x, other.x), max(self.y, other.y)
        right, bottom = min(self.right, other.right), min(self.bottom, other.bottom)
        return Rect.from_edges(left, top, max(left, right), max(top, bottom))

    def grown(self, margin_x: int, margin_y: int | None = None) -> Rect:
        """`margin_x` more on the left and right, `margin_y` (or the same) more above and below."""
        margin_y = margin_x if margin_y is None else margin_y
        return Rect(
            self.x - margin_x, self.y - margin_y, self.width + 2 * margin_x, self.height + 2 * margin_y
        )

    def shifted(self, dx: int, dy: int) -> Rect:
        return Rect(self.x + dx, self.y + dy, self.width, self.height)

    def times(self, factor: int) -> Rect:
        return Rect(self.x * factor, self.y * factor, self.width * factor, self.height * factor)

    def scaled_outward(self, factor: float) -> Rect:
        """The smallest whole-pixel rectangle that covers this one in a plane `factor` times as large."""
        return Rect.from_edges(
            math.floor(self.x * factor),
            math.floor(self.y * factor),
            math.ceil(self.right * factor),
            math.ceil(self.bottom * factor),
        )

    def snapped_outward(self, multiple: int) -> Rect:
        """The smallest rectangle with edges on multiples of `multiple` that covers this one."""
        return Rect.from_edges(
            self.x // multiple * multiple,
            self.y // multiple * multiple,
            -(-self.right // multiple) * multiple,
            -(-self.bottom // multiple) * multiple,
        )


def context_rect(
    region: Rect, document: Size, *, fraction: float, least_px: int, working_scale: float
) -> Rect:
    """The part of the document a client sends for `region`: the region and its context, clipped to the picture.

    `fraction` is the context's share of the region's long side, `least_px` its least width in network
    pixels, both from the pipeline's spec; `working_scale` is network pixels per document pixel.
    """
    margin = max(math.ceil(fraction * region.size.long_side), math.ceil(least_px / working_scale))
    return region.grown(margin).intersect(Rect.of_size(document))
