"""The authors' colour fixes: a restored picture takes the large-area colours of its input picture.

Used by OSEDiff, S3Diff and FaithDiff, whose scripts inherit both from StableSR (arXiv 2305.07015, section
3.4). Pictures are H W C float32 in 0..1; the authors apply them to 8-bit pictures divided by 255 and truncate
(`truncated`). Statistics come from the whole region, never from a tile.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from safelight.engine.bands import low_band
from safelight.imaging.pixels import FloatArray

VARIANCE_FLOOR = 1e-5  # official: added to the variance, so that a flat channel can be divided by

TileSums = tuple[float, ...]
"""Of one tile's pixels, weighed by its taper: the weight, then by channel the sums and the squares of its output and
those of its input, all less `ChannelStatistics.CENTRE`; 13 numbers, or none where nobody will ask."""


class ChannelStatistics:
    """Mean and deviation per channel of a picture that comes in bands of rows.

    Sums are float64 of values less a centre of 0.5, so that bands in any cut agree to 1e-12.
    """

    CENTRE = 0.5  # near the mean of any picture in 0..1: keeps the squares small

    def __init__(self, channels: int) -> None:
        self._count = 0.0
        self._sum = np.zeros(channels)
        self._squares = np.zeros(channels)

    @classmethod
    def of_sums(
        cls, count: float, sums: npt.NDArray[np.float64], squares: npt.NDArray[np.float64]
    ) -> ChannelStatistics:
        """Of values less the centre, by channel; `count` may be a sum of weights."""
        statistics = cls(len(sums))
        statistics._count, statistics._sum, statistics._squares = count, sums, squares
        return statistics

    def add(self, rows: FloatArray) -> None:
        """Rows H W C."""
        values = rows.reshape(-1, rows.shape[2]).astype(np.float64) - self.CENTRE
        self._count += len(values)
        self._sum += values.sum(axis=0)
        self._squares += np.einsum("nc,nc->c", values, values)

    @property
    def mean(self) -> npt.NDArray[np.float64]:
        return np.asarray(self._sum / self._count + self.CENTRE)

    @property
    def deviation(self) -> npt.NDArray[np.float64]:
        """sqrt(unbiased variance + VARIANCE_FLOOR). At least two samples are needed."""
        centred = np.maximum(self._squares - self._sum**2 / self._count, 0)
        return np.asarray(np.sqrt(centred / (self._count - 1) + VARIANCE_FLOOR))


def adain(target: FloatArray, *, own: ChannelStatistics, source: ChannelStatistics) -> FloatArray:
    """Adaptive instance normalisation: (t - mean_t) / std_t * std_s + mean_s per channel.

    `target` is any band of the restored picture, `own` the statistics of the whole of it, `source` those of
    the input picture at the same size.
    """
    normalised = (target - own.mean.astype(np.float32)) / own.deviation.astype(np.float32)
    fixed = normalised * source.deviation.astype(np.float32) + source.mean.astype(np.float32)
    return np.asarray(fixed, dtype=np.float32)


def wavelet(target: FloatArray, source: FloatArray) -> FloatArray:
    """The five a-trous detail bands of `target` with the low band of `source`, both H W C.

    A band of rows with `bands.HALO_PX` more on each side, cropped afterwards, equals the whole.
    """
    return target - low_band(target) + low_band(source)


def truncated(picture: FloatArray) -> npt.NDArray[np.uint8]:
    """To 8 bit as the authors' scripts do: clamped to 0..1, times 255, rounded down."""
    return (np.clip(picture, 0, 1) * np.float32(255)).astype(np.uint8)
