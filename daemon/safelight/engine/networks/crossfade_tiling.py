"""An encoder or decoder in tiles that fade into their upper and left neighbours, as diffusers tiles its VAE.

Official: github.com/huggingface/diffusers `AutoencoderKL` (Apache-2.0), which FaithDiff's LQ encoder repeats. Only
`authors_exact` uses it. Tiles stand a step of `tile * (1 - overlap)` apart, the last ones are smaller; each is computed
alone, fades linearly from the tile above and then from the one to its left over `tile * overlap`, and is cut to where
the next begins. A tile is blended in place before its neighbours blend with it.

Difference: sizes are arguments and not attributes of the network.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import torch

from safelight.errors import InvalidRequest

Network = Callable[[torch.Tensor], torch.Tensor]


@dataclass(frozen=True)
class CrossfadeTiling:
    """Sizes in cells of the network's input plane."""

    tile: int
    overlap: float
    """Share of a tile."""


def tiled(
    network: Network, plane: torch.Tensor, tiling: CrossfadeTiling | None, scale: Fraction
) -> torch.Tensor:
    """`network(plane)`, B C H W to B C' H*scale W*scale, at once or in tiles. Raises InvalidRequest (TILE_OVERLAP)
    where tiles would not meet at whole cells of the output."""
    return network(plane) if tiling is None else _crossfaded(network, plane, tiling, scale)


def _crossfaded(
    network: Network, plane: torch.Tensor, tiling: CrossfadeTiling, scale: Fraction
) -> torch.Tensor:
    tile, overlap = tiling.tile, tiling.overlap
    step, made = int(tile * (1 - overlap)), int(tile * scale)
    fade = int(made * overlap)
    kept = made - fade
    if step < 1 or kept != step * scale:
        raise InvalidRequest(
            f"tiles of {tile} with an overlap of {overlap:g} do not meet: tile times (1 - overlap) must be a "
            f"multiple of {max(1, scale.denominator)}",
            "TILE_OVERLAP",
        )
    rows: list[list[torch.Tensor]] = []
    for y in range(0, plane.shape[2], step):
        row = [network(plane[:, :, y : y + tile, x : x + tile]) for x in range(0, plane.shape[3], step)]
        for i, output in enumerate(row):
            if rows:
                _fade(rows[-1][i], output, fade, dim=2)
            if i:
                _fade(row[i - 1], output, fade, dim=3)
        rows.append(row)
    return torch.cat([torch.cat([t[:, :, :kept, :kept] for t in row], dim=3) for row in rows], dim=2)


def _fade(before: torch.Tensor, after: torch.Tensor, length: int, *, dim: int) -> None:
    length = min(before.shape[dim], after.shape[dim], length)
    share = torch.arange(length, dtype=after.dtype, device=after.device) / length
    share = share.view(-1, 1) if dim == 2 else share
    end = before.narrow(dim, before.shape[dim] - length, length)
    begin = after.narrow(dim, 0, length)
    begin.copy_(end * (1 - share) + begin * share)
