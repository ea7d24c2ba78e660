"""The region with its context as pipelines may look at it before it is enlarged. Free of torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property

import numpy as np

from safelight.engine.prepare import EncodedSource
from safelight.engine.request import RestoreRequest
from safelight.geometry import Rect, Size
from safelight.imaging.pixels import FloatArray
from safelight.settings import RestoreSettings
from safelight.spec import SettingValue


class SeenRegion:
    """E of document pixels, clipped, three channels; read in rows because it may be larger than memory."""

    def __init__(self, request: RestoreRequest, covered: Rect) -> None:
        """`covered` in document pixels; beyond what was sent it is reflected."""
        self._request, self._covered = request, covered

    @property
    def size(self) -> Size:
        return self._covered.size

    @cached_property
    def _source(self) -> EncodedSource:
        return EncodedSource(self._request, self._covered)

    def rows(self, start: int, end: int) -> FloatArray:
        rows = np.clip(self._source.rows(start, end), 0, 1)
        return np.ascontiguousarray(np.broadcast_to(rows, (*rows.shape[:2], 3)))


class PlaneSource:
    """An array H W 3, 0..1, read in rows like a region."""

    def __init__(self, plane: FloatArray) -> None:
        self.size = Size(plane.shape[1], plane.shape[0])
        self._plane = plane

    def rows(self, start: int, end: int) -> FloatArray:
        return self._plane[start:end]


def with_own(settings: RestoreSettings, found: Mapping[str, SettingValue]) -> RestoreSettings:
    """With own settings that the pipeline found out."""
    return replace(settings, own={**settings.own, **found})
