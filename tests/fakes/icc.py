"""Small ICC profiles made of bytes: enough of ICC.1:2022 for colour management software to accept them."""

from __future__ import annotations

import struct
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

Triple = tuple[float, float, float]

D50: Triple = (0.9642, 1.0, 0.8249)
# Columns: red, green, blue as XYZ relative to D50 (published values of each space, Bradford-adapted).
PROPHOTO = ((0.79767, 0.28804, 0.0), (0.13519, 0.71188, 0.0), (0.03134, 0.00009, 0.82491))
ADOBE_RGB = ((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457))
DISPLAY_P3 = ((0.51512, 0.24120, -0.00105), (0.29198, 0.69225, 0.04189), (0.15710, 0.06657, 0.78407))
REC2020 = ((0.67346, 0.27903, -0.00193), (0.16566, 0.67535, 0.02998), (0.12510, 0.04562, 0.79686))
SRGB = ((0.43607, 0.22249, 0.01392), (0.38515, 0.71687, 0.09708), (0.14307, 0.06061, 0.71410))
SRGB_PARAMETERS = (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)


def gamma(value: float) -> bytes:
    return struct.pack(">4sIIH", b"curv", 0, 1, round(value * 256))


def linear() -> bytes:
    return struct.pack(">4sII", b"curv", 0, 0)


def table(entries: npt.NDArray[np.float64]) -> bytes:
    return struct.pack(">4sII", b"curv", 0, len(entries)) + np.rint(entries * 65535).astype(">u2").tobytes()


def parametric(kind: int, *parameters: float) -> bytes:
    return struct.pack(">4sIHH", b"para", 0, kind, 0) + b"".join(map(_fixed, parameters))


def xyz(value: Triple) -> bytes:
    return b"XYZ \0\0\0\0" + b"".join(map(_fixed, value))


def rgb_profile(primaries: tuple[Triple, Triple, Triple], *curves: bytes, version: int = 4) -> bytes:
    """One curve for all channels, or three."""
    red, green, blue = curves if len(curves) == 3 else curves * 3
    tags = dict(zip((b"rXYZ", b"gXYZ", b"bXYZ"), map(xyz, primaries), strict=True))
    return profile(tags | {b"rTRC": red, b"gTRC": green, b"bTRC": blue}, version=version)


def grey_profile(curve: bytes) -> bytes:
    return profile({b"kTRC": curve}, space=b"GRAY")


def profile(
    tags: Mapping[bytes, bytes], *, space: bytes = b"RGB ", connection: bytes = b"XYZ ", version: int = 4
) -> bytes:
    """Header, tag table, description and copyright, white point, and `tags`."""
    tags = {
        b"desc": _text("made for a test", version),
        b"cprt": _text("none", version),
        b"wtpt": xyz(D50),
        **tags,
    }
    table_bytes, body = struct.pack(">I", len(tags)), b""
    start = 128 + 4 + 12 * len(tags)
    for name, data in tags.items():
        table_bytes += struct.pack(">4sII", name, start + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    head = struct.pack(
        ">I4sI4s4s4s6H4sI4sIIQI", start + len(body), b"\0\0\0\0", version << 24, b"mntr", space, connection,
        2026, 1, 1, 0, 0, 0, b"acsp", 0, b"\0\0\0\0", 0, 0, 0, 0,
    )  # fmt: skip
    head += b"".join(map(_fixed, D50))
    return head + bytes(128 - len(head)) + table_bytes + body


def lut_profile(primaries: tuple[Triple, Triple, Triple], exponent: float, grid: int = 33) -> bytes:
    """A version 2 RGB profile of 16-bit tables to Lab and back only: the colours of primaries and a gamma."""
    to_xyz = np.array(primaries).T / np.array(D50)[:, None]
    lab = _lab((_nodes(grid, 1.0) ** exponent) @ to_xyz.T)
    forward = np.stack([lab[:, 0] / 100, (lab[:, 1] + 128) / 255, (lab[:, 2] + 128) / 255], axis=1) * 65280
    unit = _nodes(grid, 65535 / 65280)
    wanted = np.stack([unit[:, 0] * 100, unit[:, 1] * 255 - 128, unit[:, 2] * 255 - 128], axis=1)
    rgb = np.clip(_xyz_ratios(wanted) @ np.linalg.inv(to_xyz).T, 0, 1) ** (1 / exponent)
    tags = {b"A2B0": _lut16(forward, grid), b"B2A0": _lut16(rgb * 65535, grid)}
    return profile(tags, connection=b"Lab ", version=2)


def _nodes(grid: int, highest: float) -> npt.NDArray[np.float64]:
    steps = np.linspace(0, highest, grid)
    return np.stack(np.meshgrid(steps, steps, steps, indexing="ij"), axis=-1).reshape(-1, 3)


def _lab(ratios: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    f = np.where(ratios > 216 / 24389, np.cbrt(ratios), (24389 / 27 * ratios + 16) / 116)
    return np.stack([116 * f[:, 1] - 16, 500 * (f[:, 0] - f[:, 1]), 200 * (f[:, 1] - f[:, 2])], axis=1)


def _xyz_ratios(lab: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    y = (lab[:, 0] + 16) / 116
    f = np.stack([y + lab[:, 1] / 500, y, y - lab[:, 2] / 200], axis=1)
    return np.where(f > 6 / 29, f**3, (116 * f - 16) * 27 / 24389)


def _lut16(nodes: npt.NDArray[np.float64], grid: int) -> bytes:
    identity = b"".join(_fixed(float(i % 4 == 0)) for i in range(9))
    ramps = np.tile([0, 65535], 3).astype(">u2").tobytes()
    body = np.clip(np.rint(nodes), 0, 65535).astype(">u2").tobytes()
    return (
        struct.pack(">4sI4B", b"mft2", 0, 3, 3, grid, 0)
        + identity
        + struct.pack(">2H", 2, 2)
        + ramps
        + body
        + ramps
    )


def _fixed(value: float) -> bytes:
    return struct.pack(">i", round(value * 65536))


def _text(text: str, version: int) -> bytes:
    if version < 4:
        ascii_ = text.encode() + b"\0"
        return struct.pack(">4sII", b"desc", 0, len(ascii_)) + ascii_ + bytes(78)
    utf16 = text.encode("utf-16-be")
    return struct.pack(">4sIII2s2sII", b"mluc", 0, 1, 12, b"en", b"US", len(utf16), 28) + utf16
