"""Which pixels of a document are restored, and how strongly: a box, a mask within it, a strength map."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from safelight.geometry import Rect, Size
from safelight.imaging.feather import auto_width_px, selected_size, soft
from safelight.imaging.pixels import MaskArray
from safelight_desktop.state.view import Point

Kind = Literal["whole", "rectangle", "lasso", "brush"]
FULL = 255


@dataclass(frozen=True, eq=False)
class Selection:
    """Immutable; arrays are never written to after they are put in."""

    kind: Kind
    rect: Rect
    """Within the document."""
    mask: MaskArray | None = None
    """rect.height x rect.width, 255 = restore; None: all of it."""
    outline: tuple[Point, ...] = ()
    """Corners of a lasso, document pixels."""
    strength: MaskArray | None = None
    """rect.height x rect.width, 255 = strength 1; None: 1 everywhere."""

    @property
    def weights(self) -> MaskArray | None:
        """Mask times strength, as it is sent; None: all 255."""
        if self.mask is None or self.strength is None:
            return self.strength if self.mask is None else self.mask
        return scaled(self.mask, self.strength)

    def feather_px(self, asked: float) -> float:
        """The width of the soft edge to send. A strength map would pass for a soft selection, so that the
        automatic width (-1) is worked out here then, from the shape alone."""
        if asked >= 0 or self.strength is None:
            return asked
        if self.mask is not None and soft(self.mask):
            return 0.0
        return auto_width_px(self.rect.size if self.mask is None else selected_size(self.mask))

    def covers(self, x: float, y: float) -> bool:
        """Whether a document point is selected."""
        column, row = int(x) - self.rect.x, int(y) - self.rect.y
        if not (0 <= column < self.rect.width and 0 <= row < self.rect.height):
            return False
        return self.mask is None or bool(self.mask[row, column] > 0)

    def moved(self, right: int, down: int, document: Size) -> Selection:
        """As far as the document goes."""
        x = min(max(self.rect.x + right, 0), document.width - self.rect.width)
        y = min(max(self.rect.y + down, 0), document.height - self.rect.height)
        dx, dy = x - self.rect.x, y - self.rect.y
        outline = tuple(Point(p.x + dx, p.y + dy) for p in self.outline)
        return replace(self, rect=self.rect.shifted(dx, dy), outline=outline)

    def resized(self, rect: Rect) -> Selection:
        """In another box: mask, outline and strength are stretched with it."""
        if rect.size == self.rect.size:
            return replace(self, rect=rect)
        across, down = rect.width / self.rect.width, rect.height / self.rect.height
        outline = tuple(
            Point((p.x - self.rect.x) * across + rect.x, (p.y - self.rect.y) * down + rect.y)
            for p in self.outline
        )
        mask, strength = (stretched(plane, rect.size) for plane in (self.mask, self.strength))
        return replace(self, rect=rect, mask=mask, outline=outline, strength=strength)

    def same_shape(self, other: Selection) -> bool:
        """Whether both select the same pixels; strength does not count."""
        if self.rect != other.rect or (self.mask is None) is not (other.mask is None):
            return False
        return self.mask is other.mask or bool(np.array_equal(self.mask, other.mask))  # type: ignore[arg-type]


def whole(document: Size) -> Selection:
    return Selection("whole", Rect.of_size(document))


def scaled(mask: MaskArray, by: MaskArray) -> MaskArray:
    """Two masks' product, 255 as 1."""
    return ((mask.astype(np.uint16) * by + 127) // 255).astype(np.uint8)


def stretched(plane: MaskArray | None, size: Size) -> MaskArray | None:
    """Nearest samples: a hard mask stays hard."""
    if plane is None:
        return None
    rows = ((np.arange(size.height) + 0.5) * plane.shape[0] / size.height).astype(np.intp)
    columns = ((np.arange(size.width) + 0.5) * plane.shape[1] / size.width).astype(np.intp)
    taken: MaskArray = plane.take(rows, axis=0).take(columns, axis=1)
    return taken
