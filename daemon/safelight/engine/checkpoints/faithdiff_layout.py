"""Which tensors a FaithDiff file must hold, derived from the UNet configuration of its base.

The file is the state dict of a whole SDXL UNet, every layer trained, with three more modules in it; the widths of
these are fixed in the official class (github JyChen9811/FaithDiff), but for the UNet's first one. Built on torch's meta
device: no memory, no weights.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import nn

Shapes = dict[str, tuple[int, ...]]


def faithdiff_shapes(unet_config: Mapping[str, Any]) -> Shapes:
    """Every tensor, for the `unet/config.json` of the base."""
    import torch
    from diffusers import UNet2DConditionModel

    from safelight.engine.networks.faithdiff import LQ_PREFIX, LQEncoder

    with torch.device("meta"):
        unet, encoder = UNet2DConditionModel.from_config(dict(unet_config)), LQEncoder()
    shapes = _shapes(unet) | {f"{LQ_PREFIX}{name}": shape for name, shape in _shapes(encoder).items()}
    return shapes | _alignment_shapes(unet.config["block_out_channels"][0])


def _shapes(network: nn.Module) -> Shapes:
    return {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}


def _alignment_shapes(channels: int) -> Shapes:
    """With the query and key projections, which have no effect (`networks.faithdiff`)."""
    from safelight.engine.networks.faithdiff import ALIGNMENT_PREFIXES, BLOCKS, HIDDEN_RATIO, LQ_CHANNELS

    layers, embedding, projection = ALIGNMENT_PREFIXES
    width, hidden = 2 * channels, HIDDEN_RATIO * 2 * channels
    shapes: Shapes = {
        **_affine(f"{embedding}norm_in", LQ_CHANNELS),
        **_affine(f"{embedding}conv_in", LQ_CHANNELS, LQ_CHANNELS, 3, 3),
        **_affine(f"{embedding}conv_out", channels, LQ_CHANNELS, 3, 3),
        **_affine(projection.removesuffix("."), channels, width),
    }
    for i in range(BLOCKS):
        layer = f"{layers}{i}."
        shapes |= {
            f"{layer}attn.in_proj_weight": (3 * width, width),
            f"{layer}attn.in_proj_bias": (3 * width,),
            **_affine(f"{layer}attn.out_proj", width, width),
            **_affine(f"{layer}ln_1", width),
            **_affine(f"{layer}ln_2", width),
            **_affine(f"{layer}mlp.c_fc", hidden, width),
            **_affine(f"{layer}mlp.c_proj", width, hidden),
        }
    return shapes


def _affine(name: str, out: int, *into: int) -> Shapes:
    return {f"{name}.weight": (out, *into), f"{name}.bias": (out,)}
