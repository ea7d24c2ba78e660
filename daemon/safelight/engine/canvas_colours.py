"""The AdaIN colour fix on a finished residual canvas, streamed in bands of rows.

y gets the mean and the spread that x' has, per channel, both over all that was decoded. The wavelet fix needs no
pass: it is weight 0 of the residual's low band.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from safelight.engine.canvas import RESIDUAL_LIMIT, RESIDUAL_UNIT, ResidualCanvas
from safelight.engine.color_fix import ChannelStatistics, adain
from safelight.engine.residual import enlarged_tile
from safelight.geometry import Rect
from safelight.imaging.pixels import FloatArray

BAND_ROWS = 128


def fix_by_adain(
    canvas: ResidualCanvas, x: FloatArray, *, magnification: int, decoded: Sequence[Rect]
) -> Iterator[None]:
    """Changes the canvas; stops after each band. `x` H W 3 is the network's input, `decoded` the boxes of y that
    hold results."""
    place = _hull(decoded)
    own, source = ChannelStatistics(3), ChannelStatistics(3)
    for band in _bands(place):
        colours, residual = _read(canvas, x, band, magnification)
        own.add(colours + residual)
        source.add(colours)
        yield
    for band in _bands(place):
        colours, residual = _read(canvas, x, band, magnification)
        fixed = adain(colours + residual, own=own, source=source) - colours
        np.clip(fixed, -RESIDUAL_LIMIT, RESIDUAL_LIMIT, out=fixed)
        change = np.rint(fixed * RESIDUAL_UNIT) - np.rint(residual * RESIDUAL_UNIT)
        canvas.add(
            band, change.astype(np.int32).astype(np.int16)
        )  # wraps, and so does the sum: back to exact
        yield


def _hull(boxes: Sequence[Rect]) -> Rect:
    edges = [(b.x, b.y, b.right, b.bottom) for b in boxes]
    left, top, right, bottom = zip(*edges, strict=True)
    return Rect.from_edges(min(left), min(top), max(right), max(bottom))


def _bands(place: Rect) -> Iterator[Rect]:
    for top in range(place.y, place.bottom, BAND_ROWS):
        yield Rect(place.x, top, place.width, min(BAND_ROWS, place.bottom - top))


def _read(
    canvas: ResidualCanvas, x: FloatArray, band: Rect, magnification: int
) -> tuple[FloatArray, FloatArray]:
    """x' and residual of a box of y."""
    columns = slice(band.x, band.right)
    rows = Rect(
        0, band.y // magnification, x.shape[1], -(-band.bottom // magnification) - band.y // magnification
    )
    enlarged = enlarged_tile(x, rows, magnification)
    first = band.y - rows.y * magnification
    return (
        enlarged[first : first + band.height, columns],
        canvas.read_rows(band.y, band.bottom)[:, columns],
    )
