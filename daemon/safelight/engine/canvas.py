"""Canvases on which overlapping tiles are added up, in fixed point, so that their order cannot matter.

Sums of integers do not depend on the order of the terms, so a canvas holds the same bits whichever tile
lands first, with one number per sample and no weight plane: tapers are a partition of unity. Large canvases
live in an unlinked temporary file. Plain numpy.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from safelight.errors import TooMuch
from safelight.geometry import Rect, Size
from safelight.imaging.pixels import FloatArray

RESIDUAL_FRACTION_BITS = 14
"""int16 then spans -2..2 in steps of 6.1e-5: a residual of sRGB values lies in -1..1, plus overshoot."""
RESIDUAL_UNIT = float(1 << RESIDUAL_FRACTION_BITS)
RESIDUAL_LIMIT = 1.9375
"""Residuals are clipped here before the taper, so that rounding of many tiles cannot overflow int16."""
RESIDUAL_ROUNDING = 0.5 / RESIDUAL_UNIT
"""Error of one tile's rounding. A sample under n tiles is off by at most n times this: 4 tiles in a regular
plan, 1.2e-4 or a thirtieth of an 8-bit level; 9 where the last tiles are shifted back by more than a step
less an overlap. A tile whose residual is 0 adds exactly 0."""
LATENT_UNIT = float(1 << 32)
"""int64 then spans +-2.1e9 in steps of 2.3e-10: finer than float32 for every latent above 1/500."""
MAPPED_ABOVE_BYTES = 256 * 10**6
"""Memory law: larger arrays are memory-mapped."""


class Residual(Protocol):
    """What the finish reads."""

    shape: tuple[int, ...]
    """H W 3."""

    def read_rows(self, start: int, end: int, columns: slice = slice(None)) -> FloatArray:
        """Rows start..end (not inside) as float32 h w 3: differences of sRGB-encoded values."""

    def close(self) -> None:
        """Nothing may be read afterwards. Closing twice is harmless."""


class ResidualCanvas:
    """Tapered residuals of sRGB-encoded RGB, H W 3, int16 with 14 fractional bits. Owned by one thread."""

    def __init__(
        self,
        size: Size,
        *,
        mapped_above_bytes: int = MAPPED_ABOVE_BYTES,
        used: Iterable[Rect] | None = None,
        sums: npt.NDArray[np.int16] | None = None,
    ) -> None:
        """All zero, or over the `sums` of a finished canvas, which are only read. `used` are the parts that will be
        written to, without overlap: memory that nobody touches is none. Raises TooMuch (OUT_OF_MEMORY) when neither
        memory nor the temporary folder has room."""
        self.shape: tuple[int, ...] = (size.height, size.width, 3)
        if used is not None and sum(box.size.area for box in used) * 6 <= mapped_above_bytes:
            mapped_above_bytes = size.area * 6
        if sums is None:
            sums = allocate(self.shape, np.int16, mapped_above_bytes=mapped_above_bytes)
        self._sums: npt.NDArray[np.int16] | None = sums

    def add(self, box: Rect, tapered: npt.NDArray[np.int16]) -> None:
        """Adds a tile's round(taper * residual * RESIDUAL_UNIT), box.height x box.width x 3, at `box`."""
        self._open[box.slices] += tapered

    def copy_from(self, sums: npt.NDArray[np.int16], boxes: Iterable[Rect]) -> None:
        """Takes over what another canvas of this size has in `boxes`."""
        for box in boxes:
            self._open[box.slices] = sums[box.slices]

    @property
    def sums(self) -> npt.NDArray[np.int16]:
        """The canvas itself, for keeping; it stays readable when this is closed."""
        return self._open

    def read_rows(self, start: int, end: int, columns: slice = slice(None)) -> FloatArray:
        """See Residual; what no tile covers is 0."""
        rows = self._open[start:end, columns].astype(np.float32)
        rows *= np.float32(1 / RESIDUAL_UNIT)
        return rows

    def close(self) -> None:
        """Frees memory and file, unless somebody else holds them too. Closing twice is harmless."""
        self._sums = None

    @property
    def closed(self) -> bool:
        return self._sums is None

    @property
    def _open(self) -> npt.NDArray[np.int16]:
        if self._sums is None:
            raise ValueError("this canvas is closed")
        return self._sums


class LatentCanvas:
    """Tapered latents of any channel count, C H W, summed as int64 with 32 fractional bits: exact to
    1.2e-10 per tile, so a latent under one tile comes back as the float32 it was. Owned by one thread."""

    def __init__(self, size: Size) -> None:
        self.size = size
        self._sums: npt.NDArray[np.int64] | None = None

    def add(self, box: Rect, tapered: npt.NDArray[Any]) -> None:
        """Adds taper * latent, float C h w, at `box` in cells. The first tile sets the channel count."""
        if self._sums is None:
            self._sums = allocate((tapered.shape[0], self.size.height, self.size.width), np.int64)
        rows, columns = box.slices
        self._sums[:, rows, columns] += np.rint(tapered.astype(np.float64) * LATENT_UNIT).astype(np.int64)

    def blended(self) -> FloatArray:
        """The sums as float32 C H W. The canvas is empty afterwards."""
        if self._sums is None:
            raise ValueError("no tile was added to this canvas")
        latent = (self._sums / LATENT_UNIT).astype(np.float32)
        self._sums = None
        return latent


def allocate(
    shape: tuple[int, ...], dtype: type[Any], *, mapped_above_bytes: int = MAPPED_ABOVE_BYTES
) -> npt.NDArray[Any]:
    """Zeros in memory, or above the limit in a temporary file that vanishes with the array.

    The file's room is reserved at once: a full disk is an error here and not a crash on first touch.
    Raises TooMuch (OUT_OF_MEMORY).
    """
    needed = int(np.prod(shape, dtype=np.int64)) * np.dtype(dtype).itemsize
    try:
        if needed <= mapped_above_bytes:
            return np.zeros(shape, dtype)
        with tempfile.TemporaryFile(prefix="safelight-") as file:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(file.fileno(), 0, needed)
            return np.memmap(file, dtype, "r+" if hasattr(os, "posix_fallocate") else "w+", shape=shape)
    except (MemoryError, OSError) as error:
        raise TooMuch(
            f"the result needs {needed / 1e6:.0f} MB in memory or in {tempfile.gettempdir()} and there is no "
            f"room ({error}): free some, or restore a smaller region",
            "OUT_OF_MEMORY",
            details={"needed_bytes": str(needed)},
        ) from None
