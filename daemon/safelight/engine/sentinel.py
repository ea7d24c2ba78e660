"""The check that every tile passes before it counts: finite, not constant, low frequencies near the input's."""

from __future__ import annotations

import torch
import torch.nn.functional as F

from safelight.spec import SentinelThresholds

BLOCKS = 8  # low frequencies are means of 1/8-tile blocks, as the spec's thresholds say
LEAST_BLOCK_PX = (
    8  # a mean of fewer pixels is no low frequency: noise of a picture a few pixels wide moves it
)
CONSTANT_SPREAD = 0.25 / 255  # a spread that no 8-bit display could show
PICTURE_SPREAD = 4 / 255  # an input with less may well be cleaned to a constant


def faults(y: torch.Tensor, x: torch.Tensor | None, thresholds: SentinelThresholds) -> tuple[str | None, ...]:
    """For each of B tiles what is wrong with it in one word, or None.

    `y` B C h w float; `x` the B 3 h' w' network pixels at the same place, or None for latents, which are only
    checked to be finite. One transfer from the device.
    """
    with torch.inference_mode():
        low, high = y.amin(dim=(2, 3)), y.amax(dim=(2, 3))
        finite = (torch.isfinite(low) & torch.isfinite(high)).all(dim=1)  # minimum and maximum carry NaN on
        columns = [(~finite, "not finite")]
        if x is not None:
            y_blocks, x_blocks = (F.adaptive_avg_pool2d(t.float(), _blocks(x)) for t in (y, x))
            shift = (y_blocks.mean(dim=(2, 3)) - x_blocks.mean(dim=(2, 3))).abs().amax(dim=1)
            apart = (y_blocks - x_blocks).abs().amax(dim=(1, 2, 3))
            picture = (x.amax(dim=(2, 3)) - x.amin(dim=(2, 3))).amax(dim=1) > PICTURE_SPREAD
            flat = (high - low).amax(dim=1) < CONSTANT_SPREAD
            columns += [
                (flat & picture, "constant"),
                (shift > thresholds.mean_shift, "another colour"),
                (apart > thresholds.low_frequency, "another picture"),
            ]
        table = torch.stack([column for column, _ in columns], dim=1).tolist()
    return tuple(
        next((word for bad, (_, word) in zip(row, columns, strict=True) if bad), None) for row in table
    )


def _blocks(x: torch.Tensor) -> tuple[int, int]:
    """Rows and columns of blocks for tiles of the size of `x`."""
    rows, columns = (min(BLOCKS, max(1, side // LEAST_BLOCK_PX)) for side in x.shape[2:])
    return rows, columns
