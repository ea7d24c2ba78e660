"""What a job's encode stage found beside latents and every later step reads: a plane of many channels, on the host.

Added up from tapered tiles in fixed point, like every canvas, so that their order cannot matter; read back in boxes.
Memory-mapped when large: it grows with the picture, which device memory may not. Plain numpy.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from safelight.engine.canvas import allocate
from safelight.geometry import Rect
from safelight.imaging.pixels import FloatArray

UNIT = float(1 << 14)
"""int32 then spans +-131072 in steps of 6.1e-5; features of an encoder's last layers have a deviation of about 2."""
LIMIT = float(1 << 16)
"""Values are clipped here before they are added, so that rounding of many tiles cannot overflow."""


class FeaturePlane:
    """C H W, C set by the first tile. Owned by one thread."""

    def __init__(self, box: Rect) -> None:
        """`box` in absolute latent cells: what the job's network sees."""
        self.box = box
        self._sums: npt.NDArray[np.int32] | None = None

    def add(self, box: Rect, tapered: npt.NDArray[Any]) -> None:
        """Adds taper * features, float C h w, at `box`: cells from the plane's corner. Raises TooMuch
        (OUT_OF_MEMORY)."""
        if self._sums is None:
            self._sums = allocate((tapered.shape[0], self.box.height, self.box.width), np.int32)
        rows, columns = box.slices
        self._sums[:, rows, columns] += np.rint(np.clip(tapered, -LIMIT, LIMIT) * UNIT).astype(np.int32)

    def read(self, box: Rect) -> FloatArray:
        """C h w of `box`, absolute cells inside the plane's."""
        if self._sums is None:
            raise ValueError("no tile was added to this plane, or it is closed")
        rows, columns = box.shifted(-self.box.x, -self.box.y).slices
        read = self._sums[:, rows, columns].astype(np.float32)
        read *= np.float32(1 / UNIT)
        return read

    def close(self) -> None:
        """Frees memory and file. Closing twice is harmless."""
        self._sums = None
