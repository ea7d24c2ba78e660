"""The tiled VAE of the authors' scripts: tiles advance together, and share the statistics of each group norm.

Official: github.com/pkuliyi2015/multidiffusion-upscaler-for-automatic1111 (`tile_methods`, tiled VAE), which
StableSR, OSEDiff and S3Diff carry along as `vaehook.py`. No weights of its own: it walks the layers of a diffusers
`AutoencoderKL`. Only `authors_exact` uses it; the mean of a group norm is the mean of the tiles' means, weighed
by area with the overlapping pads counted, and the variance likewise, without the spread between tile means;
attention sees only its own tile.

Difference: all tiles stay on the device.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from safelight.geometry import Rect, Size

ENCODER_PAD_PX, DECODER_PAD_LAT = 32, 11
CELL_PX = 8  # pixels per latent cell
_DIVIDERS = (32, 16, 8, 4, 2)

Tiles = list[torch.Tensor]
Layer = Callable[[torch.Tensor], torch.Tensor]


@dataclass(frozen=True)
class VaeTile:
    """One tile: what it reads of the input plane and what it owns of the output plane."""

    read: Rect
    owned: Rect
    read_at_output: Rect


def encode_tiled(encoder: nn.Module, x: torch.Tensor, tile_px: int) -> torch.Tensor:
    """`encoder(x)` in tiles of about `tile_px`: B 3 H W to B C H/8 W/8. Small pictures pass through whole."""
    walk = _Walk(encoder)
    return _tiled(encoder, walk.encode, x, tile_px, ENCODER_PAD_PX, lambda edge: edge // CELL_PX)


def decode_tiled(decoder: nn.Module, latent: torch.Tensor, tile_lat: int) -> torch.Tensor:
    """`decoder(latent)` in tiles of about `tile_lat` cells: B 4 h w to B 3 8h 8w."""
    walk = _Walk(decoder)
    return _tiled(decoder, walk.decode, latent, tile_lat, DECODER_PAD_LAT, lambda edge: edge * CELL_PX)


def _tiled(
    network: nn.Module,
    walk: Callable[[Tiles], Tiles],
    plane: torch.Tensor,
    tile: int,
    pad: int,
    at_output: Callable[[int], int],
) -> torch.Tensor:
    height, width = plane.shape[-2:]
    if max(height, width) <= 2 * pad + tile:
        whole: torch.Tensor = network(plane)
        return whole
    tiles = plan(Size(width, height), tile, pad, at_output)
    outputs = walk([plane[..., *t.read.slices] for t in tiles])
    result = outputs[0].new_empty((*outputs[0].shape[:2], at_output(height), at_output(width)))
    for place, output in zip(tiles, outputs, strict=True):
        inside = place.owned.shifted(-place.read_at_output.x, -place.read_at_output.y)
        result[..., *place.owned.slices] = output[..., *inside.slices]
    return result


def plan(size: Size, tile: int, pad: int, at_output: Callable[[int], int]) -> list[VaeTile]:
    """Row by row. `at_output` brings an edge of the input plane to the output plane."""
    return [
        VaeTile(
            Rect.from_edges(x.read[0], y.read[0], x.read[1], y.read[1]),
            Rect.from_edges(*(at_output(edge) for edge in (x.own[0], y.own[0], x.own[1], y.own[1]))),
            Rect.from_edges(*(at_output(edge) for edge in (x.read[0], y.read[0], x.read[1], y.read[1]))),
        )
        for y in _spans(size.height, tile, pad)
        for x in _spans(size.width, tile, pad)
    ]


@dataclass(frozen=True)
class _Span:
    """Of a tile along one axis: first and last edge."""

    own: tuple[int, int]
    read: tuple[int, int]


def _spans(length: int, tile: int, pad: int) -> Iterator[_Span]:
    count = max(1, math.ceil((length - 2 * pad) / tile))
    core = _core(math.ceil((length - 2 * pad) / count), tile)
    for i in range(count):
        start, end = pad + i * core, min(pad + (i + 1) * core, length)
        yield _Span(
            (start if start > pad else 0, end if end < length - pad else length),
            (max(0, start - pad), min(length, end + pad)),
        )


def _core(least: int, most: int) -> int:
    """The first divider that `least` is a multiple of, or whose next multiple does not exceed `most`."""
    for divider in _DIVIDERS:
        candidate = -(-least // divider) * divider
        if candidate == least or candidate <= most:
            return candidate
    return least


class _Walk:
    """The layers of a diffusers encoder or decoder, applied to lists of tiles."""

    def __init__(self, network: Any) -> None:
        self._network = network

    def encode(self, tiles: Tiles) -> Tiles:
        network = self._network
        tiles = _each(network.conv_in, tiles)
        for block in network.down_blocks:
            for resnet in block.resnets:
                tiles = self._resnet(resnet, tiles)
            for downsampler in block.downsamplers or ():
                tiles = _each(downsampler, tiles)
        return self._out(self._middle(tiles))

    def decode(self, tiles: Tiles) -> Tiles:
        network = self._network
        tiles = self._middle(_each(network.conv_in, tiles))
        for block in network.up_blocks:
            for resnet in block.resnets:
                tiles = self._resnet(resnet, tiles)
            for upsampler in block.upsamplers or ():
                tiles = _each(upsampler, tiles)
        return self._out(tiles)

    def _middle(self, tiles: Tiles) -> Tiles:
        middle = self._network.mid_block
        tiles = self._resnet(middle.resnets[0], tiles)
        for attention, resnet in zip(middle.attentions, middle.resnets[1:], strict=True):
            if attention is not None:
                tiles = self._attention(attention, tiles)
            tiles = self._resnet(resnet, tiles)
        return tiles

    def _out(self, tiles: Tiles) -> Tiles:
        tiles = _each(self._network.conv_act, _shared_norm(self._network.conv_norm_out, tiles))
        return _each(self._network.conv_out, tiles)

    @staticmethod
    def _resnet(resnet: Any, tiles: Tiles) -> Tiles:
        deeper = _each(resnet.nonlinearity, _shared_norm(resnet.norm1, tiles))
        deeper = _shared_norm(resnet.norm2, _each(resnet.conv1, deeper))
        deeper = _each(resnet.conv2, _each(resnet.nonlinearity, deeper))
        if resnet.conv_shortcut is not None:
            tiles = _each(resnet.conv_shortcut, tiles)
        return [(x + y) / resnet.output_scale_factor for x, y in zip(tiles, deeper, strict=True)]

    @staticmethod
    def _attention(attention: Any, tiles: Tiles) -> Tiles:
        normed = _shared_norm(attention.group_norm, tiles)
        return [x + _attended(attention, y) for x, y in zip(tiles, normed, strict=True)]


def _attended(attention: Any, x: torch.Tensor) -> torch.Tensor:
    """Self-attention of normalised B C h w with one head per `attention.heads`."""
    cells = x.flatten(2).transpose(1, 2)
    query, key, value = (
        layer(cells).unflatten(-1, (attention.heads, -1)).transpose(1, 2)
        for layer in (attention.to_q, attention.to_k, attention.to_v)
    )
    mixed = F.scaled_dot_product_attention(query, key, value).transpose(1, 2).flatten(2)
    out: torch.Tensor = attention.to_out[0](mixed)
    return out.transpose(1, 2).reshape(x.shape)


def _each(layer: Layer, tiles: Tiles) -> Tiles:
    return [layer(tile) for tile in tiles]


def _shared_norm(norm: nn.GroupNorm, tiles: Tiles) -> Tiles:
    """Group norm with the area-weighted averages of the tiles' own means and variances, float32."""
    areas = torch.tensor([tile.shape[-2] * tile.shape[-1] for tile in tiles], dtype=torch.float32)
    shares = areas / areas.sum()
    mean = variance = torch.zeros((), device=tiles[0].device)
    for tile, share in zip(tiles, shares.tolist(), strict=True):
        own = torch.var_mean(_groups(tile.float(), norm), dim=2, unbiased=False, keepdim=True)
        variance, mean = variance + own[0] * share, mean + own[1] * share
    return [_normed(tile, norm, mean, variance) for tile in tiles]


def _groups(tile: torch.Tensor, norm: nn.GroupNorm) -> torch.Tensor:
    """B groups values."""
    return tile.reshape(len(tile), norm.num_groups, -1)


def _normed(
    tile: torch.Tensor, norm: nn.GroupNorm, mean: torch.Tensor, variance: torch.Tensor
) -> torch.Tensor:
    normed = (_groups(tile.float(), norm) - mean) * torch.rsqrt(variance + norm.eps)
    out = normed.view(tile.shape) * norm.weight.float()[:, None, None] + norm.bias.float()[:, None, None]
    return out.to(tile.dtype)
