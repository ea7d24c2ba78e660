"""The AdaIN colour fix: sums taken as tiles land, applied while the finish reads the residual.

y gets the mean and the spread that x' has, per channel, both over the tiles of the job, weighed by their tapers: so
no tile that the job does not need has a say, and a job that finds more on a kept canvas gives the same bits. In the
overlap of tiles the spread is that of the tiles and not of their blend. The wavelet fix needs no sums: it is weight 0
of the residual's low band.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import torch

from safelight.engine.canvas import RESIDUAL_LIMIT, RESIDUAL_UNIT, Residual
from safelight.engine.color_fix import ChannelStatistics, TileSums, adain
from safelight.engine.residual import enlarged_tile
from safelight.geometry import Rect
from safelight.imaging.pixels import FloatArray


@torch.inference_mode()
def tile_sums(y: torch.Tensor, enlarged: FloatArray, tapers: tuple[FloatArray, FloatArray]) -> TileSums:
    """Of one tile: `y` 3 h w float32 on its device, x' `enlarged` h w 3. Rows are summed in float32, the rows' sums in
    float64."""
    down, across = (torch.from_numpy(profile).to(y.device) for profile in tapers)
    sums = [(down.double().sum() * across.double().sum())[None]]
    for plane in (y, torch.from_numpy(enlarged).to(y.device).permute(2, 0, 1).contiguous()):
        centred = plane - ChannelStatistics.CENTRE
        weighed = centred * across
        for summed in (weighed.sum(2), weighed.mul_(centred).sum(2)):
            sums.append((summed.double() * down).sum(1))
    return tuple(torch.cat(sums).tolist())


class AdainResidual:
    """A residual canvas read through the fix: adain(x' + r) - x', in steps of the canvas."""

    def __init__(
        self, residual: Residual, x: FloatArray, *, magnification: int, sums: Iterable[TileSums]
    ) -> None:
        """`x` H W 3 is the network's input, filled where rows will be read; `sums` in a fixed order."""
        self.shape = residual.shape
        self._residual, self._x, self._magnification = residual, x, magnification
        weight, *rest = np.sum(np.array(list(sums)), axis=0)
        y_sums, y_squares, x_sums, x_squares = np.array(rest).reshape(4, 3)
        self._own = ChannelStatistics.of_sums(weight, y_sums, y_squares)
        self._source = ChannelStatistics.of_sums(weight, x_sums, x_squares)

    def read_rows(self, start: int, end: int, columns: slice = slice(None)) -> FloatArray:
        residual = self._residual.read_rows(start, end, columns)
        colours = self._enlarged(start, end, columns)
        fixed = adain(colours + residual, own=self._own, source=self._source)
        fixed -= colours
        np.clip(fixed, -RESIDUAL_LIMIT, RESIDUAL_LIMIT, out=fixed)
        fixed *= np.float32(RESIDUAL_UNIT)
        np.rint(fixed, out=fixed)  # a pipeline that returns its input leaves exactly nothing
        fixed *= np.float32(1 / RESIDUAL_UNIT)
        return fixed

    def close(self) -> None:
        self._residual.close()
        self._x = np.empty((0, 0, 3), np.float32)

    def _enlarged(self, start: int, end: int, columns: slice) -> FloatArray:
        """Rows and columns of x'."""
        factor = self._magnification
        left, right, _ = columns.indices(self.shape[1])
        box = Rect.from_edges(left // factor, start // factor, -(-right // factor), -(-end // factor))
        inside = Rect.from_edges(left, start, right, end).shifted(-box.x * factor, -box.y * factor)
        return enlarged_tile(self._x, box, factor)[inside.slices]
