"""How large the network sees a region: the working scale, y pixels per document pixel.

An explicit value wins. A pipeline without a preferred object size, and whatever is enlarged, use the output
scale. In place the short side of the selection is brought to the preferred size, at most four times and never
below the scale at which the document's own detail fits: 1 for a sharp picture, less for an oversampled scan,
whose spectrum ends before its sampling does. A whole picture in place stays at that scale.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from safelight.engine.compositor import luma_of
from safelight.geometry import Size
from safelight.imaging.pixels import FloatArray
from safelight.settings import IN_PLACE_SCALE, WORKING_SCALE_LEAST, WORKING_SCALE_MOST
from safelight.spec import PipelineSpec

NYQUIST = 0.5  # cycles per pixel
_TILE_PX = 128  # spectrum of tiles of this side
_LEAST_TILES_PX = 64  # smaller samples say too little: they count as sharp
_MOST_TILES = 48
_RINGS = 64  # bins up to the Nyquist frequency
_FIRST_RING = 8  # a sixteenth of a cycle: resolved even in a scan oversampled four times
_GONE, _FADED = 10**-1.3, 10**-1.0  # measured on photographs, sharp and enlarged 1.5 to 4 times
_ABOVE_FLOOR = 1.3  # power of signal and noise over that of noise alone
_SHARP_FROM = 0.75  # a picture that uses this share of its sampling is not called oversampled
_RUN = 3  # rings below a level in a row before it counts as left behind


def choose_working_scale(
    settings_value: float,
    spec: PipelineSpec,
    *,
    selection: Size,
    whole_picture: bool,
    output_scale: int,
    sample: FloatArray | None,
) -> float:
    """The working scale of one job.

    `settings_value` is `RestoreSettings.working_scale`, 0 for auto. `selection` is the size of the box around
    what is selected, document pixels. `sample` is the selection, or a representative part of it, at document
    size, H W 1 or 3, sRGB-encoded; None skips the look at the spectrum.
    """
    if settings_value > 0:
        return settings_value
    preferred = spec.auto_short_side_px
    if preferred is not None and spec.one_tile:
        return float(np.clip(preferred / selection.long_side, WORKING_SCALE_LEAST, WORKING_SCALE_MOST))
    if preferred is None or output_scale != IN_PLACE_SCALE:
        return float(output_scale)
    least = resolved_share(sample) if sample is not None else 1.0
    wanted = 0.0 if whole_picture else preferred / selection.short_side
    return float(np.clip(wanted, least, WORKING_SCALE_MOST))


def resolved_share(sample: FloatArray) -> float:
    """The scale that keeps all detail of a picture: 1 when its spectrum reaches its sampling, else where the
    spectrum ends, relative to the Nyquist frequency, at least WORKING_SCALE_LEAST.

    Power P(f) of the luma times f^2 is level for a sharp photograph (Field, JOSA A 1987) and falls slowly for
    a soft one. Each frequency is compared with the level one to two octaves below it, after the noise floor
    (the lowest power near the Nyquist frequency) is taken off. A fall by 13 dB (`_GONE`) below `_SHARP_FROM`
    means oversampling; the detail then ends where 10 dB (`_FADED`) are lost: the rest is what interpolation
    left of the spectrum's images.
    """
    power = square_power(sample)
    if power is None:
        return 1.0
    frequency = (np.arange(_RINGS) + 0.5) / _RINGS * NYQUIST
    floor = power[-_RINGS // 8 :].min()
    signal = np.where(power > _ABOVE_FLOOR * floor, power - floor, 0) * frequency**2
    rings = np.arange(_FIRST_RING, _RINGS)
    level = np.array([np.median(signal[ring // 4 : ring // 2 + 1]) for ring in rings])
    if level[0] <= 0:
        return 1.0  # nothing but noise: nothing to go by
    if _end(frequency, signal, level, _GONE) >= _SHARP_FROM:
        return 1.0
    return float(np.clip(_end(frequency, signal, level, _FADED), WORKING_SCALE_LEAST, 1.0))


def _end(
    frequency: npt.NDArray[np.float64],
    signal: npt.NDArray[np.float64],
    level: npt.NDArray[np.float64],
    loss: float,
) -> float:
    """Share of the Nyquist frequency from which on, for `_RUN` rings, more than `loss` is lost."""
    lost = signal[_FIRST_RING:] <= loss * level
    for start in range(len(lost)):
        if lost[start : start + _RUN].all():
            return float(frequency[_FIRST_RING + start] / NYQUIST)
    return 1.0


def square_power(sample: FloatArray) -> npt.NDArray[np.float64] | None:
    """Mean power of the luma by frequency, over tiles spread evenly over the sample.

    In `_RINGS` square rings, the larger of the two frequencies from 0 to Nyquist: a picture that was enlarged
    n times fills a square. None where the sample is too small or not finite.
    """
    height, width = sample.shape[:2]
    side = min(_TILE_PX, height, width)
    if side < _LEAST_TILES_PX:
        return None
    tiles = [luma_of(tile)[..., 0] for tile in _tiles(sample, side)]
    luma = np.stack(tiles).astype(np.float64)
    if not np.isfinite(luma).all():
        return None
    hann = np.sin(np.pi * (np.arange(side) + 0.5) / side) ** 2
    luma = (luma - luma.mean(axis=(1, 2), keepdims=True)) * np.outer(hann, hann)
    power = np.mean(np.abs(np.fft.fft2(luma)) ** 2, axis=0)
    axis = np.fft.fftfreq(side)
    reach = np.maximum(np.abs(axis)[:, None], np.abs(axis)[None])
    ring = np.minimum(reach / NYQUIST * _RINGS, _RINGS).astype(np.int64)
    count = np.bincount(ring.ravel(), minlength=_RINGS + 1)[:_RINGS]
    total = np.bincount(ring.ravel(), power.ravel(), minlength=_RINGS + 1)[:_RINGS]
    filled = count > 0
    rings = np.arange(_RINGS)
    return np.interp(rings, rings[filled], total[filled] / count[filled])


def _tiles(sample: FloatArray, side: int) -> list[FloatArray]:
    rows, columns = (_starts(length, side) for length in sample.shape[:2])
    return [sample[y : y + side, x : x + side] for y in rows for x in columns]


def _starts(length: int, side: int) -> list[int]:
    count = min(max(1, length // side), int(np.sqrt(_MOST_TILES)))
    return [round(i) for i in np.linspace(0, length - side, count)]
