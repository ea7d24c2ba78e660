"""A plane at 1/2, 1/4, 1/8 ... of its size, averaged by area, for drawing below 100 %.

Level k has one sample for each 2^k x 2^k block. Nothing is made before it is asked for. Levels below
`OVERVIEW_LEVEL` are averaged from the plane each time (a tile needs few of its pixels); the others from one
overview that is kept: 1/64 of the plane.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pyvips

from safelight.geometry import Rect, Size
from safelight.imaging.pixels import DocumentArray
from safelight_desktop.planes.enlarged import FittedPlane, Resampling
from safelight_desktop.planes.plane import ArrayPlane, Plane

OVERVIEW_LEVEL = 3
_COARSE = 8
"""From here on blocks are averaged in integers, three times as fast: libvips rounds down and across, which brightens
by an eighth of a level on the mean, and by half a level in blocks of 2."""
_STRIP_BYTES = 64 << 20  # read at a time while an overview is made
_VIPS_KINDS = {np.dtype(np.uint8): "uchar", np.dtype(np.uint16): "ushort", np.dtype(np.float32): "float"}


def level_size(size: Size, level: int) -> Size:
    """Samples of a level: edge blocks count, however narrow."""
    block = 1 << level
    return Size(-(-size.width // block), -(-size.height // block))


class Pyramid:
    """The levels of one plane. Any thread may ask."""

    def __init__(self, plane: Plane, below: Pyramid | None = None, changed: tuple[Rect, ...] = ()) -> None:
        """`below` is the pyramid of a plane that equals this one outside `changed`: its overview is reused."""
        self.plane = plane
        self._below, self._changed = below, changed
        self._lock = threading.Lock()
        self._overview: DocumentArray | None = None

    def area(self, level: int, rect: Rect) -> DocumentArray:
        """The samples of `rect` of a level, which lies within `level_size`."""
        if level < OVERVIEW_LEVEL:
            return self._averaged(level, rect)
        overview = self.overview()
        block = 1 << (level - OVERVIEW_LEVEL)
        within = Rect(0, 0, overview.shape[1], overview.shape[0])
        return average(overview[rect.times(block).intersect(within).slices], block)

    def overview(self) -> DocumentArray:
        """The level OVERVIEW_LEVEL as a whole."""
        with self._lock:
            if self._overview is None:
                self._overview = self._made_overview()
                self._below = None
            return self._overview

    def _averaged(self, level: int, rect: Rect) -> DocumentArray:
        block = 1 << level
        return average(self.plane.read(rect.times(block).intersect(self.plane.rect)), block)

    def _made_overview(self) -> DocumentArray:
        size = level_size(self.plane.size, OVERVIEW_LEVEL)
        if self._below is None:
            overview: Any = np.empty((size.height, size.width, self.plane.format.channels), self._dtype)
            areas = [Rect.of_size(size)]
        else:
            overview = np.array(self._below.overview())
            areas = [_covered(rect).intersect(Rect.of_size(size)) for rect in self._changed]
        for area in areas:
            for strip in _strips(area, self.plane.format.bytes_per_pixel):
                overview[strip.slices] = self._averaged(OVERVIEW_LEVEL, strip)
        return overview  # type: ignore[no-any-return]

    @property
    def _dtype(self) -> np.dtype[Any]:
        return self.plane.format.sample.dtype


class EnlargedPyramid(Pyramid):
    """A picture in the coordinates of one 2^n times its size: levels n and above are its own."""

    def __init__(self, source: Pyramid, doublings: int, resampling: Resampling) -> None:
        plane = source.plane
        super().__init__(FittedPlane(plane, Size(*(side << doublings for side in plane.size)), resampling))
        self._source, self._doublings = source, doublings

    def area(self, level: int, rect: Rect) -> DocumentArray:
        if level >= self._doublings:
            return self._source.area(level - self._doublings, rect)
        return super().area(level, rect)

    def _made_overview(self) -> DocumentArray:
        return self._source.area(OVERVIEW_LEVEL - self._doublings, Rect.of_size(self._overview_size))

    @property
    def _overview_size(self) -> Size:
        return level_size(self.plane.size, OVERVIEW_LEVEL)


def _covered(rect: Rect) -> Rect:
    snapped = rect.snapped_outward(1 << OVERVIEW_LEVEL)
    return Rect(*(edge >> OVERVIEW_LEVEL for edge in snapped))


def _strips(area: Rect, bytes_per_pixel: int) -> Iterator[Rect]:
    row_bytes = max(1, area.width * bytes_per_pixel << 2 * OVERVIEW_LEVEL)
    rows = max(1, _STRIP_BYTES // row_bytes)
    for top in range(area.y, area.bottom, rows):
        yield Rect(area.x, top, area.width, min(rows, area.bottom - top))


def average(pixels: DocumentArray, block: int) -> DocumentArray:
    """Means of block x block samples, in the array's own type; blocks at the right and lower edge may be
    smaller. Colours under transparency weigh by their alpha."""
    if block == 1:
        return pixels
    averaged: DocumentArray = (_average_visible if pixels.shape[2] in (2, 4) else _shrunk)(pixels, block)
    return averaged


def _shrunk(pixels: Any, block: int) -> Any:
    height, width, channels = pixels.shape
    memory = np.ascontiguousarray(pixels)
    image = pyvips.Image.new_from_memory(memory.data, width, height, channels, _VIPS_KINDS[memory.dtype])
    size = -(-width // block), -(-height // block)
    missing_x, missing_y = size[0] * block - width, size[1] * block - height
    if missing_x or missing_y:
        image = image.embed(0, 0, width + missing_x, height + missing_y, extend="copy")
    exact = image if block >= _COARSE else image.cast("float")
    small = exact.shrink(block, block)
    if small.format != image.format:
        small = small.rint().cast(image.format)
    return small.numpy().reshape(size[1], size[0], channels)


def _average_visible(pixels: Any, block: int) -> Any:
    alpha = pixels[..., -1:].astype(np.float32)
    cover = _shrunk(alpha, block)
    light = _shrunk(pixels[..., :-1] * alpha, block)
    colours = np.divide(light, cover, out=np.zeros_like(light), where=cover > 0)
    result = np.concatenate([colours, cover], axis=2)
    if pixels.dtype != np.float32:
        result = np.rint(result).astype(pixels.dtype)
    return result


def pyramid_of(pixels: DocumentArray, plane: Plane) -> Pyramid:
    """Of new pixels in the format of `plane`."""
    return Pyramid(ArrayPlane(pixels, plane.format, plane.icc))
