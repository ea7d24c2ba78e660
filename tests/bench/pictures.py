"""Photographs of any size: scikit-image's public-domain portrait of Eileen Collins (NASA), repeated mirrored."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import skimage.data

Pixels = npt.NDArray[np.uint8]


def photo(width: int, height: int) -> Pixels:
    """H W 3, sRGB. Larger than the photograph's 512 pixels: mirrored copies, so that no edge appears."""
    once = skimage.data.astronaut()
    both = np.concatenate([once, once[:, ::-1]], axis=1)
    block = np.concatenate([both, both[::-1]], axis=0)
    repeats = -(-height // block.shape[0]), -(-width // block.shape[1]), 1
    return np.ascontiguousarray(np.tile(block, repeats)[:height, :width])


def with_alpha(pixels: Pixels) -> Pixels:
    """H W 4 with an opaque alpha channel."""
    opaque = np.full((*pixels.shape[:2], 1), 255, np.uint8)
    return np.concatenate([pixels, opaque], axis=2)
