"""Regions of any size as the small pictures that taggers and captioners look at, read in rows: what they take of memory
does not grow with the region."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from safelight.engine.pipelines.base import Picture, RegionSource
from safelight.geometry import Size
from safelight.imaging.pixels import FloatArray

BAND_BYTES = 32 << 20


def squeezed(source: RegionSource, size: Size) -> FloatArray:
    """H W 3 at `size`, whatever the region's aspect: bilinear between the four nearest pixels and without antialiasing,
    half-pixel centres, in the float32 arithmetic of torch's interpolation."""
    upper, lower, down = _places(source.size.height, size.height)
    left, right, across = _places(source.size.width, size.width)
    across = across[:, None]
    result = np.empty((size.height, size.width, 3), np.float32)
    for row in range(size.height):
        first, second = (source.rows(y, y + 1)[0] for y in (upper[row], lower[row]))
        top, bottom = (line[left] * (1 - across) + line[right] * across for line in (first, second))
        result[row] = top * (1 - down[row]) + bottom * down[row]
    return result


def _places(length: int, wanted: int) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], FloatArray]:
    """Of each sample: the pixel before it, the one behind it, and its way between them."""
    scale = np.float64(np.float32(length) / np.float32(wanted))
    exact = scale * (np.arange(wanted) + 0.5) - 0.5  # rounded once, as a fused multiply-add does
    place = np.maximum(exact.astype(np.float32), np.float32(0))
    before = np.minimum(place.astype(np.intp), length - 1)
    return before, np.minimum(before + 1, length - 1), place - before.astype(np.float32)


def reduced(source: RegionSource, least_px: int) -> Picture:
    """8 bits, by a whole factor smaller, so that the short side keeps at least `least_px`: means of square blocks, the
    last ones narrower; as it is where the factor is one."""
    width, height = source.size
    factor = max(1, min(width, height) // least_px)
    columns, rows = -(-width // factor), -(-height // factor)
    result = np.empty((rows, columns, 3), np.uint8)
    band = max(1, BAND_BYTES // (width * 12 * factor))
    starts = np.arange(columns) * factor
    for top in range(0, rows, band):
        end = min(rows, top + band)
        pixels = source.rows(top * factor, min(height, end * factor))
        sums = np.add.reduceat(np.add.reduceat(pixels, np.arange(end - top) * factor, axis=0), starts, axis=1)
        tall = np.minimum(factor, height - np.arange(top, end) * factor)
        wide = np.minimum(factor, width - starts)
        means = sums / (tall[:, None] * wide)[..., None].astype(np.float32)
        result[top:end] = np.rint(np.clip(means, 0, 1) * np.float32(255))
    return result
