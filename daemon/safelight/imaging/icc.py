"""Reads what Safelight needs of an ICC profile (ICC.1:2022, and version 2): matrix/TRC and grey TRC profiles.

The bytes come from outside: every offset and count is checked against what is there before it is used.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from safelight.errors import InvalidRequest
from safelight.imaging.curves import Curve, Linear, Parametric, Table, usable

Matrix = npt.NDArray[np.floating[Any]]

MAX_PROFILE_BYTES = 4 << 20  # the largest LUT profiles of printers are about 2.5 MB
_HEADER_BYTES = 128
_MAX_TAGS = 200  # real profiles have under 60
_COLORANTS = (b"rXYZ", b"gXYZ", b"bXYZ")
_TRCS = (b"rTRC", b"gTRC", b"bTRC")
_CLASSES = (b"mntr", b"scnr", b"prtr", b"spac")
_SPACES = {b"CMYK": "CMYK", b"Lab ": "Lab", b"XYZ ": "XYZ", b"YCbr": "YCbCr", b"HSV ": "HSV", b"CMY ": "CMY"}
_GAMMA_RANGE = (0.1, 10.0)
_LARGEST_PARAMETER = 200.0  # slope, offsets: real ones are below 20


class Profile(NamedTuple):
    """`curves` has one entry for grey, three for RGB, none for a profile of tables (LUT)."""

    channels: int
    curves: tuple[Curve, ...]
    to_xyz: Matrix | None
    """Linear RGB to XYZ relative to D50; None for grey and LUT profiles."""


@dataclass(frozen=True)
class _Damaged(Exception):
    what: str


def read_profile(icc: bytes) -> Profile:
    """Raises InvalidRequest, reason PROFILE_NOT_SUPPORTED, for damaged bytes and for profiles that are
    neither RGB nor grey."""
    try:
        return _parse(icc)
    except _Damaged as damage:
        raise unsupported(f"the colour profile is damaged ({damage.what})") from None


def unsupported(what: str) -> InvalidRequest:
    return InvalidRequest(
        f"{what}: convert the picture to sRGB, or to another RGB or grey profile, first",
        "PROFILE_NOT_SUPPORTED",
    )


def _parse(icc: bytes) -> Profile:
    if len(icc) > MAX_PROFILE_BYTES:
        raise unsupported(f"the colour profile has {len(icc)} bytes, more than {MAX_PROFILE_BYTES}")
    if len(icc) < _HEADER_BYTES + 4 or icc[36:40] != b"acsp":
        raise _Damaged("it has no ICC header")
    device_class, space, connection = icc[12:16], icc[16:20], icc[20:24]
    if device_class not in _CLASSES:
        raise unsupported("the colour profile is a device link or an effect, not a colour space")
    if space not in (b"RGB ", b"GRAY"):
        raise unsupported(f"the colour profile is for {_SPACES.get(space, 'other')} pictures")
    tags = _tags(icc)
    return _grey(tags, connection) if space == b"GRAY" else _rgb(tags, connection)


def _tags(icc: bytes) -> dict[bytes, bytes]:
    (count,) = struct.unpack_from(">I", icc, _HEADER_BYTES)
    if count > _MAX_TAGS or _HEADER_BYTES + 4 + 12 * count > len(icc):
        raise _Damaged(f"it announces {count} tags")
    tags = {}
    for i in range(count):
        name, offset, size = struct.unpack_from(">4sII", icc, _HEADER_BYTES + 4 + 12 * i)
        if offset + size > len(icc):
            raise _Damaged("a tag lies outside it")
        tags[name] = icc[offset : offset + size]
    return tags


def _grey(tags: dict[bytes, bytes], connection: bytes) -> Profile:
    if b"kTRC" not in tags or connection != b"XYZ ":
        raise unsupported("the grey colour profile has no tone curve to luminance")
    return Profile(1, (_curve(tags[b"kTRC"]),), None)


def _rgb(tags: dict[bytes, bytes], connection: bytes) -> Profile:
    if connection == b"XYZ " and all(name in tags for name in (*_COLORANTS, *_TRCS)):
        distinct = {tags[name]: _curve(tags[name]) for name in _TRCS}  # mostly one curve, three times
        curves = tuple(distinct[tags[name]] for name in _TRCS)
        to_xyz = np.stack([_xyz(tags[name]) for name in _COLORANTS], axis=1)
        if not 1e-4 < abs(np.linalg.det(to_xyz)) < 10:
            raise _Damaged("its primaries are not three different colours")
        return Profile(3, curves, to_xyz)
    if b"A2B0" in tags and b"B2A0" in tags:
        return Profile(3, (), None)
    raise unsupported("the RGB colour profile can only be read, not written (no inverse tables)")


def _xyz(tag: bytes) -> Matrix:
    if len(tag) < 20 or tag[:4] != b"XYZ ":
        raise _Damaged("a primary is not an XYZ value")
    return np.array(struct.unpack_from(">3i", tag, 8), dtype=np.float64) / 65536


def _curve(tag: bytes) -> Curve:
    if len(tag) < 12:
        raise _Damaged("a tone curve is cut short")
    kinds = {b"curv": _sampled, b"para": _parametric}
    if tag[:4] not in kinds:
        raise _Damaged("a tone curve has an unknown type")
    curve = kinds[tag[:4]](tag)
    if not usable(curve):
        raise _Damaged("a tone curve does not rise from black to white")
    return curve


def _sampled(tag: bytes) -> Curve:
    (count,) = struct.unpack_from(">I", tag, 8)
    if 12 + 2 * count > len(tag):
        raise _Damaged(f"a tone curve announces {count} entries")
    entries = np.frombuffer(tag, dtype=">u2", count=count, offset=12)
    if count == 0:
        return Linear()
    if count == 1:
        return _gamma(int(entries[0]) / 256)
    try:
        return Table(entries.astype(np.float64) / 65535)
    except ValueError as flat:
        raise _Damaged(str(flat)) from None


def _gamma(value: float) -> Curve:
    if not _GAMMA_RANGE[0] <= value <= _GAMMA_RANGE[1]:
        raise _Damaged(f"a tone curve has gamma {value:g}")
    return Linear() if value == 1.0 else Parametric(value)


_PARAMETER_COUNTS = (1, 3, 4, 5, 7)  # of function types 0 to 4


def _parametric(tag: bytes) -> Curve:
    (kind,) = struct.unpack_from(">H", tag, 8)
    if kind >= len(_PARAMETER_COUNTS) or 12 + 4 * _PARAMETER_COUNTS[kind] > len(tag):
        raise _Damaged(f"a tone curve has function type {kind} or too few parameters")
    raw = struct.unpack_from(f">{_PARAMETER_COUNTS[kind]}i", tag, 12)
    g, *rest = (v / 65536 for v in raw)
    if kind == 0:
        return _gamma(g)
    if (
        not _GAMMA_RANGE[0] <= g <= _GAMMA_RANGE[1]
        or not rest[0] > 0
        or max(map(abs, rest)) > _LARGEST_PARAMETER
    ):
        raise _Damaged("a tone curve has parameters out of range")
    a, b, *rest = rest
    if kind in (1, 2):
        foot = rest[0] if kind == 2 else 0.0
        return Parametric(g, a=a, b=b, d=-b / a, e=foot, f=foot)
    c, d, e, f = (*rest, 0.0, 0.0) if kind == 3 else rest
    return Parametric(g, a=a, b=b, c=c, d=d, e=e, f=f)
