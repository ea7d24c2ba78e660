"""Where the detail of a picture ends: its spectrum against that of a sharp photograph.

Power P(f) of the luma times f^2 is level for a sharp photograph (Field, JOSA A 1987) and falls slowly for a soft one.
Each frequency is compared with the level one to two octaves below it, after the noise floor (the lowest power near the
Nyquist frequency) is taken off.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from safelight.imaging.pixels import FloatArray

GONE, FADED = 10**-1.3, 10**-1.0  # measured on photographs, sharp and enlarged 1.5 to 4 times
NYQUIST = 0.5  # cycles per pixel
_TILE_PX = 128  # spectrum of tiles of this side
_LEAST_TILES_PX = 64  # smaller samples say too little
_MOST_TILES = 48
_RINGS = 64  # bins up to the Nyquist frequency
_FIRST_RING = 8  # a sixteenth of a cycle: resolved even in a scan oversampled four times
_ABOVE_FLOOR = 1.3  # power of signal and noise over that of noise alone
_RUN = 3  # rings below a level in a row before it counts as left behind


class Spectrum(NamedTuple):
    """Power without noise, times the frequency squared, and its level one to two octaves below."""

    signal: npt.NDArray[np.float64]
    """From the first ring on."""
    level: npt.NDArray[np.float64]

    def end(self, loss: float) -> float:
        """Share of the Nyquist frequency from which on, for some rings, more than `loss` is lost; 1: nowhere."""
        lost = self.signal <= loss * self.level
        for start in range(len(lost)):
            if lost[start : start + _RUN].all():
                return (_FIRST_RING + start + 0.5) / _RINGS
        return 1.0


def measured_spectrum(luma: FloatArray) -> Spectrum | None:
    """Of a sample H W, sRGB-encoded; None where it is too small, not finite, or nothing but noise."""
    power = square_power(luma)
    if power is None:
        return None
    frequency = (np.arange(_RINGS) + 0.5) / _RINGS * NYQUIST
    floor = power[-_RINGS // 8 :].min()
    signal = np.where(power > _ABOVE_FLOOR * floor, power - floor, 0) * frequency**2
    rings = np.arange(_FIRST_RING, _RINGS)
    level = np.array([np.median(signal[ring // 4 : ring // 2 + 1]) for ring in rings])
    return Spectrum(signal[_FIRST_RING:], level) if level[0] > 0 else None


def square_power(luma: FloatArray) -> npt.NDArray[np.float64] | None:
    """Mean power by frequency, over tiles spread evenly over the sample.

    In `_RINGS` square rings, the larger of the two frequencies from 0 to Nyquist: a picture that was enlarged
    n times fills a square. None where the sample is too small or not finite.
    """
    side = min(_TILE_PX, *luma.shape)
    if side < _LEAST_TILES_PX:
        return None
    tiles = np.stack(_tiles(luma, side)).astype(np.float64)
    if not np.isfinite(tiles).all():
        return None
    hann = np.sin(np.pi * (np.arange(side) + 0.5) / side) ** 2
    tiles = (tiles - tiles.mean(axis=(1, 2), keepdims=True)) * np.outer(hann, hann)
    power = np.mean(np.abs(np.fft.fft2(tiles)) ** 2, axis=0)
    axis = np.fft.fftfreq(side)
    reach = np.maximum(np.abs(axis)[:, None], np.abs(axis)[None])
    ring = np.minimum(reach / NYQUIST * _RINGS, _RINGS).astype(np.int64)
    count = np.bincount(ring.ravel(), minlength=_RINGS + 1)[:_RINGS]
    total = np.bincount(ring.ravel(), power.ravel(), minlength=_RINGS + 1)[:_RINGS]
    filled = count > 0
    rings = np.arange(_RINGS)
    return np.interp(rings, rings[filled], total[filled] / count[filled])


def _tiles(luma: FloatArray, side: int) -> list[FloatArray]:
    rows, columns = (_starts(length, side) for length in luma.shape)
    return [luma[y : y + side, x : x + side] for y in rows for x in columns]


def _starts(length: int, side: int) -> list[int]:
    count = min(max(1, length // side), int(np.sqrt(_MOST_TILES)))
    return [round(i) for i in np.linspace(0, length - side, count)]
