"""What the numbers of a document mean, and arrays of them.

Pixel arrays are H W C, rows top to bottom, C = 1 grey, 2 grey+alpha, 3 RGB, 4 RGBA; integers use the full
range of their type, floats are nominally 0..1 and may leave it. Alpha is never premultiplied.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

import numpy as np
import numpy.typing as npt

DocumentArray = npt.NDArray[np.uint8] | npt.NDArray[np.uint16] | npt.NDArray[np.float32]
FloatArray = npt.NDArray[np.float32]
MaskArray = npt.NDArray[np.uint8]


class Sample(Enum):
    """Type of one sample."""

    U8 = "u8"
    U16 = "u16"
    F32 = "f32"

    @property
    def dtype(self) -> np.dtype[np.uint8] | np.dtype[np.uint16] | np.dtype[np.float32]:
        return {
            Sample.U8: np.dtype(np.uint8),
            Sample.U16: np.dtype(np.uint16),
            Sample.F32: np.dtype(np.float32),
        }[self]  # type: ignore[return-value]

    @property
    def white(self) -> float:
        """The number that stands for 1.0."""
        return {Sample.U8: 255.0, Sample.U16: 65535.0, Sample.F32: 1.0}[self]


@dataclass(frozen=True)
class PixelFormat:
    """Channels, sample type and transfer of a document."""

    colour_channels: int
    """1 grey or 3 RGB."""
    alpha: bool
    sample: Sample
    linear: bool = False
    """True: numbers are proportional to light, whatever curve the profile states (as editors keep linear
    documents: the profile gives the primaries). False: the profile's own curve, or sRGB's without a profile."""

    @property
    def channels(self) -> int:
        return self.colour_channels + int(self.alpha)

    @property
    def bytes_per_pixel(self) -> int:
        return self.channels * self.sample.dtype.itemsize

    @classmethod
    def of(cls, pixels: DocumentArray, *, linear: bool = False) -> PixelFormat:
        """The format of an H W C array."""
        channels = pixels.shape[2]
        sample = next(s for s in Sample if s.dtype == pixels.dtype)
        return cls(3 if channels >= 3 else 1, channels in (2, 4), sample, linear)
