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

    from safelight.engine.networks.faithdiff import LQ_PREFIX, Alignment, LQEncoder

    with torch.device("meta"):
        unet, encoder = UNet2DConditionModel.from_config(dict(unet_config)), LQEncoder()
        alignment = Alignment(unet.config["block_out_channels"][0])
    return _shapes(unet) | _shapes(alignment) | _shapes(encoder, LQ_PREFIX)


def _shapes(network: nn.Module, prefix: str = "") -> Shapes:
    return {f"{prefix}{name}": tuple(tensor.shape) for name, tensor in network.state_dict().items()}
