"""Noise as a function of (seed, absolute latent cell): a cell has the same bits whatever the crop, tile,
batch or device. Plain numpy.

The plane is divided into fixed blocks of 64x64 cells, each with its own Philox4x64 stream keyed by seed and
block. Normal numbers come from the raw stream by Box-Muller, because numpy guarantees the stream of its bit
generators across versions but not that of `standard_normal`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from safelight.geometry import Rect
from safelight.imaging.pixels import FloatArray

BLOCK_LAT = 64
_MASK = (1 << 32) - 1


def noise(seed: int, rect_lat: Rect, channels: int, *, stream: int = 0) -> FloatArray:
    """Standard normal numbers for the cells of `rect_lat`, float32 C h w.

    `seed` 0 to 2**63-1; cells may be negative, down to -2**37. `stream` tells apart what one seed is used
    for, such as diffusion steps. More channels leave the bits of the first ones as they are.
    """
    result = np.empty((channels, rect_lat.height, rect_lat.width), np.float32)
    for row in range(rect_lat.y // BLOCK_LAT, -(-rect_lat.bottom // BLOCK_LAT)):
        for column in range(rect_lat.x // BLOCK_LAT, -(-rect_lat.right // BLOCK_LAT)):
            block = Rect(column * BLOCK_LAT, row * BLOCK_LAT, BLOCK_LAT, BLOCK_LAT)
            common = block.intersect(rect_lat)
            rows, columns = common.shifted(-block.x, -block.y).slices
            to_rows, to_columns = common.shifted(-rect_lat.x, -rect_lat.y).slices
            numbers = _block(seed, row, column, channels, stream)
            result[:, to_rows, to_columns] = numbers[:, rows, columns]
    return result


def _block(seed: int, row: int, column: int, channels: int, stream: int) -> npt.NDArray[np.float64]:
    """A whole block, C 64 64: each channel takes the stream's next 4096 numbers."""
    key = np.array([seed, (row & _MASK) << 32 | (column & _MASK)], dtype=np.uint64)
    bits = np.random.Philox(key=key, counter=np.array([0, 0, 0, stream], dtype=np.uint64))
    raw = bits.random_raw(channels * BLOCK_LAT * BLOCK_LAT).reshape(channels, 2, -1)
    uniform = ((raw >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53  # inside 0..1, never at its ends
    radius, angle = np.sqrt(-2 * np.log(uniform[:, 0])), 2 * np.pi * uniform[:, 1]
    pairs = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=-1)
    return pairs.reshape(channels, BLOCK_LAT, BLOCK_LAT)
