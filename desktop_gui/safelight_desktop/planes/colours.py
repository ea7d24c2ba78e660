"""Document samples as a screen shows them: through the picture's profile to the monitor's, 8 bit."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import numpy.typing as npt
from PySide6.QtGui import QImage

from safelight.errors import InvalidRequest
from safelight.imaging.pixels import DocumentArray, FloatArray, PixelFormat, Sample
from safelight.imaging.profiles import Encoding, encoding_for

Bytes = npt.NDArray[np.uint8]
_MONITOR = PixelFormat(3, False, Sample.F32)
_BLUE, _GREEN, _RED, _ALPHA = (0, 1, 2, 3) if sys.byteorder == "little" else (3, 2, 1, 0)


class Colours:
    """From one document format to one monitor. Immutable; any thread may use it."""

    def __init__(self, format: PixelFormat, icc: bytes, monitor_icc: bytes = b"") -> None:
        """A profile that cannot be used is read as sRGB, and `note` says so."""
        self.format = format
        self.note = ""
        try:
            self._encoding = encoding_for(format, icc)
        except InvalidRequest as error:
            self._encoding = encoding_for(format, b"")
            self.note = error.message
        self._table: Bytes | None = None
        """For 16-bit numbers that need no more than rounding."""
        if self._encoding.identity and not monitor_icc and format.sample is Sample.U16:
            self._table = np.rint(np.arange(65536) * (255 / 65535)).astype(np.uint8)
        self._monitor: Encoding | None = encoding_for(_MONITOR, monitor_icc) if monitor_icc else None

    def encoded(self, samples: DocumentArray) -> FloatArray:
        """H W C to sRGB-encoded H W 1 or 3, unclipped, alpha left out."""
        return self._encoding.encode(samples[..., : self.format.colour_channels])

    def shown(self, encoded: FloatArray) -> Bytes:
        """sRGB-encoded H W 1 or 3 to the monitor's 8-bit numbers."""
        if self._monitor is not None:
            encoded = self._monitor.decode(np.broadcast_to(encoded, (*encoded.shape[:2], 3)))
        numbers = encoded * np.float32(255)
        np.rint(numbers, out=numbers)
        np.nan_to_num(numbers, copy=False)
        np.clip(numbers, 0, 255, out=numbers)
        return numbers.astype(np.uint8)

    def image(self, samples: DocumentArray) -> QImage:
        """H W C document samples as a picture ready to be drawn."""
        colours: Any = samples[..., : self.format.colour_channels]
        if self._table is not None:
            colours = self._table.take(colours)
        elif self._encoding.identity and self._monitor is None and samples.dtype == np.uint8:
            pass
        else:
            colours = self.shown(self.encoded(samples))
        alpha = None
        if self.format.alpha:
            share = np.clip(samples[..., -1].astype(np.float32) / np.float32(self.format.sample.white), 0, 1)
            alpha = np.rint(share * 255).astype(np.uint8)
        return image_of(colours, alpha)


def image_of(colours: Bytes, alpha: Bytes | None = None) -> QImage:
    """A QImage of its own memory from H W 1 or 3 monitor numbers and alpha H W."""
    height, width = colours.shape[:2]
    kind = QImage.Format.Format_RGB32 if alpha is None else QImage.Format.Format_ARGB32_Premultiplied
    image = QImage(width, height, kind)
    pixels = np.frombuffer(image.bits(), np.uint8).reshape(height, image.bytesPerLine() // 4, 4)[:, :width]
    red, green, blue = (colours[..., min(c, colours.shape[2] - 1)] for c in range(3))
    if alpha is None:
        pixels[..., _RED], pixels[..., _GREEN], pixels[..., _BLUE] = red, green, blue
        pixels[..., _ALPHA] = 255
    else:
        for place, channel in ((_RED, red), (_GREEN, green), (_BLUE, blue)):
            pixels[..., place] = (channel.astype(np.uint16) * alpha + 127) // 255
        pixels[..., _ALPHA] = alpha
    return image
