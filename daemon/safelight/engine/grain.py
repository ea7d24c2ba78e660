"""Grain: the noise of the surroundings, put back where the restoration took it away.

The noise of the context ring (or of the original region where there is no ring) is measured, and what of it
the restoration took away inside; that is synthesised: Gaussian noise from a generator keyed
by seed and absolute output position, through a small filter with the measured spectrum, mixed over the
channels and scaled by lightness. So the total inside has the ring's power at grain 1, and a sample gets the
same grain whatever is restored around it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from safelight.engine.compositor import LUMA, BoolArray
from safelight.engine.noise import Array, Noise, cut_blocks, measure_noise
from safelight.geometry import Rect
from safelight.imaging.pixels import FloatArray

BLOCK_SIDES_PX = (32, 16)  # the larger one where there is room: a finer spectrum
LEAST_BLOCKS = 12
_MOST_STRIPS = 12  # strips of blocks that are looked at, spread evenly from top to bottom
_MOST_BLOCKS = 768
_CELL_PX = 64  # side of a block of noise drawn from one stream
_STREAM = 0x67726169  # "grai": other streams of the same seed count from elsewhere
_MOST_RADIUS_PX = 8  # at scale 4 a grain of 2 document pixels
_ENERGY = 0.997  # of the filter that is kept
_SAME_SHARE = 0.5  # of the ring's power: the original region counts as having the same noise
_IDLE_SHARE = 0.03  # less than this share of the ring's power is not added: nothing was taken away


@dataclass(frozen=True)
class Picture:
    """Something to measure in strips."""

    rows: Callable[[int, int], tuple[FloatArray, BoolArray]]
    """Rows start..end, encoded H W c, and which samples may be measured, H W."""
    height: int


@dataclass(frozen=True)
class Grain:
    """Noise to add, in sRGB-encoded values."""

    seed: int
    lightness: Array
    deviation: Array
    """Standard deviation of luma at each lightness."""
    mixing: Array
    """c c: what each channel takes of the independent fields; luma then has variance 1."""
    filters: tuple[tuple[Array, Array], ...]
    """Pairs of a column and a row filter, both of odd length; their sum has energy 1."""

    @property
    def radius(self) -> int:
        return len(self.filters[0][0]) // 2

    def rows(self, place: Rect, luma: FloatArray) -> FloatArray:
        """The grain of `place` (absolute output pixels), H W c, for a restored luma H W."""
        channels = len(self.mixing)
        fields = gaussian_field(self.seed, place.grown(self.radius), channels)
        shaped = self._filtered(fields)
        amount = np.interp(luma, self.lightness, self.deviation).astype(np.float32)[..., None]
        result = np.zeros_like(shaped)
        for c in range(channels):
            for field in range(channels):
                result[..., c] += shaped[..., field] * np.float32(self.mixing[c, field])
        return np.asarray(result * amount, dtype=np.float32)

    def _filtered(self, fields: FloatArray) -> FloatArray:
        """Sum of separable filters, tap by tap in a fixed order; loses `radius` on each side."""
        height, width = (side - 2 * self.radius for side in fields.shape[:2])
        total = np.zeros((height, width, fields.shape[2]), dtype=np.float32)
        for column, row in self.filters:
            tall = np.zeros((height, *fields.shape[1:]), dtype=np.float32)
            for i, tap in enumerate(column):
                tall += fields[i : i + height] * np.float32(tap)
            for i, tap in enumerate(row):
                total += tall[:, i : i + width] * np.float32(tap)
        return total


def gaussian_field(seed: int, place: Rect, channels: int) -> FloatArray:
    """Independent unit Gaussians, H W channels, a function of seed and absolute position only.

    One Philox stream (Salmon et al., SC 2011) per cell of 64 x 64 pixels; negative positions are allowed.
    """
    field = np.empty((place.height, place.width, channels), dtype=np.float32)
    for cell_y in range(place.y // _CELL_PX, -(-place.bottom // _CELL_PX)):
        for cell_x in range(place.x // _CELL_PX, -(-place.right // _CELL_PX)):
            cell = Rect(cell_x * _CELL_PX, cell_y * _CELL_PX, _CELL_PX, _CELL_PX)
            part = cell.intersect(place)
            values = _cell_noise(seed, cell_x, cell_y, channels)
            field[part.shifted(-place.x, -place.y).slices] = values[part.shifted(-cell.x, -cell.y).slices]
    return field


def _cell_noise(seed: int, cell_x: int, cell_y: int, channels: int) -> FloatArray:
    place = (cell_y & 0xFFFFFFFF) << 32 | (cell_x & 0xFFFFFFFF)
    key, counter = np.array([[seed, place], [0, _STREAM]], dtype=np.uint64)
    stream = np.random.Philox(key=key, counter=np.concatenate([np.zeros(2, np.uint64), counter]))
    return np.random.Generator(stream).standard_normal((_CELL_PX, _CELL_PX, channels), dtype=np.float32)


def match_grain(missing: Noise, ring: Noise, *, amount: float, seed: int) -> Grain | None:
    """Grain with the `missing` noise at `amount` 1 (it scales the amplitude); None where hardly any of the
    ring's is missing."""
    power = np.where(missing.power > _IDLE_SHARE * ring.power_at(missing.lightness), missing.power, 0)
    spectrum = np.maximum(missing.spectrum, 0)
    if not power.any() or not spectrum.any():
        return None
    deviation = amount * np.sqrt(power)
    return Grain(seed, missing.lightness, deviation, _mixing(missing.covariance), _filters(spectrum))


def _mixing(covariance: Array) -> Array:
    """A symmetric square root of the covariance, its negative parts dropped, with luma variance 1."""
    values, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(np.maximum(values, 0)) @ vectors.T
    weights = LUMA if len(root) == 3 else np.ones(1)
    luma = float(np.sqrt(np.sum((weights @ root) ** 2)))
    return np.asarray(root / luma) if luma > 1e-6 else np.eye(len(root)) / float(np.linalg.norm(weights))


def _filters(spectrum: Array) -> tuple[tuple[Array, Array], ...]:
    """The zero-phase filter of this power spectrum, cut to a small radius, as a sum of separable ones."""
    side = len(spectrum)
    kernel = np.fft.fftshift(np.fft.ifft2(np.sqrt(spectrum)).real)
    centre, energy = side // 2, float(np.sum(kernel**2))
    most = min(_MOST_RADIUS_PX, centre - 1)
    for radius in range(most + 1):
        cut = kernel[centre - radius : centre + radius + 1, centre - radius : centre + radius + 1]
        if np.sum(cut**2) >= _ENERGY * energy:
            break
    left, strengths, right = np.linalg.svd(cut)
    kept = int(np.searchsorted(np.cumsum(strengths**2), _ENERGY * np.sum(strengths**2))) + 1
    norm = np.sqrt(np.sum(strengths[:kept] ** 2))
    return tuple((left[:, i] * strengths[i] / norm, right[i]) for i in range(kept))


def sample_blocks(picture: Picture, side: int) -> FloatArray:
    """Blocks N side side c from evenly spread strips; N may be 0."""
    last = picture.height - side
    starts = sorted({*range(0, last + 1, side), *range(last, -1, -side)})
    if len(starts) > _MOST_STRIPS:
        starts = [starts[i] for i in np.linspace(0, len(starts) - 1, _MOST_STRIPS).astype(int)]
    blocks = [block for y in starts for block in cut_blocks(*picture.rows(y, y + side))]
    step = max(1, -(-len(blocks) // _MOST_BLOCKS))
    return np.stack(blocks[::step]) if blocks else np.empty((0, side, side, 1), dtype=np.float32)


def measure_grain(
    original: Picture, around: Picture, inside: Picture, *, amount: float, seed: int
) -> Grain | None:
    """Measures and matches.

    `around` is `original` with the region marked unusable; where it has too few blocks, `original` is
    measured itself. `inside` is the region, its channels those of the original and then those of the restored
    region. None where the picture is too small to measure, or nothing is missing.
    """
    for surroundings in (around, original):
        for side in BLOCK_SIDES_PX:
            blocks = sample_blocks(surroundings, side)
            if len(blocks) < LEAST_BLOCKS:
                continue
            pairs = sample_blocks(inside, side)
            if len(pairs):
                ring = measure_noise(blocks)
                return match_grain(_missing(ring, pairs), ring, amount=amount, seed=seed)
    return None


def _missing(ring: Noise, pairs: FloatArray) -> Noise:
    """Usually what the restoration took away: compared in the same blocks, so that texture cancels. Where the
    original region has much less noise than the ring already (it was retouched), what is left is compared
    with the ring instead."""
    before, after = np.split(pairs, 2, axis=3)
    own = measure_noise(before)
    if own.power.mean() >= _SAME_SHARE * ring.power_at(own.lightness).mean():
        return measure_noise(before, less=after)
    return ring.less(measure_noise(after))
