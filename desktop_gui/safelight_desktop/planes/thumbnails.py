"""Small pictures of files, colour managed. Blocks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage

from safelight.errors import InvalidRequest
from safelight.geometry import Rect
from safelight.imaging.files import PictureFile, open_picture
from safelight_desktop.planes.colours import Colours


def thumbnail(path: Path, long_side_px: int, monitor_icc: bytes = b"") -> QImage:
    """At most so large. Raises InputFileError."""
    picture = open_picture(path)
    image = _colours(picture, monitor_icc).image(picture.read_small(long_side_px))
    if max(image.width(), image.height()) <= long_side_px:
        return image
    return image.scaled(
        long_side_px,
        long_side_px,
        Qt.AspectRatioMode.KeepAspectRatio,
        Qt.TransformationMode.SmoothTransformation,
    )


def part(picture: PictureFile, rect: Rect, monitor_icc: bytes = b"") -> QImage:
    """The pixels of `rect`, which lies within the picture. Raises InputFileError."""
    return _colours(picture, monitor_icc).image(picture.read_rect(rect))


def busiest_place(before: QImage, after: QImage) -> tuple[float, float]:
    """Where two pictures of the same thing differ most, as fractions of width and height; the middle where they are
    equal. Sizes may differ."""
    a, b = _grey(before), _grey(after)
    difference = np.abs(a - b)
    side = max(1, _SIDE // 8)
    total = np.pad(difference.cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    blocks = total[side:, side:] - total[:-side, side:] - total[side:, :-side] + total[:-side, :-side]
    if blocks.max() <= 0:
        return 0.5, 0.5
    y, x = np.unravel_index(int(blocks.argmax()), blocks.shape)
    return (float(x) + side / 2) / _SIDE, (float(y) + side / 2) / _SIDE


_SIDE = 64


def _grey(image: QImage) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    small = image.scaled(
        _SIDE, _SIDE, Qt.AspectRatioMode.IgnoreAspectRatio, Qt.TransformationMode.SmoothTransformation
    ).convertToFormat(QImage.Format.Format_Grayscale8)
    rows = np.frombuffer(small.constBits(), np.uint8).reshape(_SIDE, small.bytesPerLine())
    return rows[:, :_SIDE].astype(np.float64)


def _colours(picture: PictureFile, monitor_icc: bytes) -> Colours:
    try:
        return Colours(picture.format, picture.icc, monitor_icc)
    except InvalidRequest:
        return Colours(picture.format, b"")
