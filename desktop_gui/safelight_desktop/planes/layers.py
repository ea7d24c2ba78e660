"""What the canvas can draw: a picture, or the difference of two, as tiles of ready images."""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod

import numpy as np
from PySide6.QtGui import QImage

from safelight.geometry import Rect, Size
from safelight_desktop.planes.colours import Colours, image_of
from safelight_desktop.planes.pyramid import Pyramid, level_size

TILE_PX = 512
_numbers = itertools.count()


class Layer(ABC):
    """Something of a fixed size that is drawn tile by tile. Immutable; any thread may render."""

    size: Size
    scale: int
    """Layer pixels per document pixel."""

    def __init__(self) -> None:
        self.number = next(_numbers)
        """Names it in the cache of tiles."""

    @abstractmethod
    def render(self, level: int, rect: Rect) -> QImage:
        """The samples of `rect` of a level."""

    def owner(self, level: int, column: int, row: int) -> Layer:
        """The layer that shows the same there and may have rendered that tile already."""
        return self

    @property
    def top_level(self) -> int:
        """The lowest level at which one tile holds everything."""
        return next(k for k in itertools.count() if max(level_size(self.size, k)) <= TILE_PX)

    def tile_rect(self, level: int, column: int, row: int) -> Rect:
        """A tile's place in its level."""
        whole = Rect.of_size(level_size(self.size, level))
        return Rect(column * TILE_PX, row * TILE_PX, TILE_PX, TILE_PX).intersect(whole)


class PictureLayer(Layer):
    """A plane, colour managed."""

    def __init__(
        self,
        pyramid: Pyramid,
        colours: Colours,
        scale: int = 1,
        below: PictureLayer | None = None,
        changed: Rect | None = None,
    ) -> None:
        """`below` shows the same outside `changed`."""
        super().__init__()
        self._below, self._changed = below, changed
        self.size = pyramid.plane.size
        self.scale = scale
        self.pyramid = pyramid
        self.colours = colours

    def owner(self, level: int, column: int, row: int) -> Layer:
        if self._below is None or self._changed is None:
            return self
        tile = self.tile_rect(level, column, row).times(1 << level)
        return self._below.owner(level, column, row) if tile.intersect(self._changed).empty else self

    def render(self, level: int, rect: Rect) -> QImage:
        return self.colours.image(self.pyramid.area(level, rect))


class DifferenceLayer(Layer):
    """|B - A| of sRGB-encoded values, `gain` times, black where they are equal. Alpha is left out."""

    def __init__(self, a: PictureLayer, b: PictureLayer, gain: float) -> None:
        super().__init__()
        self.size, self.scale = b.size, b.scale
        self._a, self._b, self.gain = a, b, gain

    def render(self, level: int, rect: Rect) -> QImage:
        a, b = (layer.colours.encoded(layer.pyramid.area(level, rect)) for layer in (self._a, self._b))
        amplified = np.abs(b - a) * np.float32(255 * self.gain)
        return image_of(np.clip(np.rint(np.nan_to_num(amplified)), 0, 255).astype(np.uint8))
