"""Transfer curves of colour profiles: encoded value <-> linear light, both ways, in float32.

Encoded and linear values are nominally 0..1 and may leave that range: a curve goes on as an odd function
through its value at 0 and continues its own formula above 1, so nothing is clipped. Every curve is pointwise,
whatever the shape or the cut of the array.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from safelight.imaging.pixels import FloatArray


class Curve(Protocol):
    """A monotone map of encoded values to linear light. Arrays in and out are float32 of any shape."""

    def to_linear(self, encoded: FloatArray) -> FloatArray: ...

    def from_linear(self, linear: FloatArray) -> FloatArray: ...


@dataclass(frozen=True)
class Linear:
    """Numbers that are proportional to light already."""

    def to_linear(self, encoded: FloatArray) -> FloatArray:
        return encoded

    def from_linear(self, linear: FloatArray) -> FloatArray:
        return linear


@dataclass(frozen=True)
class Parametric:
    """ICC.1:2022 section 10.18 in its most general form: `(a x + b)^g + e` from `d` on, `c x + f` below."""

    g: float
    a: float = 1.0
    b: float = 0.0
    c: float = 0.0
    d: float = 0.0
    e: float = 0.0
    f: float = 0.0

    @property
    def at_zero(self) -> float:
        return self.f if self.d > 0 else max(self.b, 0.0) ** self.g + self.e

    def to_linear(self, encoded: FloatArray) -> FloatArray:
        x = np.abs(encoded)
        y = np.power(np.maximum(_affine(x, self.a, self.b), np.float32(0)), np.float32(self.g))
        if self.e:
            y += np.float32(self.e)
        if self.d > 0:
            y = np.where(x < np.float32(self.d), _affine(x, self.c, self.f), y)
        if not self.at_zero:
            return np.copysign(y, encoded)
        return np.where(encoded < 0, np.float32(2 * self.at_zero) - y, y)

    def from_linear(self, linear: FloatArray) -> FloatArray:
        offset = linear - np.float32(self.at_zero) if self.at_zero else linear
        y = np.abs(offset)
        if self.at_zero:
            y += np.float32(self.at_zero)
        powered = np.maximum(y - np.float32(self.e), np.float32(0)) if self.e else y
        x = _affine(np.power(powered, np.float32(1 / self.g)), 1 / self.a, -self.b / self.a)
        if self.d > 0:
            x = np.where(y < np.float32(self._at_break), self._below_break(y), x)
        return np.copysign(x, offset)

    @property
    def _at_break(self) -> float:
        return float(max(self.a * self.d + self.b, 0.0) ** self.g + self.e)

    def _below_break(self, y: FloatArray) -> FloatArray:
        if self.c <= 0:  # a flat foot has no inverse: its upper end stands for all of it
            return np.full_like(y, self.d)
        return _affine(y, 1 / self.c, -self.f / self.c)


def _affine(x: FloatArray, factor: float, offset: float) -> FloatArray:
    if factor == 1.0 and offset == 0.0:
        return x
    result = x * np.float32(factor)
    if offset:
        result += np.float32(offset)
    return result


SRGB = Parametric(2.4, a=1 / 1.055, b=0.055 / 1.055, c=1 / 12.92, d=0.04045)  # IEC 61966-2-1


class Table:
    """Samples at equal steps over 0..1, linear between them and straight on beyond the ends.

    The slope beyond an end is that of the outermost piece that rises, so that a profile with a flat foot or
    shoulder still has an inverse. Falling pieces (noise of a measurement) count as flat.
    """

    def __init__(self, samples: npt.NDArray[np.float64]) -> None:
        self._y = np.maximum.accumulate(samples)
        self._x = np.linspace(0.0, 1.0, len(samples))
        rises = np.flatnonzero(np.diff(self._y) > 0)
        if len(rises) == 0:
            raise ValueError("the curve never rises")
        keep = np.concatenate([[rises[0]], rises + 1])  # one encoded value for each linear value
        self._rising_y, self._rising_x = self._y[keep], self._x[keep]
        step = self._x[1]
        self._first_slope = float(np.diff(self._y)[rises[0]] / step)
        self._last_slope = float(np.diff(self._y)[rises[-1]] / step)

    def to_linear(self, encoded: FloatArray) -> FloatArray:
        inside: FloatArray = np.interp(encoded, self._x, self._y).astype(np.float32)
        below = np.minimum(encoded, np.float32(0)) * np.float32(self._first_slope)
        above = np.maximum(encoded - np.float32(1), np.float32(0)) * np.float32(self._last_slope)
        inside += below + above
        return inside

    def from_linear(self, linear: FloatArray) -> FloatArray:
        low, high = np.float32(self._rising_y[0]), np.float32(self._rising_y[-1])
        inside: FloatArray = np.interp(linear, self._rising_y, self._rising_x).astype(np.float32)
        below = np.minimum(linear - low, np.float32(0)) / np.float32(self._first_slope)
        above = np.maximum(linear - high, np.float32(0)) / np.float32(self._last_slope)
        inside += below + above
        return inside


_PROBES = np.linspace(0.0, 1.0, 257, dtype=np.float32)
_SRGB_TOLERANCE = 2e-3  # half an 8-bit step: sRGB profiles in tables and short forms differ by less


def usable(curve: Curve) -> bool:
    """True for a curve that rises from about 0 to about 1 without falling; others are damage."""
    with np.errstate(all="ignore"):
        y = curve.to_linear(_PROBES)
    rising = bool(np.all(np.isfinite(y)) and np.all(np.diff(y) >= -1e-3))
    return rising and abs(float(y[0])) < 0.25 and 0.5 < float(y[-1]) < 2.0 and math.isfinite(float(y.sum()))


def resembles_srgb(curve: Curve) -> bool:
    """True where treating `curve` as sRGB's is off by less than half an 8-bit step."""
    return bool(np.max(np.abs(SRGB.from_linear(curve.to_linear(_PROBES)) - _PROBES)) < _SRGB_TOLERANCE)
