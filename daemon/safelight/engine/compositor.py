"""Pixels of one band of rows: the residual law on document numbers, the single blend, and rounding.

Everything here is pointwise except `fill_transparent`, which reaches `FILL_REACH_PX` rows and columns.
`D` and `E` are the document's `Encoding`. Colour arrays are H W c with c = 1 or 3, without alpha.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from safelight.engine.bands import blur
from safelight.imaging.pixels import DocumentArray, FloatArray, Sample
from safelight.imaging.profiles import Encoding

LUMA = np.array([0.2126, 0.7152, 0.0722], dtype=np.float32)
"""Rec. 709 weights, used on encoded values: near enough to lightness, and linear."""

BoolArray = npt.NDArray[np.bool_]

FILL_LEVELS = 3
FILL_REACH_PX = 2**FILL_LEVELS - 1  # at least twice Lanczos' 3 px: all that touches a visible sample


def restore_colours(
    document: DocumentArray, residual: FloatArray, encoding: Encoding, *, sample: Sample
) -> FloatArray:
    """R = doc + [D(E(doc) + r) - D(E(doc))], as float32 document numbers, neither rounded nor clipped.

    `document` H W c in its own type, or float32 between whole numbers where it was resampled (`sample` is the
    type of the document); `residual` H W c, differences of sRGB-encoded values. Where the bracket is
    evaluated, resampled integers are rounded first: E is defined on the document's numbers, and the bracket
    changes by half a level's share of r only.
    """
    if encoding.identity:
        restored = residual * np.float32(encoding.white)
        restored += document
        return restored
    whole = document
    if document.dtype != sample.dtype:
        whole = to_samples(document.astype(np.float32), sample)
    encoded = encoding.encode(whole)
    restored = encoding.decode(encoded + residual)
    restored -= encoding.decode(encoded)
    restored += document
    return restored


def luma_of(encoded: FloatArray) -> FloatArray:
    """H W 3 to H W 1; one channel is returned as it is."""
    if encoded.shape[2] == 1:
        return encoded
    red, green, blue = (encoded[..., c : c + 1] for c in range(3))
    return np.asarray(red * LUMA[0] + green * LUMA[1] + blue * LUMA[2], dtype=np.float32)


def untouched(residual: FloatArray) -> BoolArray:
    """H W: True where the residual is 0 in all channels."""
    touched: BoolArray = np.any(residual, axis=2)
    return ~touched


def blend_in_light(
    document: DocumentArray, restored: FloatArray, weights: FloatArray, encoding: Encoding
) -> FloatArray:
    """Mixes in linear light where 0 < weight < 1; float32 document numbers.

    `weights` H W, 1 = restored. Weight 1 returns the bits of `restored`; samples of weight 0 hold the
    document's numbers (callers that hand out float documents copy those bits themselves).
    """
    result = np.where((weights > 0)[..., None], restored, document).astype(np.float32, copy=False)
    mixed = (weights > 0) & (weights < 1)
    if not mixed.any():
        return result
    share = weights[mixed][:, None]
    below = encoding.to_linear(document[mixed].astype(np.float32)[None])[0]
    above = encoding.to_linear(restored[mixed][None])[0]
    light = below * (1 - share) + above * share
    result[mixed] = encoding.from_linear(light[None])[0]
    return result


def to_samples(numbers: FloatArray, sample: Sample) -> DocumentArray:
    """Float32 document numbers in the document's own type: integers are rounded to nearest, ties to even, and
    clipped to their range (NaN becomes 0); floats keep range and precision. May reuse `numbers`."""
    if sample is Sample.F32:
        return numbers
    np.rint(numbers, out=numbers)
    np.clip(numbers, 0, sample.white, out=numbers)
    with np.errstate(invalid="ignore"):
        return numbers.astype(np.uint8) if sample is Sample.U8 else numbers.astype(np.uint16)


def fill_transparent(colours: FloatArray, alpha: FloatArray) -> FloatArray:
    """Colours H W c with those under full transparency replaced by the mean of visible ones near by, so that
    resampling draws nothing hidden into sight. `alpha` H W 1, 0 = fully transparent.

    The mean weighs by alpha and nearness and never leaves the range of the visible colours; where none is
    within `FILL_REACH_PX` the colour stays.
    """
    hidden = alpha[..., 0] <= 0
    if not hidden.any():
        return colours
    cover = np.maximum(alpha, 0)
    light = colours * cover
    for level in range(FILL_LEVELS):
        cover, light = blur(cover, 2**level), blur(light, 2**level)
    hidden &= cover[..., 0] > 0
    filled = colours.copy()
    filled[hidden] = light[hidden] / cover[hidden]
    return filled
