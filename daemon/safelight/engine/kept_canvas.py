"""A residual canvas that outlives its job, and its file.

The file is the canvas (int16, H W 3, rows top to bottom, holes where no tile landed), then a description in JSON, then
TRAILER: the description's length and CRC-32, and MAGIC. So the canvas begins at a page and is mapped, not read.
"""

from __future__ import annotations

import json
import os
import struct
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from safelight.engine.color_fix import TileSums
from safelight.geometry import Rect

MAGIC = b"safelight kept 1\n"  # another number for another format
TRAILER = struct.Struct(f"<QI{len(MAGIC)}s")
DESCRIPTION_BYTES_MOST = 64 << 20
CHUNK_BYTES = 8 << 20  # written and checked at a time

Sums = npt.NDArray[np.int16]


@dataclass(frozen=True)
class KeptCanvas:
    """What the network did, before anything of `kept_key.AFTER_NETWORK` and its like."""

    key: str
    sums: Sums
    """The residual canvas, H W 3. Nobody writes to it any more."""
    tiles: Mapping[int, TileSums]
    """Numbers of the tiles that were added (`JobPlan.number`), with their colour sums where the pipeline has a colour
    fix."""
    boxes: tuple[Rect, ...]
    """Where they lie on the canvas, without overlap."""
    facts: Mapping[str, Any]
    """JSON data: what a report says of the network's run, and what was measured on its input."""

    @property
    def bytes(self) -> int:
        """Of what the file takes, less its description."""
        return sum(box.size.area for box in self.boxes) * 6


class KeptFileDamaged(ValueError):
    """Cut, altered, or of another version."""


def disjoint(boxes: Iterable[Rect]) -> tuple[Rect, ...]:
    """The same area as boxes that do not overlap, top to bottom."""
    boxes = tuple(boxes)
    edges = sorted({edge for box in boxes for edge in (box.y, box.bottom)})
    found: list[Rect] = []
    for top, bottom in pairwise(edges):
        spans: list[tuple[int, int]] = []
        for left, right in sorted((b.x, b.right) for b in boxes if b.y < bottom and b.bottom > top):
            if spans and left <= spans[-1][1]:
                spans[-1] = spans[-1][0], max(right, spans[-1][1])
            else:
                spans.append((left, right))
        found += [Rect.from_edges(left, top, right, bottom) for left, right in spans]
    return tuple(found)


def write_kept(file: BinaryIO, kept: KeptCanvas) -> None:
    """Into an empty file. Raises OSError when the disk is full."""
    height, width, _ = kept.sums.shape
    crc = 0
    for box in _pieces(kept.boxes, width):
        piece = np.ascontiguousarray(kept.sums[box.slices])
        crc = zlib.crc32(piece.data, crc)
        if box.width == width:
            file.seek(box.y * width * 6)
            file.write(piece.data)
            continue
        for row in range(box.height):
            file.seek(((box.y + row) * width + box.x) * 6)
            file.write(piece[row].data)
    description = {
        "key": kept.key,
        "shape": list(kept.sums.shape),
        "tiles": list(kept.tiles.items()),
        "boxes": list(kept.boxes),
        "crc32": crc,
        "facts": dict(kept.facts),
    }
    text = json.dumps(description).encode()
    file.seek(height * width * 6)
    file.write(text + TRAILER.pack(len(text), zlib.crc32(text), MAGIC))


def read_kept(path: Path, key: str, *, check: bool) -> KeptCanvas:
    """Maps the canvas; `check` reads it once to see whether it is what was written. Raises KeptFileDamaged, and
    OSError (FileNotFoundError where there is none)."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        return _checked(file, size, _description(file, size), key, check=check)


def _checked(file: BinaryIO, size: int, description: dict[str, Any], key: str, *, check: bool) -> KeptCanvas:
    try:
        shape = tuple(int(side) for side in description["shape"])
        length = int(np.prod(shape))
        boxes = tuple(Rect(*box) for box in description["boxes"])
        tiles = {int(number): tuple(sums) for number, sums in description["tiles"]}
        facts, crc = dict(description["facts"]), description["crc32"]
        if description["key"] != key or len(shape) != 3 or length * 2 > size:
            raise KeptFileDamaged("another key or size")
    except (KeyError, TypeError, ValueError) as error:
        raise KeptFileDamaged(f"its description lacks something ({error})") from None
    sums: Sums = np.memmap(file, np.int16, "r", shape=shape)
    whole = Rect(0, 0, shape[1], shape[0])
    if not all(whole.contains(box) for box in boxes):
        raise KeptFileDamaged("a box reaches outside the canvas")
    if check and crc != _crc32(sums, boxes):
        raise KeptFileDamaged("the canvas is not what was written")
    return KeptCanvas(key, sums, tiles, boxes, facts)


def _description(file: BinaryIO, size: int) -> dict[str, Any]:
    if size < TRAILER.size:
        raise KeptFileDamaged("too short")
    file.seek(size - TRAILER.size)
    length, crc, magic = TRAILER.unpack(file.read(TRAILER.size))
    if magic != MAGIC or not length <= min(size - TRAILER.size, DESCRIPTION_BYTES_MOST):
        raise KeptFileDamaged("not a file of this version")
    file.seek(size - TRAILER.size - length)
    text = file.read(length)
    if zlib.crc32(text) != crc:
        raise KeptFileDamaged("its description is damaged")
    described: dict[str, Any] = json.loads(text)
    return described


def _crc32(sums: Sums, boxes: Iterable[Rect]) -> int:
    crc = 0
    for box in _pieces(boxes, sums.shape[1]):
        crc = zlib.crc32(np.ascontiguousarray(sums[box.slices]).data, crc)
    return crc


def _pieces(boxes: Iterable[Rect], width: int) -> Iterator[Rect]:
    """The boxes in whole rows of at most `CHUNK_BYTES`, the same cut for writing and checking."""
    for box in boxes:
        rows = max(1, CHUNK_BYTES // (box.width * 6))
        for top in range(box.y, box.bottom, rows):
            yield Rect(box.x, top, box.width, min(rows, box.bottom - top))
