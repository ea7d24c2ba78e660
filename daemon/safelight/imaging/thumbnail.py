"""The small picture inside an EXIF block (DCF 2.0: JPEG, 160 pixels), made anew to show what the file shows."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
from PIL import Image

from safelight.geometry import Size
from safelight.imaging.pixels import DocumentArray, PixelFormat
from safelight.imaging.profiles import encoding_for

LONG_SIDE_PX = 160
SAMPLES_PER_PX = 4  # of the picture, looked at for each pixel of the thumbnail and side
QUALITY = 85


def thumbnail_jpeg(pixels: DocumentArray, fmt: PixelFormat, icc: bytes) -> bytes:
    """A JPEG of at most 160 pixels of the upright picture H W C; sRGB, transparency dropped."""
    size = Size(pixels.shape[1], pixels.shape[0])
    target = size.scaled(min(1.0, LONG_SIDE_PX / size.long_side))
    step = max(1, size.long_side // (LONG_SIDE_PX * SAMPLES_PER_PX))
    sampled: Any = np.ascontiguousarray(pixels[::step, ::step, : fmt.colour_channels])
    encoded = np.clip(encoding_for(fmt, icc).encode(sampled) * 255, 0, 255)
    colours = np.broadcast_to(np.rint(encoded), (*encoded.shape[:2], 3)).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(colours).resize(target, Image.Resampling.BOX).save(file, "JPEG", quality=QUALITY)
    return file.getvalue()
