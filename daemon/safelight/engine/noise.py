"""How much noise a picture has, with which spectrum, and how it depends on lightness.

Measured in square blocks after a quadratic surface is taken out of each. Flat blocks are those whose variance
is near the lowest of blocks of similar lightness; what varies more is taken for texture. Pictures are float32
sRGB-encoded with 1 or 3 channels.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from safelight.engine.compositor import LUMA
from safelight.imaging.pixels import FloatArray

SURFACE_TERMS = 6  # of a quadratic surface: 1, x, y, xx, xy, yy

_GROUP_BLOCKS = 12  # blocks of similar lightness that are judged together
_MOST_GROUPS = 10
_BASE_SHARE = 0.2  # the flattest fifth of a group shows its noise
_MOST_STEP = 3.0  # of noise power between groups that are neighbours in lightness
_LEAST_TOLERANCE = 1.35  # noise varies with lightness within a group, too

Array = npt.NDArray[np.float64]

_PAIR_TOLERANCE = 2.5  # where texture cancels, some of it is welcome with the blocks it brings


@dataclass(frozen=True)
class Noise:
    """What `measure_noise` found. Powers are variances of encoded values."""

    lightness: Array
    """Mean luma of groups of blocks, rising, G."""
    power: Array
    """Variance of luma at those, G."""
    covariance: Array
    """Between channels, c c, mean over all flat blocks."""
    spectrum: Array
    """Power of luma by frequency, B B in FFT order; its mean is the mean variance of luma."""

    def power_at(self, luma: Array) -> Array:
        """Variance of luma where luma is as given, any shape; the ends go on evenly."""
        return np.interp(luma, self.lightness, self.power)

    def less(self, other: Noise) -> Noise:
        """What is here and not in `other`; powers may come out negative."""
        lightness = np.union1d(self.lightness, other.lightness)
        power = self.power_at(lightness) - other.power_at(lightness)
        covariance = self.covariance - other.covariance
        return Noise(lightness, power, covariance, self.spectrum - other.spectrum)


def measure_noise(blocks: FloatArray, *, less: FloatArray | None = None) -> Noise:
    """Of blocks N B B c, N >= 1, all finite.

    `less` is another version of the same blocks: what is measured then is how much more noise `blocks` have,
    and texture, which both have, cancels. Where blocks are flat is decided by `blocks` alone.
    """
    side, channels = blocks.shape[1], blocks.shape[3]
    spread = without_surface(blocks)
    weights = LUMA.astype(np.float64) if channels == 3 else np.ones(1)
    means = blocks.mean(axis=(1, 2), dtype=np.float64) @ weights
    luma = spread @ weights
    variances = _variances(luma)
    flat = _flat(means, variances, _PAIR_TOLERANCE)
    if less is None:
        flat = _flat(means, variances, _tolerance(_spectrum(luma[flat]), side))
    group = _group_of(means)
    noise = _noise_of(spread, luma, variances, means, group, flat)
    if less is None:
        return noise
    spread = without_surface(less)
    luma = spread @ weights
    return noise.less(_noise_of(spread, luma, _variances(luma), means, group, flat))


def _noise_of(
    spread: Array,
    luma: Array,
    variances: Array,
    means: Array,
    group: npt.NDArray[np.int64],
    flat: npt.NDArray[np.bool_],
) -> Noise:
    chosen = spread[flat]
    samples = chosen.shape[0] * (chosen.shape[1] * chosen.shape[2] - SURFACE_TERMS)
    covariance = np.einsum("nijc,nijd->cd", chosen, chosen) / samples
    lightness, power = _by_lightness(means, variances, group, flat)
    spectrum = _spectrum(luma[flat])
    spectrum *= variances[flat].mean() / max(float(spectrum.mean()), 1e-30)
    return Noise(lightness, power, covariance, spectrum)


def _variances(luma: Array) -> Array:
    """Of each block N B B, unbiased."""
    count = luma.shape[1] * luma.shape[2] - SURFACE_TERMS
    return np.asarray(np.einsum("nij,nij->n", luma, luma) / count)


def without_surface(blocks: FloatArray) -> Array:
    """Blocks N B B c less the quadratic surface nearest to each channel, float64."""
    count, side, _, channels = blocks.shape
    basis = _surfaces(side)
    values = blocks.reshape(count, side * side, channels).astype(np.float64)
    values -= basis @ (basis.T @ values)
    return values.reshape(blocks.shape)


@lru_cache(maxsize=4)
def _surfaces(side: int) -> Array:
    """Orthonormal quadratic surfaces as columns, side*side x 6."""
    y, x = (np.mgrid[0:side, 0:side] / (side - 1) * 2 - 1).reshape(2, -1)
    surfaces, _ = np.linalg.qr(np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=1))
    return np.asarray(surfaces)


def _group_of(means: Array) -> npt.NDArray[np.int64]:
    """Each block's group: blocks in order of lightness, in equal groups."""
    groups = int(np.clip(len(means) // _GROUP_BLOCKS, 1, _MOST_GROUPS))
    group = np.empty(len(means), dtype=np.int64)
    group[np.argsort(means, kind="stable")] = np.arange(len(means)) * groups // len(means)
    return group


def _flat(means: Array, variances: Array, tolerance: float) -> npt.NDArray[np.bool_]:
    """Blocks whose variance is at most `tolerance` times the base of their group.

    A group's base is limited by the median of its own and its neighbours' in lightness: a group without a
    flat block has none then.
    """
    group = _group_of(means)
    bases = np.array([np.quantile(variances[group == g], _BASE_SHARE) for g in range(group.max() + 1)])
    around = np.stack([bases, np.roll(bases, 1), np.roll(bases, -1)])
    around[1, 0], around[2, -1] = bases[0], bases[-1]
    bases = np.minimum(bases, _MOST_STEP * np.median(around, axis=0))
    flat: npt.NDArray[np.bool_] = variances <= bases[group] * tolerance
    flat[np.argmin(variances)] = True
    return flat


def _tolerance(spectrum: Array, side: int) -> float:
    """How far above its base the variance of a block of pure noise goes: three deviations.

    A variance over samples of which B^2 (mean P)^2 / mean P^2 are independent deviates by sqrt(2 / that).
    """
    independent = side * side * spectrum.mean() ** 2 / max(float(np.mean(spectrum**2)), 1e-20)
    deviation = min(np.sqrt(2 / independent), 0.5)
    return max(_LEAST_TOLERANCE, float((1 + 3 * deviation) / (1 - 0.84 * deviation)))  # 20 % is at -0.84


def _by_lightness(
    means: Array, variances: Array, group: npt.NDArray[np.int64], flat: npt.NDArray[np.bool_]
) -> tuple[Array, Array]:
    """Lightness and power of each group's flat blocks, and carried on in a straight line to the darkest and
    the lightest block there is."""
    chosen = [flat & (group == g) for g in range(group.max() + 1)]
    lightness = np.array([means[c].mean() for c in chosen if c.any()])
    power = np.array([variances[c].mean() for c in chosen if c.any()])
    order = np.argsort(lightness)
    lightness, power = lightness[order], power[order]
    if len(lightness) < 2:
        return lightness, power
    ends = np.array([means[flat].min(), means[flat].max()])
    slopes = np.diff(power)[[0, -1]] / np.maximum(np.diff(lightness)[[0, -1]], 1e-6)
    nearest = power[[0, -1]]
    carried = np.clip(nearest + slopes * (ends - lightness[[0, -1]]), 0.5 * nearest, 2 * nearest)
    return (
        np.concatenate([ends[:1], lightness, ends[1:]]),
        np.concatenate([carried[:1], power, carried[1:]]),
    )


def _spectrum(luma: Array) -> Array:
    """Mean power of blocks N B B under a Hann window, made symmetric.

    The surface has taken the lowest frequencies away: they get the power of the next ones. Grain has no
    direction, so the eight symmetric places share one mean.
    """
    side = luma.shape[1]
    hann = np.sin(np.pi * (np.arange(side) + 0.5) / side)
    power = np.mean(np.abs(np.fft.fft2(luma * np.outer(hann, hann))) ** 2, axis=0)
    index = -np.arange(side) % side
    power = (power + power.T) / 2
    power = (power + power[index] + power[:, index] + power[index][:, index]) / 4
    radius = np.hypot(*np.meshgrid(*[np.fft.fftfreq(side, 1 / side)] * 2))
    power[radius < 2] = power[(radius >= 2) & (radius < 3)].mean()
    return np.asarray(power)


def cut_blocks(rows: FloatArray, usable: npt.NDArray[np.bool_]) -> Iterator[FloatArray]:
    """Square blocks of a strip of rows, as high as the strip, whose samples are all usable (H W) and finite.

    They stand side by side from the left end and again from the right end, so that a narrow border at
    either end gives blocks.
    """
    side = len(rows)
    last = rows.shape[1] - side
    starts = {*range(0, last + 1, side), *range(last, -1, -side)}
    for x in sorted(starts):
        block = rows[:, x : x + side]
        if usable[:, x : x + side].all() and np.isfinite(block).all():
            yield block
