"""Pictures as plain 8-bit sRGB, for measuring and for sheets; and masks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from safelight.errors import InvalidRequest
from safelight.geometry import Size
from safelight.imaging.files import open_picture, write_picture
from safelight.imaging.pixels import MaskArray, PixelFormat, Sample
from safelight.imaging.profiles import encoding_for

Srgb8 = npt.NDArray[np.uint8]
ROWS = 512  # converted at a time: bounds the float copy


def read_srgb8(path: Path | str) -> Srgb8:
    """H W 3 in sRGB, converted from the file's profile, rounded and clipped; alpha is dropped, grey repeated."""
    picture = open_picture(path)
    pixels = picture.read()
    fmt = picture.format
    encoding = encoding_for(fmt, picture.icc)
    result = np.empty((*pixels.shape[:2], 3), np.uint8)
    for top in range(0, pixels.shape[0], ROWS):
        rows: Any = pixels[top : top + ROWS, :, : fmt.colour_channels]
        encoded = encoding.encode(rows)
        result[top : top + ROWS] = np.clip(np.rint(encoded * 255.0), 0, 255).astype(np.uint8)
    return result


def write_srgb8(path: Path | str, pixels: Srgb8) -> None:
    """H W 3; raises OutputFileError."""
    write_picture(path, np.ascontiguousarray(pixels), PixelFormat(3, False, Sample.U8))


def read_mask(path: Path | str, size: Size) -> MaskArray:
    """H W, 255 = restore. Raises InvalidRequest for a picture of another size or format."""
    picture = open_picture(path)
    if picture.size != size:
        raise InvalidRequest(
            f"the mask is {picture.size.width} x {picture.size.height} pixels and the picture "
            f"{size.width} x {size.height}: paint a mask of the picture's size",
            "MASK_SIZE",
        )
    if picture.format != PixelFormat(1, False, Sample.U8):
        raise InvalidRequest("the mask is not an 8-bit grey picture: save it as one", "MASK_FORMAT")
    return np.ascontiguousarray(picture.read()[:, :, 0], np.uint8)
