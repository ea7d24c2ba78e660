"""How far a result went: where it contradicts its input, where it adds what the input does not show, where several
results disagree.

Maps are float32, one value for each pixel of the input. All work on sRGB-encoded colour, 0..1, and give:

contradiction   8-bit levels, 0 and up: the result brought back to the input's size through the blur that explains the
                input best, against the input, root of the local mean square over the channels, less what the input's
                own noise and a misjudged blur explain. 0: the input may well be a worse picture of this result.
invention       a ratio, 0 and up: strength of the fine detail that the result has and the input does not, finer than
                the input resolves, over the local contrast of the input. 1: as strong as what was there to see.
spread          8-bit levels, 0 and up: standard deviation of several results at a pixel, root of the mean over the
                channels. Of results with different seeds, or of different pipelines.

What the input resolves is measured on its spectrum (`imaging.spectrum`): up to its sampling where it is sharp. At
output scale 1 a sharp input then leaves no room for invention, and what was changed shows as contradiction.

No map knows the truth. Detail that happens to be right counts as invention as well, and a result that leaves out what
the input showed contradicts it only as far as the input shows it above its noise.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from safelight.errors import InvalidRequest
from safelight.geometry import Rect, Size
from safelight.imaging.pixels import DocumentArray, FloatArray, PixelFormat
from safelight.imaging.profiles import encoding_for
from safelight.imaging.resample import resize
from safelight.imaging.spectrum import FADED, measured_spectrum

Samples = DocumentArray | FloatArray

CONTRADICTION_SHOWN = 16.0
"""Full colour of an overlay, levels: clearly seen beside the input."""
INVENTION_SHOWN = 1.0
SPREAD_SHOWN = 16.0
SHOWN = {"contradiction": CONTRADICTION_SHOWN, "invention": INVENTION_SHOWN, "spread": SPREAD_SHOWN}

_LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)
_WINDOW_PX = 2.0  # sigma of local means, input pixels: about 50 samples
_TINT_PX = 4.0  # ... of what colour is compared at: codecs keep no more of it, and its noise is gone there
_CONTRAST_PX = 2.0  # ... of the local contrast that invention is compared with
_CONTRAST_FLOOR = (
    4 / 255
)  # below it a texture is hardly seen; keeps flat areas from counting a trace as everything
_NOISE_FACTOR = 1.6  # a local mean of 50 squares of noise stays below it nearly everywhere
_MODEL_SHARE = 0.15  # of the local contrast: what a blur that differs from place to place explains
_SHARP_FROM = 0.85  # share of the Nyquist frequency: measured on sharp photographs, 0.79 to 0.95
_LEAST_RESOLUTION = 0.25
_BLURS_PX = (0.0, 0.35, 0.5, 0.65, 0.8, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0)  # sigma, input pixels
_BRIGHTNESS_BINS = 8
_TILE_PX, _HALO_PX = 512, 32  # of the input; the halo covers every window and filter
_SAMPLE_PX = 512  # side of the sample on which blur, noise and resolution are measured
_LAPLACE_GAIN = 6.0  # root of the sum of squares of the taps (Immerkaer, CVIU 1996)


class Measured(NamedTuple):
    """What the maps take from the whole picture."""

    resolution: float
    """Share of the input's sampling that holds detail, 0.25..1."""
    blur_px: float
    """Sigma of the Gaussian, input pixels, that brings the result closest to the input."""
    noise: tuple[float, ...]
    """Standard deviation of the input's noise in 8-bit levels, for `_BRIGHTNESS_BINS` steps from dark to bright."""


@dataclass(frozen=True)
class Faithfulness:
    """Maps of one result and what they were measured with."""

    contradiction: FloatArray
    """H W of the input, 8-bit levels."""
    invention: FloatArray
    """H W of the input, ratio."""
    measured: Measured

    def numbers(self) -> dict[str, float]:
        """For people and JSON: mean, the value that 5 % of the pixels exceed, and the share that stands out."""
        return {
            "resolution": round(self.measured.resolution, 4),
            "blur_px": self.measured.blur_px,
            "noise_levels": round(float(np.median(self.measured.noise)), 3),
            **_numbers("contradiction", self.contradiction, CONTRADICTION_SHOWN / 4),
            **_numbers("invention", self.invention, INVENTION_SHOWN / 2),
        }


def _numbers(name: str, plane: FloatArray, clear: float) -> dict[str, float]:
    return {
        f"{name}_mean": round(float(plane.mean()), 4),
        f"{name}_p95": round(float(np.quantile(plane, 0.95)), 4),
        f"{name}_most": round(float(plane.max()), 4),
        f"{name}_share": round(float((plane > clear).mean()), 5),
    }


Encode = Callable[[Any], FloatArray]
"""From samples as a document has them, H W C, to sRGB-encoded colours H W 1 or 3, 0..1 (may leave it), no alpha."""


def _as_it_is(samples: Any) -> FloatArray:
    encoded: FloatArray = samples
    return encoded


def colours_of(fmt: PixelFormat, icc: bytes) -> Encode:
    """For documents of this format; alpha is left out. Raises InvalidRequest (PROFILE_NOT_SUPPORTED)."""
    encoding, channels = encoding_for(fmt, icc), fmt.colour_channels
    return lambda samples: encoding.encode(samples[..., :channels])


def faithfulness(
    before: Samples, after: Samples, *, encode: Encode = _as_it_is, on_tile: Callable[[], None] = lambda: None
) -> Faithfulness:
    """Both maps. `before` H W C as `encode` takes them (plainly: sRGB-encoded float32), `after` a whole multiple of its
    size. Works in tiles: memory beyond the arrays is that of a tile. `on_tile` is called before each and may raise.
    Raises InvalidRequest (SIZES_DIFFER)."""
    scale = scale_between(before, after)
    measured = measure(before, after, encode=encode)
    contradiction = np.empty(before.shape[:2], np.float32)
    invention = np.empty(before.shape[:2], np.float32)
    for tile, seen in _tiles(Size(before.shape[1], before.shape[0])):
        on_tile()
        x, y = encode(before[seen.slices]), encode(after[seen.times(scale).slices])
        inner = tile.shifted(-seen.x, -seen.y).slices
        contradiction[tile.slices] = _contradiction(x, y, measured)[inner]
        invention[tile.slices] = _invention(x, y, measured)[inner]
    return Faithfulness(contradiction, invention, measured)


def spread(
    results: Sequence[Samples],
    scale: int,
    *,
    encode: Encode = _as_it_is,
    on_tile: Callable[[], None] = lambda: None,
) -> FloatArray:
    """Of at least two results of one size, H W C; brought to the input's size by means of `scale` x `scale` pixels.
    8-bit levels. Raises InvalidRequest (SIZES_DIFFER)."""
    if len(results) < 2 or len({r.shape for r in results}) != 1:
        raise InvalidRequest("spread needs at least two results of one size", "SIZES_DIFFER")
    height, width = results[0].shape[0] // scale, results[0].shape[1] // scale
    levels = np.empty((height, width), np.float32)
    for tile, _ in _tiles(Size(width, height)):
        on_tile()
        encoded = np.stack([encode(result[tile.times(scale).slices]) for result in results])
        variance = encoded.var(axis=0, ddof=1).mean(axis=2)
        blocks = variance.reshape(tile.height, scale, tile.width, scale).mean(axis=(1, 3))
        levels[tile.slices] = np.sqrt(blocks) * np.float32(255)
    return levels


def spread_numbers(plane: FloatArray) -> dict[str, float]:
    return _numbers("spread", plane, SPREAD_SHOWN / 4)


def scale_between(before: Samples, after: Samples) -> int:
    """How many times as large the result is; raises InvalidRequest (SIZES_DIFFER)."""
    height, width = before.shape[:2]
    scale = after.shape[1] // width if width else 0
    if scale < 1 or after.shape[:2] != (height * scale, width * scale) or after.shape[2:] != before.shape[2:]:
        raise InvalidRequest(
            f"the result has {after.shape[1]} x {after.shape[0]} pixels and the input {width} x {height}: it must be "
            "as large, or a whole number of times as large, with the same channels",
            "SIZES_DIFFER",
        )
    return scale


def measure(before: Samples, after: Samples, *, encode: Encode = _as_it_is) -> Measured:
    """On up to four parts of the picture."""
    scale = scale_between(before, after)
    places = list(_samples(Size(before.shape[1], before.shape[0])))
    inputs = [encode(before[place.slices]) for place in places]
    results = [encode(after[place.times(scale).slices]) for place in places]
    noise = _noise(inputs)
    spectra = [measured_spectrum(_luma(x)) for x in inputs]
    ends = [s.end(FADED) for s in spectra if s is not None]
    resolution = max(ends, default=1.0)
    if resolution >= _SHARP_FROM:
        resolution = 1.0
    seen = [_degraded(y, x, 0.0) for x, y in zip(inputs, results, strict=True)]
    errors = [
        sum(float(np.sum(np.square(_blurred(y, blur) - x))) for x, y in zip(inputs, seen, strict=True))
        for blur in _BLURS_PX
    ]
    blur = _BLURS_PX[int(np.argmin(errors))]
    return Measured(max(resolution, _LEAST_RESOLUTION), blur, noise)


def _contradiction(x: FloatArray, y: FloatArray, measured: Measured) -> FloatArray:
    """8-bit levels of a tile."""
    apart = _degraded(y, x, measured.blur_px) - x
    light = _luma(apart)
    error = _smooth(np.square(light), _WINDOW_PX)
    noise = np.square(_noise_at(_luma(x), measured) / 255)
    allowed = _NOISE_FACTOR * noise + np.square(_MODEL_SHARE * _contrast(x))
    beyond = np.maximum(error - allowed, 0)
    if x.shape[2] == 3:
        tint = _smooth(apart - light[..., None], _TINT_PX)
        beyond += np.mean(np.square(tint), axis=2)
    levels: FloatArray = np.sqrt(beyond) * np.float32(255)
    return levels


def _invention(x: FloatArray, y: FloatArray, measured: Measured) -> FloatArray:
    """Ratio, of a tile.

    Fine detail is what is lost on the way to the size that the input resolves and back. What was added is the fine
    detail of result minus input, less the input's noise there; it is never more than the result's own fine detail, so
    that removed noise and blocks do not count.
    """
    size, scale = Size(x.shape[1], x.shape[0]), y.shape[1] // x.shape[1]
    result = _luma(y)[..., None]
    plain = resize(_luma(x)[..., None], Size(y.shape[1], y.shape[0]))
    resolved = size.scaled(measured.resolution)
    fine, own = _fine(result, resolved), _fine(plain, resolved)
    noise = np.square(np.median(np.abs(own)) / np.float32(0.6745))
    added = np.minimum(_mean_square(fine, scale), _mean_square(fine - own, scale) - np.float32(1.5) * noise)
    amount = np.sqrt(np.maximum(added, 0))
    ratio: FloatArray = amount / (_contrast(x) + np.float32(_CONTRAST_FLOOR))
    return ratio


def _fine(plane: FloatArray, resolved: Size) -> FloatArray:
    """What of a plane H W 1 is finer than `resolved` pixels can hold, H W."""
    size = Size(plane.shape[1], plane.shape[0])
    if size == resolved:
        return np.zeros(plane.shape[:2], np.float32)
    kept: FloatArray = plane - resize(resize(plane, resolved), size)
    return kept[..., 0]


def _mean_square(plane: FloatArray, scale: int) -> FloatArray:
    """Local, for each pixel of the input."""
    height, width = plane.shape[0] // scale, plane.shape[1] // scale
    blocks = np.square(plane).reshape(height, scale, width, scale).mean(axis=(1, 3))
    return _smooth(blocks, _WINDOW_PX)


def _contrast(x: FloatArray) -> FloatArray:
    """Local standard deviation of the input's luma, 0..1."""
    luma = _luma(x)
    mean = _smooth(luma, _CONTRAST_PX)
    variance = _smooth(np.square(luma), _CONTRAST_PX) - np.square(mean)
    contrast: FloatArray = np.sqrt(np.maximum(variance, 0))
    return contrast


def _degraded(y: FloatArray, x: FloatArray, blur_px: float) -> FloatArray:
    """The result as the input's grid sees it through a Gaussian blur."""
    size = Size(x.shape[1], x.shape[0])
    return _blurred(y if size == Size(y.shape[1], y.shape[0]) else resize(y, size), blur_px)


def _blurred(plane: FloatArray, blur_px: float) -> FloatArray:
    return _smooth(plane, blur_px) if blur_px else plane


def _noise(inputs: Sequence[FloatArray]) -> tuple[float, ...]:
    """By brightness: median of the absolute second differences, which fine texture hardly moves."""
    bright, rough = [], []
    for x in inputs:
        luma = _luma(x)
        if min(luma.shape) < 3:
            continue
        columns = luma[:, :-2] - 2 * luma[:, 1:-1] + luma[:, 2:]
        rough.append(np.abs(columns[:-2] - 2 * columns[1:-1] + columns[2:]).ravel())
        bright.append(luma[1:-1, 1:-1].ravel())
    if not rough:
        return (0.0,) * _BRIGHTNESS_BINS
    value, size = np.concatenate(bright), np.concatenate(rough)
    sigma = 255 * size / (0.6745 * _LAPLACE_GAIN)
    bins = np.clip((value * _BRIGHTNESS_BINS).astype(np.int64), 0, _BRIGHTNESS_BINS - 1)
    overall = float(np.median(sigma))
    return tuple(
        float(np.median(sigma[bins == b])) if np.count_nonzero(bins == b) >= 256 else overall
        for b in range(_BRIGHTNESS_BINS)
    )


def _noise_at(luma: FloatArray, measured: Measured) -> FloatArray:
    """Levels, between the middles of the bins."""
    middles = (np.arange(_BRIGHTNESS_BINS) + 0.5) / _BRIGHTNESS_BINS
    return np.interp(luma, middles, measured.noise).astype(np.float32)


def _luma(colours: FloatArray) -> FloatArray:
    if colours.shape[2] == 1:
        return colours[..., 0]
    luma: FloatArray = colours @ _LUMA
    return luma


def _smooth(plane: FloatArray, sigma_px: float) -> FloatArray:
    """Gaussian mean along the first two axes, edges repeated."""
    reach = max(1, math.ceil(3 * sigma_px))
    taps = np.exp(-0.5 * np.square(np.arange(-reach, reach + 1) / sigma_px))
    taps = (taps / taps.sum()).astype(np.float32)
    for axis in (0, 1):
        padding = [(0, 0)] * plane.ndim
        padding[axis] = (reach, reach)
        padded = np.pad(plane, padding, "edge")
        total: npt.NDArray[np.float32] = np.zeros_like(plane, dtype=np.float32)
        product = np.empty_like(total)
        for i, tap in enumerate(taps):
            place = slice(i, i + plane.shape[axis])
            np.multiply(padded[place] if axis == 0 else padded[:, place], tap, out=product)
            total += product
        plane = total
    return plane


def _tiles(size: Size) -> Iterator[tuple[Rect, Rect]]:
    """Tiles of the input, and each with its halo."""
    whole = Rect.of_size(size)
    for top in range(0, size.height, _TILE_PX):
        for left in range(0, size.width, _TILE_PX):
            tile = Rect(left, top, _TILE_PX, _TILE_PX).intersect(whole)
            yield tile, tile.grown(_HALO_PX).intersect(whole)


def _samples(size: Size) -> Iterator[Rect]:
    """Up to four, spread over the picture."""
    width, height = min(_SAMPLE_PX, size.width), min(_SAMPLE_PX, size.height)
    for top in sorted(
        {size.height // 4 - height // 4, size.height - height} if size.height > height else {0}
    ):
        for left in sorted({size.width // 4 - width // 4, size.width - width} if size.width > width else {0}):
            yield Rect(max(0, left), max(0, top), width, height)
