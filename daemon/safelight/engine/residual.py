"""From a restored tile to what is added on the residual canvas: taper * (y - x'), in fixed point.

x' is x brought to y's size by Lanczos (x itself where the sizes agree). It is computed per tile with a halo,
which gives the same bits wherever the tile is, so a pipeline that returns its input leaves exactly 0.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

from safelight.engine.canvas import RESIDUAL_LIMIT, RESIDUAL_UNIT
from safelight.geometry import Rect, Size
from safelight.imaging.pixels import FloatArray
from safelight.imaging.resample import resize

HALO_PX = 4  # Lanczos reaches 3 pixels; enlarging never widens it


def enlarged_tile(x: FloatArray, box: Rect, factor: int) -> FloatArray:
    """The pixels of x (H W 3) in `box`, enlarged `factor` times as a part of the whole."""
    if factor == 1:
        return x[box.slices]
    halo = box.grown(HALO_PX).intersect(Rect(0, 0, x.shape[1], x.shape[0]))
    large = resize(x[halo.slices], Size(halo.width * factor, halo.height * factor))
    return large[box.shifted(-halo.x, -halo.y).times(factor).slices]


@torch.inference_mode()
def tapered_residual(
    y: torch.Tensor, enlarged: FloatArray, tapers: tuple[FloatArray, FloatArray]
) -> npt.NDArray[np.int16]:
    """h w 3 fixed point for `ResidualCanvas.add`. `y` 3 h w float32 on its device, `enlarged` h w 3."""
    down, across = (torch.from_numpy(profile).to(y.device) for profile in tapers)
    residual = y.permute(1, 2, 0) - torch.from_numpy(enlarged).to(y.device)
    residual.clamp_(-RESIDUAL_LIMIT, RESIDUAL_LIMIT).mul_(down[:, None, None]).mul_(across[:, None])
    fixed: npt.NDArray[np.int16] = residual.mul_(RESIDUAL_UNIT).round_().to(torch.int16).cpu().numpy()
    return fixed
