"""E and D of the residual law: document numbers to float sRGB encoding and back, through the ICC profile.

Document arrays hold the colour channels only, H W c with c = 1 or 3. "Encoded" is float32, sRGB's curve and
primaries, nominally 0..1 and never clipped: the curve is odd below 0 and goes on as a power above 1.
Everything is pointwise: a picture gives the same bits however it is cut into bands of rows.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pyvips

from safelight.imaging.curves import SRGB, Curve, Linear, resembles_srgb
from safelight.imaging.icc import Matrix, Profile, read_profile, unsupported
from safelight.imaging.pixels import DocumentArray, FloatArray, PixelFormat, Sample

# Linear sRGB to XYZ, adapted to the profile connection space's D50 (ICC's own sRGB profile, Bradford).
_SRGB_TO_XYZ = np.array(
    [[0.4360747, 0.3850649, 0.1430804], [0.2225045, 0.7168786, 0.0606169], [0.0139322, 0.0971045, 0.7141733]]
)
_WHITE_ROUNDING = 0.01  # primaries whose sum misses white by less are rounded, not deliberate
_SRGB_MATRIX_TOLERANCE = 2e-3  # sRGB profiles of different makers


class Encoding(ABC):
    """How one document's numbers relate to light. Immutable; any thread may use it."""

    white: float
    """The document number of 1.0."""
    identity = False
    """True: the document is sRGB-encoded, E is a division and D a multiplication."""

    @abstractmethod
    def encode(self, document: DocumentArray) -> FloatArray:
        """E: document numbers H W c to sRGB-encoded float32 H W c, unclipped. Grey stays one channel."""

    @abstractmethod
    def decode(self, encoded: FloatArray) -> FloatArray:
        """D: the way back, in the document's own number range (0..255, 0..65535, 0..1), neither rounded
        nor clipped."""

    @abstractmethod
    def to_linear(self, numbers: FloatArray) -> FloatArray:
        """Document numbers as float to linear light in the document's own primaries, white = 1."""

    @abstractmethod
    def from_linear(self, linear: FloatArray) -> FloatArray:
        """The way back of `to_linear`; neither rounded nor clipped."""


def encoding_for(fmt: PixelFormat, icc: bytes) -> Encoding:
    """The encoding of documents of this format. `icc` b"" means none: sRGB, with its curve or linear.

    A grey document with an RGB profile is read along the profile's neutral axis. Raises InvalidRequest
    (PROFILE_NOT_SUPPORTED) for damaged profiles, for other colour spaces, and for a grey profile on RGB.
    """
    return _encoding(fmt.colour_channels, fmt.sample, fmt.linear, icc)


@lru_cache(maxsize=8)  # bands of one picture ask again and again
def _encoding(channels: int, sample: Sample, linear: bool, icc: bytes) -> Encoding:
    profile = read_profile(icc) if icc else Profile(channels, (SRGB,) * channels, None)
    if profile.channels == 1 and channels == 3:
        raise unsupported("the colour profile is for grey pictures but this one has colours")
    if not profile.curves:
        if channels == 1 or linear:
            raise unsupported("the table-based colour profile does not fit a grey or linear picture")
        return _Tables(sample, icc)
    curves = profile.curves if channels == profile.channels else profile.curves[1:2]
    curves = (Linear(),) * channels if linear else curves
    to_srgb = _to_srgb(profile.to_xyz) if channels == 3 and profile.to_xyz is not None else None
    if to_srgb is None and all(resembles_srgb(curve) for curve in curves):
        return _Srgb(sample)
    return _Curves(sample, curves, to_srgb)


def _to_srgb(to_xyz: Matrix) -> Matrix | None:
    """Linear document RGB to linear sRGB; None where they are the same but for rounding."""
    matrix: Matrix = np.linalg.inv(_SRGB_TO_XYZ) @ to_xyz
    sums = matrix.sum(axis=1, keepdims=True)
    if np.all(np.abs(sums - 1) < _WHITE_ROUNDING):
        matrix = matrix / sums  # so that neutral stays exactly neutral
    return None if np.allclose(matrix, np.eye(3), atol=_SRGB_MATRIX_TOLERANCE) else matrix


class _Srgb(Encoding):
    identity = True

    def __init__(self, sample: Sample) -> None:
        self.white = sample.white

    def encode(self, document: DocumentArray) -> FloatArray:
        return np.divide(document, np.float32(self.white), dtype=np.float32)

    def decode(self, encoded: FloatArray) -> FloatArray:
        return encoded * np.float32(self.white)

    def to_linear(self, numbers: FloatArray) -> FloatArray:
        return _quietly(SRGB.to_linear, numbers / np.float32(self.white))

    def from_linear(self, linear: FloatArray) -> FloatArray:
        return _quietly(SRGB.from_linear, linear) * np.float32(self.white)


class _Curves(Encoding):
    """One curve per channel, then a matrix (None: the primaries are sRGB's, or the picture is grey)."""

    def __init__(self, sample: Sample, curves: tuple[Curve, ...], to_srgb: Matrix | None) -> None:
        self.white = sample.white
        self._curves = curves if len(set(map(id, curves))) > 1 else curves[:1]
        self._to_srgb = to_srgb
        self._from_srgb: Matrix | None = None if to_srgb is None else np.linalg.inv(to_srgb)
        self._tables: tuple[FloatArray, ...] = ()
        if sample is not Sample.F32:
            steps = np.arange(int(self.white) + 1, dtype=np.float32) / np.float32(self.white)
            self._tables = tuple(self._whole_curve(curve, steps) for curve in self._curves)

    def _whole_curve(self, curve: Curve, steps: FloatArray) -> FloatArray:
        """As far as single channels go: to linear light, or all the way to sRGB without a matrix."""
        linear = curve.to_linear(steps)
        return linear if self._to_srgb is not None else SRGB.from_linear(linear)

    def encode(self, document: DocumentArray) -> FloatArray:
        if self._tables:
            values = _per_channel([table.take for table in self._tables], document)
            if self._to_srgb is None:
                return values
        else:
            values = self.to_linear(np.asarray(document, dtype=np.float32))
        return _quietly(SRGB.from_linear, _mixed(self._to_srgb, values))

    def decode(self, encoded: FloatArray) -> FloatArray:
        return self.from_linear(_mixed(self._from_srgb, _quietly(SRGB.to_linear, encoded)))

    def to_linear(self, numbers: FloatArray) -> FloatArray:
        with np.errstate(over="ignore", invalid="ignore"):
            return _per_channel([c.to_linear for c in self._curves], numbers / np.float32(self.white))

    def from_linear(self, linear: FloatArray) -> FloatArray:
        with np.errstate(over="ignore", invalid="ignore"):
            values = _per_channel([c.from_linear for c in self._curves], linear)
        return values * np.float32(self.white)


class _Tables(Encoding):
    """A profile of tables (LUT), through libvips at 16 bit: document numbers are clipped to their range and
    rounded to 16 bit there. Linear light, used for blending only, is approximated by sRGB's curve."""

    def __init__(self, sample: Sample, icc: bytes) -> None:
        self.white = sample.white
        self._icc = icc
        try:
            self.decode(self.encode(np.zeros((1, 1, 3), dtype=sample.dtype)))
        except pyvips.Error:
            raise unsupported("the table-based colour profile cannot be used") from None

    def encode(self, document: DocumentArray) -> FloatArray:
        unit = np.clip(np.divide(document, np.float32(self.white), dtype=np.float32), 0, 1)
        image = self._image((unit * np.float32(65535) + np.float32(0.5)).astype(np.uint16), "rgb16")
        lab = image.icc_import(embedded=True, pcs="lab", intent="relative").numpy()
        return _quietly(SRGB.from_linear, _mixed(np.linalg.inv(_SRGB_TO_XYZ), _xyz_from_lab(lab)))

    def decode(self, encoded: FloatArray) -> FloatArray:
        xyz = _mixed(_SRGB_TO_XYZ, _quietly(SRGB.to_linear, encoded))
        image = self._image(_lab_from_xyz(xyz), "lab")
        numbers: FloatArray = (
            image.icc_export(depth=16, pcs="lab", intent="relative").numpy().astype(np.float32)
        )
        return numbers * np.float32(self.white / 65535)

    def _image(self, pixels: npt.NDArray[np.uint16] | FloatArray, interpretation: str) -> pyvips.Image:
        height, width, channels = pixels.shape
        kind = "ushort" if pixels.dtype == np.uint16 else "float"
        memory = np.ascontiguousarray(pixels)
        image = pyvips.Image.new_from_memory(memory.data, width, height, channels, kind)
        image = image.copy(interpretation=interpretation)
        image.set_type(pyvips.GValue.blob_type, "icc-profile-data", self._icc)
        return image

    def to_linear(self, numbers: FloatArray) -> FloatArray:
        return _quietly(SRGB.to_linear, numbers / np.float32(self.white))

    def from_linear(self, linear: FloatArray) -> FloatArray:
        return _quietly(SRGB.from_linear, linear) * np.float32(self.white)


_D50 = _SRGB_TO_XYZ.sum(axis=1).astype(np.float32)
_LAB_FOOT = 6 / 29  # CIE 15: below it the cube root goes on as a straight line


def _xyz_from_lab(lab: FloatArray) -> FloatArray:
    fy = (lab[..., 0] + 16) / 116
    f = np.stack([fy + lab[..., 1] / 500, fy, fy - lab[..., 2] / 200], axis=-1)
    unit = np.where(f > _LAB_FOOT, f * f * f, 3 * _LAB_FOOT**2 * (f - 4 / 29))
    xyz: FloatArray = (unit * _D50).astype(np.float32)
    return xyz


def _lab_from_xyz(xyz: FloatArray) -> FloatArray:
    unit = xyz / _D50
    f = np.where(unit > _LAB_FOOT**3, np.cbrt(unit), unit / (3 * _LAB_FOOT**2) + 4 / 29)
    fx, fy, fz = (f[..., c] for c in range(3))
    return np.stack([116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)], axis=-1).astype(np.float32)


def _quietly(curve: Callable[[FloatArray], FloatArray], values: FloatArray) -> FloatArray:
    """Applies a curve to one packed array (the same instructions for every sample, so the same bits); numbers
    too large for float32 become infinite without a warning."""
    with np.errstate(over="ignore", invalid="ignore"):
        return curve(np.ascontiguousarray(values))


def _per_channel(
    curves: Sequence[Callable[[npt.NDArray[Any]], FloatArray]], values: npt.NDArray[Any]
) -> FloatArray:
    if len(curves) == 1:
        return curves[0](np.ascontiguousarray(values))
    planes = [curve(np.ascontiguousarray(values[..., c])) for c, curve in enumerate(curves)]
    return np.stack(planes, axis=-1)


def _mixed(matrix: Matrix | None, values: FloatArray) -> FloatArray:
    """Channels times a 3x3 matrix, written out: a BLAS product may round differently by array size."""
    if matrix is None:
        return values
    m = matrix.astype(np.float32)
    red, green, blue = (values[..., c] for c in range(3))
    result = np.empty_like(values)
    for row in range(3):
        result[..., row] = red * m[row, 0] + green * m[row, 1] + blue * m[row, 2]
    return result
