"""How a plane is cut into overlapping tiles and how they are blended: integers and 1-D profiles, no tensors.

All tiles of a plan have one size, so that they batch. Along an axis they stand a step (tile minus overlap)
apart; the last one is shifted back to end at the plane's edge, its overlap is larger. Even tilings shrink the
tiles until next to nothing is computed twice that way; others may let them grow a little where fewer then do. A plane
smaller than a tile is one tile.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property

import numpy as np
import numpy.typing as npt

from safelight.geometry import Rect, Size
from safelight.imaging.pixels import FloatArray
from safelight.spec import StageTiling

Positions = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Tile:
    """One tile: its place in the plan's grid and in the plane."""

    column: int
    row: int
    box: Rect


@dataclass(frozen=True)
class TilePlan:
    """The tiles of one stage on one plane, in pixels (or latent cells) of the stage's input."""

    size: Size
    tile: Size
    """Of every tile; smaller than the stage's where the plane is."""
    columns: tuple[int, ...]
    """Left edges, ascending."""
    rows: tuple[int, ...]
    """Top edges, ascending."""

    @classmethod
    def of(cls, size: Size, tiling: StageTiling) -> TilePlan:
        """Sides of `size` should be multiples of `tiling.multiple`: else the last offsets are not."""
        tile = Size(_side(size.width, tiling), _side(size.height, tiling))
        return cls(
            size,
            tile,
            _offsets(size.width, tile.width, tiling.overlap),
            _offsets(size.height, tile.height, tiling.overlap),
        )

    @cached_property
    def tiles(self) -> tuple[Tile, ...]:
        """Row by row."""
        return tuple(
            Tile(c, r, Rect(x, y, *self.tile))
            for r, y in enumerate(self.rows)
            for c, x in enumerate(self.columns)
        )

    def from_center(self, x: float, y: float) -> tuple[Tile, ...]:
        """The tiles whose centre is nearest to a point first; ties row by row."""

        def distance(tile: Tile) -> float:
            box = tile.box
            return (box.x + box.width / 2 - x) ** 2 + (box.y + box.height / 2 - y) ** 2

        return tuple(sorted(self.tiles, key=distance))

    def tapers(self, tile: Tile, scale: Fraction = Fraction(1)) -> tuple[FloatArray, FloatArray]:
        """The tile's profiles down its rows and along its columns, 0..1, at output pixels of the stage;
        `scale` is output pixels per input pixel. The weight of a pixel is the product of the two. Over all
        tiles the weights of a pixel sum to 1 (to float32 rounding)."""
        return (
            _profile(self.rows, self.tile.height, tile.row, scale),
            _profile(self.columns, self.tile.width, tile.column, scale),
        )

    def output_box(self, tile: Tile, scale: Fraction) -> Rect:
        """The tile's box at output pixels."""
        return Rect(*(_whole(length * scale) for length in tile.box))

    @property
    def output(self) -> dict[str, object]:
        """For reports."""
        return {
            "plane": list(self.size),
            "tile": list(self.tile),
            "grid": [len(self.columns), len(self.rows)],
        }


def with_smaller_tiles(tiling: StageTiling, tile: int) -> StageTiling:
    """The same overlap where it leaves at least half of the tile to step by; never above `tiling.tile`."""
    multiple = tiling.multiple
    side = max(multiple, min(tile, tiling.tile) // multiple * multiple)
    overlap = min(tiling.overlap, side // 2 // multiple * multiple)
    return replace(tiling, tile=side, overlap=overlap, batch=1, most_tile=0)


def _side(length: int, tiling: StageTiling) -> int:
    """Of the tiles along an axis."""
    if length <= tiling.tile:
        return length
    if tiling.even:
        return _evenly(length, tiling.tile, tiling)
    count = len(_offsets(length, tiling.tile, tiling.overlap))
    if tiling.most_tile > tiling.tile and len(_offsets(length, tiling.most_tile, tiling.overlap)) < count:
        return max(tiling.tile, _evenly(length, tiling.most_tile, tiling))
    return tiling.tile


def _evenly(length: int, most: int, tiling: StageTiling) -> int:
    """The smallest side of as many tiles as tiles of `most` would be."""
    count = len(_offsets(length, most, tiling.overlap))
    least = -(-(length + (count - 1) * tiling.overlap) // count)
    return min(length, -(-least // tiling.multiple) * tiling.multiple)


def _offsets(length: int, tile: int, overlap: int) -> tuple[int, ...]:
    if length <= tile:
        return (0,)
    step = tile - overlap
    if step <= 0:
        raise ValueError(f"an overlap of {overlap} leaves no step in a tile of {tile}")
    return (*range(0, length - tile, step), length - tile)


def _profile(offsets: tuple[int, ...], length: int, index: int, scale: Fraction) -> FloatArray:
    """Weight of tile `index` = its rise minus the rise of the next tile; so the sum over tiles telescopes to
    1 whatever the overlaps are, and a weight is never negative because a later tile rises later."""
    start = _whole(offsets[index] * scale)
    positions: Positions = np.arange(start, start + _whole(length * scale), dtype=np.float64) + 0.5
    own = _rise(offsets, length, index, scale, positions)
    return np.asarray(own - _rise(offsets, length, index + 1, scale, positions), dtype=np.float32)


def _rise(
    offsets: tuple[int, ...], length: int, index: int, scale: Fraction, positions: Positions
) -> Positions:
    """Raised cosine from 0 to 1 across the overlap of tile `index` with the one before it; 1 at the plane's
    start and 0 past its last tile, so that nothing falls off at the edges."""
    if index == 0 or index == len(offsets):
        return np.full(positions.shape, 1.0 if index == 0 else 0.0)
    start, end = float(offsets[index] * scale), float((offsets[index - 1] + length) * scale)
    if end <= start:
        return np.asarray(positions >= start, dtype=np.float64)
    return np.asarray(0.5 - 0.5 * np.cos(np.pi * np.clip((positions - start) / (end - start), 0.0, 1.0)))


def _whole(length: Fraction | int) -> int:
    if Fraction(length).denominator != 1:
        raise ValueError(f"a tile edge falls at {length} output pixels: its multiple does not fit the stage")
    return int(length)
