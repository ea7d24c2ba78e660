"""The picture that is open: its samples, what its file said, and how to get there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtGui import QColorSpace, QImage

from safelight.errors import InputFileError
from safelight.geometry import Rect, Size
from safelight.imaging.files import Metadata, open_picture
from safelight.imaging.pixels import DocumentArray, PixelFormat, Sample
from safelight_desktop.planes.plane import ArrayPlane
from safelight_desktop.planes.pyramid import Pyramid


@dataclass(frozen=True)
class Document:
    """Immutable: restored parts are laid over it elsewhere."""

    name: str
    """For people: the file's name, or what it was pasted from."""
    path: Path | None
    """None: it has no file yet."""
    pixels: DocumentArray
    format: PixelFormat
    icc: bytes
    metadata: Metadata
    notes: tuple[str, ...]
    pyramid: Pyramid
    mark: str = ""
    """Of the file when it was read: another mark, another content. Empty without a file."""

    @property
    def size(self) -> Size:
        return Size(self.pixels.shape[1], self.pixels.shape[0])

    @property
    def rect(self) -> Rect:
        return Rect.of_size(self.size)


def load_document(path: Path) -> Document:
    """Reads a whole picture; blocks. Raises InputFileError."""
    mark = _mark(path)
    picture = open_picture(path)
    pixels = picture.read()
    document = document_of_pixels(
        picture.path.name, picture.path, pixels, picture.format, picture.icc, picture.metadata, picture.notes
    )
    return replace(document, mark=mark)


def _mark(path: Path) -> str:
    try:
        told = path.stat()
    except OSError:
        return ""  # open_picture says what is wrong
    return f"{told.st_size} {told.st_mtime_ns}"


def document_of_image(image: QImage, name: str) -> Document:
    """A pasted or dropped picture, as deep as it came; blocks. Raises InputFileError for an empty one."""
    if image.isNull():
        raise InputFileError(f"{name} holds no picture: copy one first", "NOT_A_PICTURE")
    deep = image.depth() > 32 or image.format() in _DEEP
    alpha = image.hasAlphaChannel()
    if deep:
        image = image.convertToFormat(QImage.Format.Format_RGBA64)
    else:
        image = image.convertToFormat(QImage.Format.Format_RGBA8888)
    dtype: Any = np.uint16 if deep else np.uint8
    words = image.bytesPerLine() // np.dtype(dtype).itemsize
    rows = np.frombuffer(image.constBits(), dtype).reshape(image.height(), words)
    pixels = rows[:, : image.width() * 4].reshape(image.height(), image.width(), 4)
    pixels = np.array(pixels if alpha else pixels[..., :3], order="C")
    fmt = PixelFormat(3, alpha, Sample.U16 if deep else Sample.U8)
    return document_of_pixels(name, None, pixels, fmt, _profile(image.colorSpace()), Metadata(), ())


_DEEP = (
    QImage.Format.Format_RGB30, QImage.Format.Format_BGR30, QImage.Format.Format_A2RGB30_Premultiplied,
    QImage.Format.Format_A2BGR30_Premultiplied, QImage.Format.Format_Grayscale16,
)  # fmt: skip


def _profile(space: QColorSpace) -> bytes:
    plain = QColorSpace(QColorSpace.NamedColorSpace.SRgb)
    return b"" if not space.isValid() or space == plain else bytes(space.iccProfile().data())


def document_of_pixels(
    name: str,
    path: Path | None,
    pixels: DocumentArray,
    fmt: PixelFormat,
    icc: bytes,
    metadata: Metadata,
    notes: tuple[str, ...],
) -> Document:
    """Of samples that are in memory."""
    return Document(name, path, pixels, fmt, icc, metadata, notes, Pyramid(ArrayPlane(pixels, fmt, icc)))
