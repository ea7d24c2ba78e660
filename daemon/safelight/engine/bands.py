"""The a-trous bands of a residual: five levels of detail, finest first, and the low band that is left.

Level i blurs with the 3x3 binomial kernel at dilation 2^i, replicate padding, and keeps the difference, as
the wavelet colour fix of the papers does; so the six bands sum to the plane. All arithmetic is elementwise
in a fixed order: a sample `HALO_PX` or more away from an edge of the array has the same bits whatever lies
beyond that edge.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from safelight.imaging.pixels import FloatArray

LEVELS = 5
HALO_PX = 2**LEVELS - 1  # 1 + 2 + 4 + 8 + 16


def split_bands(plane: FloatArray) -> list[FloatArray]:
    """H W C to its six bands, each H W C float32, finest first, the low band last."""
    bands = []
    for level in range(LEVELS):
        low = blur(plane, 2**level)
        bands.append(plane - low)
        plane = low
    return [*bands, plane]


def low_band(plane: FloatArray) -> FloatArray:
    """What the five levels leave of an H W C plane."""
    for level in range(LEVELS):
        plane = blur(plane, 2**level)
    return plane


def needs_filter(weights: Sequence[float]) -> bool:
    """False: all bands weigh the same, so the weighted sum is the plane times that weight."""
    return len(set(weights)) > 1


def weigh_bands(plane: FloatArray, weights: Sequence[float]) -> FloatArray:
    """Sum of the bands of an H W C plane, each times its weight (`RestoreSettings.band_weights`).

    With lows low_0 = plane, low_1, ... low_5 the sum is w_0 low_0 + sum_i (w_i - w_(i-1)) low_i, so equal
    neighbouring weights cost nothing. Equal weights of 1 return the plane itself.
    """
    if not needs_filter(weights):
        return plane if weights[0] == 1 else plane * np.float32(weights[0])
    total = plane * np.float32(weights[0])
    for level in range(LEVELS):
        plane = blur(plane, 2**level)
        if change := np.float32(weights[level + 1] - weights[level]):
            total += plane * change
    return total


def blur(plane: FloatArray, dilation: int) -> FloatArray:
    """The 3x3 binomial kernel (1 2 1) x (1 2 1) / 16 at this dilation, replicate padding; H W C float32."""
    return _blur_along(_blur_along(plane, 0, dilation), 1, dilation)


def _blur_along(plane: FloatArray, axis: int, step: int) -> FloatArray:
    """(1 2 1) / 4 along axis 0 or 1; the neighbours of the padding are replicates of the edge."""
    length = plane.shape[axis]
    result = plane * np.float32(0.5)
    quarter = plane * np.float32(0.25)
    near = min(step, length)  # samples whose neighbour before (or after) is the replicated edge
    before = slice(0, 1), slice(0, near), slice(near, length), slice(0, length - near)
    after = (
        slice(length - 1, length),
        slice(length - near, length),
        slice(0, length - near),
        slice(near, length),
    )
    for border, edge, inner, shifted in (before, after):
        result[_at(axis, edge)] += quarter[_at(axis, border)]
        result[_at(axis, inner)] += quarter[_at(axis, shifted)]
    return result


def _at(axis: int, part: slice) -> tuple[slice, ...]:
    return (part,) if axis == 0 else (slice(None), part)
