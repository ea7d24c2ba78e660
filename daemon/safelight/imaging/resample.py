"""Resampling of float planes, in whole or in bands of rows that equal the same rows of the whole bit for bit.

Lanczos (a = 3) and bicubic (a = -0.5) as Pillow defines them: the kernel widens when a picture shrinks, and
at the edges its weights are those of the samples that are there, normalised. Rows are resampled by Pillow
itself (mode "F", one channel at a time), or here by phases where they grow by a whole factor, which is three
times as fast; columns are summed here, because Pillow's `box` is kept in single precision, so that a band
would not see the positions that the whole picture sees.

Arrays are float32 H W C, any number range. Beyond the box of the samples the result may overshoot; nothing is
clipped.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image

from safelight.geometry import Size
from safelight.imaging.pixels import FloatArray

Filter = Literal["lanczos", "bicubic"]

_PILLOW = {"lanczos": Image.Resampling.LANCZOS, "bicubic": Image.Resampling.BICUBIC}
_Doubles = npt.NDArray[np.floating[Any]]

_SUPPORT = {"lanczos": 3.0, "bicubic": 2.0}


def resize(plane: FloatArray, size: Size, *, filter: Filter = "lanczos") -> FloatArray:
    """`plane` H W C brought to `size`; an unchanged side is copied."""
    return resize_rows(plane, size, 0, size.height, filter=filter)


def source_rows(
    source_height: int, height: int, start_row: int, end_row: int, *, filter: Filter = "lanczos"
) -> tuple[int, int]:
    """The source rows (start, end) that output rows start_row..end_row of `height` depend on."""
    if source_height == height:
        return start_row, end_row
    first = _taps(source_height, height, start_row, filter)
    last = _taps(source_height, height, end_row - 1, filter)
    return first.start, last.start + len(last.weights)


def resize_rows(
    source: FloatArray,
    size: Size,
    start_row: int,
    end_row: int,
    *,
    first_source_row: int = 0,
    source_height: int | None = None,
    filter: Filter = "lanczos",
) -> FloatArray:
    """Output rows start_row..end_row of the whole picture brought to `size`.

    `source` may be a band of the whole picture's rows: it begins at `first_source_row` of `source_height`
    rows and must hold what `source_rows` says; otherwise ValueError.
    """
    height = first_source_row + source.shape[0] if source_height is None else source_height
    start, end = source_rows(height, size.height, start_row, end_row, filter=filter)
    if start < first_source_row or end > first_source_row + source.shape[0]:
        raise ValueError(f"source rows {start} to {end} are needed")
    needed = source[start - first_source_row : end - first_source_row]
    wide = _resize_width(needed, size.width, filter)
    if height == size.height:
        return wide
    taps = _all_taps(height, size.height, start_row, end_row, filter)
    return _sum_rows(wide, [t._replace(start=t.start - start) for t in taps])


class _Taps(NamedTuple):
    start: int
    weights: npt.NDArray[np.float32]


def _taps(source_length: int, length: int, position: int, filter: Filter) -> _Taps:
    """Where an output position's samples begin and their weights, computed from its absolute position."""
    return _all_taps(source_length, length, position, position + 1, filter)[0]


def _all_taps(
    source_length: int, length: int, first_position: int, last_position: int, filter: Filter
) -> list[_Taps]:
    """The taps of positions from the first to before the last, each computed as if it were alone."""
    scale = source_length / length
    widening = max(scale, 1.0)
    support = _SUPPORT[filter] * widening
    centres = (np.arange(first_position, last_position) + 0.5) * scale
    starts = np.maximum(0, (centres - support + 0.5).astype(np.int64))
    ends = np.minimum(source_length, (centres + support + 0.5).astype(np.int64))
    samples = starts[:, None] + np.arange(int(2 * support) + 2)
    weights = _KERNELS[filter]((samples - centres[:, None] + 0.5) / widening)
    weights[samples >= ends[:, None]] = 0.0
    weights /= weights.sum(axis=1, keepdims=True)
    counts = (ends - starts).tolist()
    return [
        _Taps(start, row[:count])
        for start, row, count in zip(starts.tolist(), weights.astype(np.float32), counts, strict=True)
    ]


def _lanczos(x: _Doubles) -> _Doubles:
    return np.where(np.abs(x) < 3, np.sinc(x) * np.sinc(x / 3), 0.0)


def _bicubic(x: _Doubles) -> _Doubles:
    x = np.abs(x)
    near = (1.5 * x - 2.5) * x * x + 1
    far = ((-0.5 * x + 2.5) * x - 4) * x + 2
    return np.where(x < 1, near, np.where(x < 2, far, 0.0))


_KERNELS: dict[Filter, Callable[[_Doubles], _Doubles]] = {
    "lanczos": _lanczos,
    "bicubic": _bicubic,
}


def _resize_width(plane: FloatArray, width: int, filter: Filter) -> FloatArray:
    height, source_width, channels = plane.shape
    if source_width == width:
        return np.array(plane, dtype=np.float32, order="C")
    if width % source_width == 0 and source_width > 2 * _SUPPORT[filter]:
        return _enlarge_width(plane, width // source_width, filter)
    result = np.empty((height, width, channels), dtype=np.float32)
    for c in range(channels):
        image = Image.fromarray(np.ascontiguousarray(plane[..., c], dtype=np.float32))
        result[..., c] = np.asarray(image.resize((width, height), _PILLOW[filter]))
    return result


def _enlarge_width(plane: FloatArray, factor: int, filter: Filter) -> FloatArray:
    """A whole factor: each of its phases has the same weights everywhere but at the two edges."""
    height, width, channels = plane.shape
    reach = int(_SUPPORT[filter])
    result = np.empty((height, width, factor, channels), dtype=np.float32)
    for phase in range(factor):
        taps = _taps(width, width * factor, reach * factor + phase, filter)
        result[:, reach:-reach, phase] = _sum_columns(plane, taps, width - 2 * reach)
        for column in (*range(reach), *range(width - reach, width)):
            taps = _taps(width, width * factor, column * factor + phase, filter)
            result[:, column, phase] = _sum_columns(plane, taps, 1)[:, 0]
    return result.reshape(height, width * factor, channels)


def _sum_columns(plane: FloatArray, taps: _Taps, count: int) -> FloatArray:
    """The weighted sum that begins at the taps' start and at the `count` - 1 columns after it."""
    start, weights = taps
    total: FloatArray = plane[:, start : start + count] * weights[0]
    product = np.empty_like(total)
    for i, weight in enumerate(weights[1:], start + 1):
        np.multiply(plane[:, i : i + count], weight, out=product)
        total += product
    return total


def _sum_rows(plane: FloatArray, taps: list[_Taps]) -> FloatArray:
    """Weighted sums of whole rows, in the order of the taps: the same bits wherever a band begins."""
    result = np.empty((len(taps), *plane.shape[1:]), dtype=np.float32)
    product = np.empty_like(plane[0])
    for row, (start, weights) in zip(result, taps, strict=True):
        np.multiply(plane[start], weights[0], out=row)
        for i, weight in enumerate(weights[1:], start + 1):
            np.multiply(plane[i], weight, out=product)
            row += product
    return result
