"""What a job's tiles keep between diffusion steps: FaithDiff's embedding e of each, computed in its first step.

The first ones stay on the device, the others in files on the host.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from safelight.engine.canvas import allocate
from safelight.geometry import Rect

DEVICE_BYTES = 256 << 20
"""At most so much on the device: 24 tiles of 1024 pixels in half precision, a picture of 4096x3072 at an overlap of a
quarter. Fetching one from the host takes longer than anything else in a step."""


class TileEmbeddings:
    """Belongs to one job and one device. Owned by the worker's thread."""

    def __init__(self) -> None:
        self._kept: dict[tuple[Rect, torch.dtype], torch.Tensor] = {}
        self._device_bytes = 0

    def of(self, box: Rect, dtype: torch.dtype, make: Callable[[], torch.Tensor]) -> torch.Tensor:
        """Of the tile at `box` (absolute latent cells), on the device where `make` computes it in `dtype`, or on the
        host. Raises TooMuch (OUT_OF_MEMORY) when there is no room on the host."""
        if (box, dtype) not in self._kept:
            self._kept[box, dtype] = self._placed(make())
        return self._kept[box, dtype]

    def _placed(self, made: torch.Tensor) -> torch.Tensor:
        size = made.numel() * made.element_size()
        if self._device_bytes + size <= DEVICE_BYTES:
            self._device_bytes += size
            return made
        raw = made.contiguous().view(torch.uint8)  # numpy has no bfloat16
        host = torch.from_numpy(allocate(tuple(raw.shape), np.uint8, mapped_above_bytes=0))
        return host.copy_(raw).view(made.dtype)
