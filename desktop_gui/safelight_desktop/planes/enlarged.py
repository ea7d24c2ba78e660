"""A plane drawn in the coordinates of a larger one: the picture before it was enlarged, another file."""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np
from PIL import Image

from safelight.geometry import Rect, Size
from safelight.imaging.pixels import DocumentArray, FloatArray, PixelFormat, Sample
from safelight_desktop.planes.plane import Plane

Resampling = Literal["nearest", "bicubic", "lanczos"]
RESAMPLINGS: tuple[Resampling, ...] = ("nearest", "bicubic", "lanczos")

_FILTERS = {
    "nearest": Image.Resampling.NEAREST,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}
_REACH_PX = {"nearest": 1, "bicubic": 3, "lanczos": 4}  # of the source, on each side


class FittedPlane(Plane):
    """`source` brought to `size` by position as a share of the whole, for showing only."""

    def __init__(self, source: Plane, size: Size, resampling: Resampling = "bicubic") -> None:
        self.source = source
        self.size = size
        self.format, self.icc = source.format, source.icc
        self._resampling = resampling

    def read(self, rect: Rect) -> DocumentArray:
        """Resampled from the source's pixels around `rect`, the same whichever rectangle is asked for but for
        rounding."""
        across, down = self.source.size.width / self.size.width, self.source.size.height / self.size.height
        left, top = rect.x * across, rect.y * down
        right, bottom = rect.right * across, rect.bottom * down
        reach_x, reach_y = (
            math.ceil(_REACH_PX[self._resampling] * max(1.0, scale)) for scale in (across, down)
        )
        needed = Rect.from_edges(
            math.floor(left) - reach_x, math.floor(top) - reach_y,
            math.ceil(right) + reach_x, math.ceil(bottom) + reach_y,
        ).intersect(self.source.rect)  # fmt: skip
        box = (left - needed.x, top - needed.y, right - needed.x, bottom - needed.y)
        planes = np.asarray(self.source.read(needed), np.float32)
        size, filter = (rect.width, rect.height), _FILTERS[self._resampling]
        result = np.empty((rect.height, rect.width, planes.shape[2]), np.float32)
        for c in range(planes.shape[2]):
            image = Image.fromarray(np.ascontiguousarray(planes[..., c]))
            result[..., c] = np.asarray(image.resize(size, filter, box=box))
        return _to_samples(result, self.format)


def _to_samples(numbers: FloatArray, fmt: PixelFormat) -> DocumentArray:
    if fmt.sample is Sample.F32:
        return numbers
    samples: Any = np.clip(np.rint(numbers), 0, fmt.sample.white).astype(fmt.sample.dtype)
    return samples  # type: ignore[no-any-return]
