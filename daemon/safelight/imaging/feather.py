"""How much of the restored pixels each sample of a region gets: the mask, and a soft edge inward.

Outside the mask the weight is 0, always. The soft edge is a smooth ramp over the distance to the nearest
sample that is not selected: an edge of the region that lies inside the document counts as such, the
document's own border does not.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from safelight.geometry import Rect, Size
from safelight.imaging.pixels import FloatArray, MaskArray
from safelight.settings import FEATHER_LEAST_PX, FEATHER_MOST_PX, FEATHER_SHARE

_DISTANCE_TILE_PX = 256  # columns looked at together; small enough for the processor's cache
_CHUNK_ROWS = 256  # rows of a large mask looked at together


class OpenSides(NamedTuple):
    """Sides of a region beyond which the document goes on: they get a soft edge, the others do not."""

    left: bool
    top: bool
    right: bool
    bottom: bool

    @classmethod
    def of(cls, region: Rect, document: Size) -> OpenSides:
        return cls(
            region.x > 0,
            region.y > 0,
            region.right < document.width,
            region.bottom < document.height,
        )


NO_OPEN_SIDES = OpenSides(False, False, False, False)


def edge_weights(
    mask: MaskArray | None, region: Rect, document: Size, *, feather: float, output_scale: int
) -> BoxWeights | MaskWeights | None:
    """The weights of a region; None where every sample gets 1: a plain box enlarged (its edges are the result's
    edges), and a plain box with no soft edge to draw.

    `mask` region.height x region.width, None: all of it; `feather` is RestoreSettings.feather, -1 chooses.
    """
    sides = OpenSides.of(region, document) if output_scale == 1 else NO_OPEN_SIDES
    if mask is None or mask.min() == 255:
        width = feather if feather >= 0 else auto_width_px(region.size)
        return BoxWeights(region.size, width, sides) if width and any(sides) else None
    width = feather
    if width < 0:
        width = 0.0 if soft(mask) else auto_width_px(selected_size(mask))
    return MaskWeights(mask, width, sides, output_scale)


def auto_width_px(selection: Size) -> float:
    """The width chosen for a hard selection of this size, document pixels."""
    return float(np.clip(FEATHER_SHARE * selection.short_side, FEATHER_LEAST_PX, FEATHER_MOST_PX))


def selected_size(mask: MaskArray) -> Size:
    """Size of the box around all selected samples; 0 x 0 for an empty mask."""
    rows = np.flatnonzero(mask.any(axis=1))
    columns = np.flatnonzero(mask.any(axis=0))
    if not len(rows):
        return Size(0, 0)
    return Size(int(columns[-1] - columns[0]) + 1, int(rows[-1] - rows[0]) + 1)


def soft(mask: MaskArray) -> bool:
    """Whether the selection has a soft edge of its own.

    An antialiased edge is one sample wide: each partly selected sample there has both a fully selected and an
    unselected one among its eight neighbours. A mask is soft when most of its partly selected samples do not.
    """
    partly = lacking = 0
    for start in range(0, len(mask), _CHUNK_ROWS):
        above = min(start, 1)
        rows = mask[start - above : start + _CHUNK_ROWS + 1]
        inside = slice(above, above + len(mask[start : start + _CHUNK_ROWS]))
        partial = ((rows > 0) & (rows < 255))[inside]
        if partial.any():
            both = (_widened(rows == 0) & _widened(rows == 255))[inside]
            partly += int(np.count_nonzero(partial))
            lacking += int(np.count_nonzero(partial & ~both))
    return 2 * lacking > partly


def _widened(chosen: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Each True spread to its eight neighbours."""
    tall = chosen.copy()
    tall[1:] |= chosen[:-1]
    tall[:-1] |= chosen[1:]
    wide = tall.copy()
    wide[:, 1:] |= tall[:, :-1]
    wide[:, :-1] |= tall[:, 1:]
    return wide


def ramp(distance: FloatArray, width_px: float) -> FloatArray:
    """Weight at a distance from the nearest unselected sample's centre: 0 at the edge between the two
    samples (distance 0.5), 1 from `width_px` inward, smooth at both ends."""
    share: FloatArray = np.clip((distance - np.float32(0.5)) / np.float32(max(width_px, 1e-6)), 0, 1)
    return share * share * (np.float32(3) - np.float32(2) * share)


class BoxWeights:
    """Weights of a plain box with soft open sides. Memory: two rows' worth."""

    def __init__(self, size: Size, width_px: float, sides: OpenSides) -> None:
        self._columns = _edge_distance(size.width, sides.left, sides.right)
        self._rows = _edge_distance(size.height, sides.top, sides.bottom)
        self._width_px = width_px

    def part(self, place: Rect) -> BoxWeights:
        """Of a part of the box, with the same bits; rows are counted from its top."""
        part = BoxWeights(place.size, self._width_px, NO_OPEN_SIDES)
        part._rows, part._columns = self._rows[place.slices[0]], self._columns[place.slices[1]]
        return part

    def rows(self, start_row: int, end_row: int) -> FloatArray:
        """Weights 0..1 of rows `start_row` to `end_row`, H W float32."""
        near = np.minimum(self._rows[start_row:end_row, None], self._columns[None])
        return ramp(near, self._width_px)


def _edge_distance(length: int, before: bool, after: bool) -> FloatArray:
    """Distance of each sample's centre to the nearest sample beyond an open end; infinite without one."""
    steps = np.arange(length, dtype=np.float32)
    distance = np.full(length, np.inf, dtype=np.float32)
    if before:
        distance = np.minimum(distance, steps + 1)
    if after:
        distance = np.minimum(distance, length - steps)
    return distance


class MaskWeights:
    """Mask / 255 times the inward ramp; at scale s above 1 brought up bilinearly, with zero staying zero.

    Memory: nothing beside the mask but what `rows` returns and its halo of `width_px` rows.
    """

    def __init__(self, mask: MaskArray, width_px: float, sides: OpenSides, scale: int = 1) -> None:
        self._mask, self._width_px, self._sides, self._scale = mask, width_px, sides, scale

    def part(self, place: Rect) -> MaskPart:
        """Of a part of the region, `place` in document pixels from the region's corner."""
        margin = math.ceil(self._width_px) + 2
        left, right = max(0, place.x - margin), min(self._mask.shape[1], place.right + margin)
        sides = self._sides._replace(
            left=self._sides.left and left == 0,
            right=self._sides.right and right == self._mask.shape[1],
        )
        near = MaskWeights(self._mask[:, left:right], self._width_px, sides, self._scale)
        return MaskPart(near, place.shifted(-left, 0).times(self._scale))

    def rows(self, start_row: int, end_row: int) -> FloatArray:
        """Weights 0..1 of output rows `start_row` to `end_row`, H W float32."""
        if self._scale == 1:
            return self._own_rows(start_row, end_row)
        first = max(0, start_row // self._scale - 1)
        last = min(len(self._mask), (end_row - 1) // self._scale + 2)
        weights = _enlarged(self._own_rows(first, last), self._scale)
        weights = weights[start_row - first * self._scale : end_row - first * self._scale]
        own_rows = np.arange(start_row, end_row) // self._scale
        chosen = np.repeat(self._mask[own_rows] > 0, self._scale, axis=1)
        return weights * chosen

    def _own_rows(self, start_row: int, end_row: int) -> FloatArray:
        share = self._mask[start_row:end_row] * np.float32(1 / 255)
        share[self._mask[start_row:end_row] == 255] = 1
        if self._width_px > 0:
            reach = int(np.ceil(self._width_px)) + 1
            share *= ramp(inward_distance(self._mask, start_row, end_row, reach, self._sides), self._width_px)
        return share


class MaskPart:
    """Weights of a part of a mask, with the bits that the whole has there."""

    def __init__(self, near: MaskWeights, place: Rect) -> None:
        """`place` in output pixels of `near`."""
        self._near, self._place = near, place

    def rows(self, start_row: int, end_row: int) -> FloatArray:
        """As `MaskWeights.rows`, counted from the part's top."""
        top = self._place.y
        return self._near.rows(top + start_row, top + end_row)[:, self._place.slices[1]]


def _enlarged(weights: FloatArray, scale: int) -> FloatArray:
    """Bilinear enlargement by a whole factor, sample centres aligned, edges replicated."""
    for axis in (0, 1):
        weights = np.moveaxis(_enlarged_rows(np.moveaxis(weights, axis, 0), scale), 0, axis)
    return np.ascontiguousarray(weights)


def _enlarged_rows(rows: FloatArray, scale: int) -> FloatArray:
    before = np.concatenate([rows[:1], rows[:-1]])
    after = np.concatenate([rows[1:], rows[-1:]])
    result = np.empty((len(rows) * scale, *rows.shape[1:]), dtype=np.float32)
    for phase in range(scale):
        offset = (phase + 0.5) / scale - 0.5
        other = before if offset < 0 else after
        result[phase::scale] = rows * np.float32(1 - abs(offset)) + other * np.float32(abs(offset))
    return result


def inward_distance(
    mask: MaskArray, start_row: int, end_row: int, reach: int, sides: OpenSides
) -> FloatArray:
    """Euclidean distance of each selected sample (mask > 0) to the nearest unselected one, H W float32.

    Exact below `reach`, at least `reach` elsewhere; 0 for unselected samples. Beyond an open side everything
    counts as unselected, beyond a closed one nothing. First along columns by running counts, then along rows
    by `reach` three-point minima with steps 1, 3, 5, ...: their min-plus sum is the parabola dx^2, so the
    result is the exact distance (van den Boomgaard's decomposition of parabolic structuring functions).
    """
    squared = _column_distance(mask, start_row, end_row, reach, sides).astype(np.int32) ** 2
    height, width = squared.shape
    distance = np.empty((height, width), dtype=np.float32)
    padded = np.full((height, width + 2 * reach), reach * reach, dtype=np.int32)
    padded[:, reach : reach + width] = squared
    if sides.left:
        padded[:, reach - 1] = 0
    if sides.right:
        padded[:, reach + width] = 0
    for left in range(0, width, _DISTANCE_TILE_PX):
        right = min(width, left + _DISTANCE_TILE_PX)
        tile = padded[:, left : right + 2 * reach]
        distance[:, left:right] = np.sqrt(_row_minima(tile, reach)[:, reach:-reach], dtype=np.float32)
    return distance


def _row_minima(squared: npt.NDArray[np.int32], reach: int) -> npt.NDArray[np.int32]:
    """min over dx of squared(x + dx) + dx^2, |dx| <= reach; a tile far from any edge, or all outside, is
    returned as it is."""
    if squared.min() >= reach * reach or not squared.any():
        return squared
    result = squared.astype(np.uint16) if reach < 180 else squared.copy()  # 2 * 180^2 < 2^16
    for step in range(reach):
        raised = result + result.dtype.type(2 * step + 1)
        np.minimum(result[:, 1:], raised[:, :-1], out=result[:, 1:])
        np.minimum(result[:, :-1], raised[:, 1:], out=result[:, :-1])
    return result.astype(np.int32)


def _column_distance(
    mask: MaskArray, start_row: int, end_row: int, reach: int, sides: OpenSides
) -> npt.NDArray[np.uint16]:
    """Distance to the nearest unselected sample of the same column, at most `reach`; rows start to end."""
    first, last = max(0, start_row - reach), min(len(mask), end_row + reach)
    chosen = mask[first:last] > 0
    open_above = sides.top and first == 0
    open_below = sides.bottom and last == len(mask)
    distance = np.empty(chosen.shape, dtype=np.uint16)
    running = np.full(mask.shape[1], 0 if open_above else reach, dtype=np.uint16)
    for row in range(len(chosen)):
        running = np.minimum(running + np.uint16(1), np.uint16(reach)) * chosen[row]
        distance[row] = running
    running = np.full(mask.shape[1], 0 if open_below else reach, dtype=np.uint16)
    for row in range(len(chosen) - 1, -1, -1):
        running = np.minimum(running + np.uint16(1), distance[row])
        distance[row] = running
    return distance[start_row - first : end_row - first]
