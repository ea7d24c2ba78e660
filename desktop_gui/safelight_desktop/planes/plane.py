"""Pixels of a document's size that can be read anywhere: the picture itself, with restored parts, enlarged.

A plane gives samples in the document's own format; `colours` turns them into what a screen shows. Planes are
immutable, and `read` may be called from any thread.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np

from safelight.geometry import Rect, Size
from safelight.imaging.pixels import DocumentArray, PixelFormat


class Plane(ABC):
    """Samples H W C of `format`, whose numbers the profile `icc` explains (b"": sRGB, or linear light)."""

    size: Size
    format: PixelFormat
    icc: bytes

    @abstractmethod
    def read(self, rect: Rect) -> DocumentArray:
        """The samples of `rect`, which lies within the plane. The caller does not write to them."""

    @property
    def rect(self) -> Rect:
        return Rect.of_size(self.size)


class ArrayPlane(Plane):
    """A whole picture in memory."""

    def __init__(self, pixels: DocumentArray, format: PixelFormat, icc: bytes = b"") -> None:
        self.pixels = pixels
        self.size = Size(pixels.shape[1], pixels.shape[0])
        self.format = format
        self.icc = icc

    def read(self, rect: Rect) -> DocumentArray:
        return self.pixels[rect.slices]


@dataclass(frozen=True)
class Patch:
    """Restored pixels and their place in a plane."""

    rect: Rect
    pixels: DocumentArray


class PatchedPlane(Plane):
    """A plane with patches laid over it, the last one on top."""

    def __init__(self, below: Plane, patches: tuple[Patch, ...]) -> None:
        self.below = below
        self.patches = patches
        self.size, self.format, self.icc = below.size, below.format, below.icc

    def read(self, rect: Rect) -> DocumentArray:
        for patch in reversed(self.patches):
            if patch.rect.contains(rect):
                return patch.pixels[rect.shifted(-patch.rect.x, -patch.rect.y).slices]
        touching = [p for p in self.patches if not p.rect.intersect(rect).empty]
        pixels: Any = self.below.read(rect)
        if not touching:
            return pixels  # type: ignore[no-any-return]
        pixels = np.array(pixels)
        for patch in touching:
            common = patch.rect.intersect(rect)
            inside = common.shifted(-patch.rect.x, -patch.rect.y)
            pixels[common.shifted(-rect.x, -rect.y).slices] = patch.pixels[inside.slices]
        return pixels  # type: ignore[no-any-return]
