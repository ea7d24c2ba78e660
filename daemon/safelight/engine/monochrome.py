"""The toned monochrome guard: a sepia or otherwise toned photograph keeps its toning.

A picture is toned monochrome when its colour is a function of its lightness: around the curves a(L) and
b(L) in CIE Lab the deviations of a and b are at most `MOST_DEVIATION`. Then only the residual's lightness is
used, and each sample moves along the toning curve, measured as red, green and blue over luma: adding the same
amount to all channels would leave the curve where the toning is deeper in some tones than in others.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from safelight.engine.compositor import luma_of
from safelight.imaging.curves import SRGB
from safelight.imaging.pixels import FloatArray

MOST_DEVIATION = 2.5  # of a and of b in Lab; region law

_SAMPLES = 250_000  # a regular grid of at most about so many; deviations are then known to 0.5 %
_KNOTS = 17  # of piecewise linear curves over L or luma: tonings are smooth
_STIFFNESS = 1e-4  # against an evenly occupied knot's weight of 1
_NEUTRAL = 0.5 / 255  # curves nearer to grey than half an 8-bit level are grey
_D65 = np.array([0.95047, 1.0, 1.08883])
_TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)  # IEC 61966-2-1


@dataclass(frozen=True)
class Toning:
    """How far encoded red, green and blue of a toned monochrome lie above its luma, by luma."""

    luma: npt.NDArray[np.float64]
    """Knots, rising."""
    excess: tuple[npt.NDArray[np.float64], ...]
    """Channel less luma at the knots, red, green, blue; () for plain grey."""

    def spread(self, residual: FloatArray, encoded: FloatArray) -> FloatArray:
        """Lightness residual H W 1 to three channels, along the curve from where `encoded` H W 3 is.

        0 stays 0. Beyond the measured tones the curve goes on with equal steps in all channels.
        """
        result = np.repeat(residual, 3, axis=2)
        if not self.excess:
            return result
        before = luma_of(encoded)[..., 0]
        after = before + residual[..., 0]
        for c, excess in enumerate(self.excess):
            change = np.interp(after, self.luma, excess) - np.interp(before, self.luma, excess)
            result[..., c] += change.astype(np.float32)
        return result


GREY = Toning(np.array([0.0, 1.0]), ())


def toning_of(network_input: FloatArray) -> Toning | None:
    """The toning of a monochrome picture, None for one in colour. H W 3, sRGB-encoded 0..1."""
    colours = _grid(network_input)
    return None if deviation(colours) > MOST_DEVIATION else _measured(colours)


def guarded(toning: Toning | None, setting: str) -> Toning | None:
    """The toning to keep, or None where the guard does not act.

    `setting` is `auto`, `on` or `off`; `on` treats a picture that is not monochrome as grey: the same residual
    in all encoded channels.
    """
    if setting == "off":
        return None
    return GREY if toning is None and setting == "on" else toning


def deviation(colours: FloatArray) -> float:
    """The larger of the deviations of a and b around their curves over L; `colours` ... 3, 0..1."""
    lightness, a, b = np.moveaxis(lab(colours).reshape(-1, 3), 1, 0)
    knots = np.linspace(0, 100, _KNOTS)
    spread = [chroma - np.interp(lightness, knots, _curve(lightness, chroma, knots)) for chroma in (a, b)]
    return float(max(np.sqrt(np.mean(s**2)) for s in spread))


def lab(colours: FloatArray) -> npt.NDArray[np.float64]:
    """sRGB-encoded ... 3 to CIE Lab, D65 white, as CIE 15:2004 defines it."""
    linear = SRGB.to_linear(np.ascontiguousarray(colours, dtype=np.float32)).astype(np.float64)
    ratio = linear @ (_TO_XYZ / _D65[:, None]).T
    cube = np.where(ratio > (6 / 29) ** 3, np.cbrt(ratio), ratio * (29 / 6) ** 2 / 3 + 4 / 29)
    x, y, z = np.moveaxis(cube, -1, 0)
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)


def _grid(picture: FloatArray) -> FloatArray:
    step = max(1, int(np.ceil(np.sqrt(picture.shape[0] * picture.shape[1] / _SAMPLES))))
    return np.asarray(picture[::step, ::step], dtype=np.float32)


def _measured(colours: FloatArray) -> Toning:
    luma = luma_of(colours)
    low, high = float(luma.min()), float(luma.max())
    knots = np.linspace(low, max(high, low + 1e-3), _KNOTS)
    excess = (colours - luma).reshape(-1, 3).astype(np.float64)
    curves = tuple(_curve(luma.ravel().astype(np.float64), excess[:, c], knots) for c in range(3))
    if all(np.abs(curve).max() < _NEUTRAL for curve in curves):
        return GREY
    return Toning(knots, curves)


def _curve(
    position: npt.NDArray[np.float64], value: npt.NDArray[np.float64], knots: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Values at `knots` of the piecewise linear curve nearest to the samples, by least squares.

    A little stiffness (second differences) carries it over tones that hardly occur, and a trace of pull to 0
    settles what nothing else does.
    """
    count = len(knots)
    place = np.clip((position - knots[0]) / (knots[1] - knots[0]), 0, count - 1)
    lower = np.minimum(place.astype(np.int64), count - 2)
    share = place - lower

    def summed(weights: npt.NDArray[np.float64], at: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        return np.bincount(at, weights, minlength=count).astype(np.float64)

    right = summed((1 - share) * value, lower) + summed(share * value, lower + 1)
    normal = np.diag(summed((1 - share) ** 2, lower) + summed(share**2, lower + 1))
    beside = summed(share * (1 - share), lower)[:-1]
    normal += np.diag(beside, 1) + np.diag(beside, -1)
    bend = np.diff(np.eye(count), n=2, axis=0)
    normal += _STIFFNESS * len(position) / count * bend.T @ bend + 1e-9 * len(position) * np.eye(count)
    return np.asarray(np.linalg.solve(normal, right))
