"""FaithDiff's own networks: the encoder of low-quality pictures and the alignment in the UNet's input.

Paper: "FaithDiff: Unleashing Diffusion Priors for Faithful Image Super-resolution" (CVPR 2025), arXiv 2411.18824.
Official: github.com/JyChen9811/FaithDiff (MIT); weights `FaithDiff.bin`, the state dict of a whole SDXL UNet with these
networks in it.

    f   LQEncoder(x), x in -1..1                                                              512 channels at 1/8 size
    e   Conv(SiLU(Conv(GroupNorm(f))))                                                                    320 channels
    h   the UNet's input convolution                                                                      320 channels
    z   concat(h, e), one token per latent cell; twice z += attn(LN(z)), z += c_proj(quickgelu(c_fc(LN(z))))
    h'  h + projection(z), which replaces h: the first down block's input and the first skip connection

Differences from the official code: its attention module takes the batch for the sequence, so it mixes the two guidance
branches of a tile at the same cell; these are equal, the softmax weights are 1/2 each, and what is left is the output
projection of the values: that alone is computed here, and nothing of a batch can meet. h' is computed once per tile
and repeated for the branches, and e travels with the call (`aligned_with`): it does not depend on the step.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import torch
import torch.nn.functional as F
from diffusers.models.autoencoders.vae import Encoder
from torch import nn

LQ_WIDTHS = (128, 256, 512, 512)  # official, fixed in the class; the encoder of a Stable Diffusion VAE
LQ_LAYERS = 2
LQ_CHANNELS = LQ_WIDTHS[-1]
GROUPS = 32
BLOCKS = 2  # official, fixed in the class
HIDDEN_RATIO = 2  # of a block's hidden layer over its width
QUICK_GELU = 1.702

LQ_PREFIX = "denoise_encoder."
ALIGNMENT_PREFIXES = ("information_transformer_layes.", "condition_embedding.", "spatial_ch_projs.")
"""Official names; the misspelling is theirs."""

_current: ContextVar[torch.Tensor | None] = ContextVar("alignment", default=None)


@contextmanager
def aligned_with(embedding: torch.Tensor) -> Iterator[None]:
    """Calls of one UNet inside the block see `embedding`, N C h w of N tiles (`ConditionEmbedding`), in its dtype and
    on its device. Their batch is a multiple of N and repeats the tiles: i, N + i, 2 N + i have equal latents. Belongs
    to the calling thread's context; nothing is left behind."""
    token = _current.set(embedding)
    try:
        yield
    finally:
        _current.reset(token)


class LQEncoder(nn.Module):
    """The encoder of a Stable Diffusion VAE up to and with its middle block. B 3 H W in -1..1, sides multiples of
    8, to B 512 H/8 W/8; group norms and one attention see the whole of what they are given."""

    def __init__(self) -> None:
        super().__init__()
        encoder = Encoder(
            down_block_types=("DownEncoderBlock2D",) * len(LQ_WIDTHS),
            block_out_channels=LQ_WIDTHS,
            layers_per_block=LQ_LAYERS,
            norm_num_groups=GROUPS,
        )
        self.conv_in, self.down_blocks = encoder.conv_in, encoder.down_blocks
        self.mid_block = encoder.mid_block

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.conv_in(x)
        for block in self.down_blocks:
            x = block(x)
        features: torch.Tensor = self.mid_block(x)
        return features


class ValueAttention(nn.Module):
    """What is left of the official attention among equal items. Holds its query and key projections too: the shapes
    are the file's."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.in_proj_weight = nn.Parameter(torch.empty(3 * width, width))  # rows: query, key, value
        self.in_proj_bias = nn.Parameter(torch.empty(3 * width))
        self.out_proj = nn.Linear(width, width)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        value = slice(2 * tokens.shape[-1], None)
        out: torch.Tensor = self.out_proj(
            F.linear(tokens, self.in_proj_weight[value], self.in_proj_bias[value])
        )
        return out


class QuickGELU(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * torch.sigmoid(QUICK_GELU * x)


class AlignmentBlock(nn.Module):
    """One layer on tokens ... width."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.attn = ValueAttention(width)
        self.ln_1, self.ln_2 = nn.LayerNorm(width), nn.LayerNorm(width)
        layers = {
            "c_fc": nn.Linear(width, HIDDEN_RATIO * width),
            "gelu": QuickGELU(),
            "c_proj": nn.Linear(HIDDEN_RATIO * width, width),
        }
        self.mlp = nn.Sequential(OrderedDict(layers))

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        tokens = tokens + self.attn(self.ln_1(tokens))
        out: torch.Tensor = tokens + self.mlp(self.ln_2(tokens))
        return out


class ConditionEmbedding(nn.Module):
    """f of a tile, B 512 h w, to its e, B C h w; its group norm sees the tile."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm_in = nn.GroupNorm(GROUPS, LQ_CHANNELS, eps=1e-6)
        self.conv_in = nn.Conv2d(LQ_CHANNELS, LQ_CHANNELS, 3, padding=1)
        self.conv_out = nn.Conv2d(LQ_CHANNELS, channels, 3, padding=1)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        embedding: torch.Tensor = self.conv_out(F.silu(self.conv_in(self.norm_in(features))))
        return embedding


class Alignment(nn.Module):
    """From h and e to what is added to h: every cell is computed for itself. The parts have their official names."""

    def __init__(self, channels: int) -> None:
        """`channels` of the UNet's input convolution."""
        super().__init__()
        self.condition_embedding = ConditionEmbedding(channels)
        self.information_transformer_layes = nn.ModuleList(
            AlignmentBlock(2 * channels) for _ in range(BLOCKS)
        )
        self.spatial_ch_projs = nn.Linear(2 * channels, channels)

    def forward(self, h: torch.Tensor, embedding: torch.Tensor) -> torch.Tensor:
        """B C h w and B C h w to B C h w."""
        tokens = torch.cat([h, embedding], dim=1).movedim(1, -1)  # B h w 2C
        for block in self.information_transformer_layes:
            tokens = block(tokens)
        residual: torch.Tensor = self.spatial_ch_projs(tokens).movedim(-1, 1)
        return residual


class AlignedInput(nn.Module):
    """A UNet's input convolution with the alignment behind it; stands in its place."""

    def __init__(self, convolution: nn.Conv2d) -> None:
        super().__init__()
        self.convolution = convolution
        self.alignment = Alignment(convolution.out_channels)

    def forward(self, latent: torch.Tensor) -> torch.Tensor:
        """As the convolution's. Raises RuntimeError outside `aligned_with`, or for a batch that does not fit it."""
        embedding = _current.get()
        if embedding is None or len(latent) % len(embedding):
            raise RuntimeError("an aligned UNet was called outside aligned_with(), or with another batch")
        h: torch.Tensor = self.convolution(latent[: len(embedding)])
        h = h + self.alignment(h, embedding)
        return h.repeat(len(latent) // len(embedding), 1, 1, 1)


def align(unet: Any) -> None:
    """Puts the alignment into a diffusers UNet, without weights."""
    unet.conv_in = AlignedInput(unet.conv_in)


def own_name(official: str) -> str:
    """A key of FaithDiff.bin as the aligned UNet's state dict names it; empty for the LQ encoder's."""
    if official.startswith(LQ_PREFIX):
        return ""
    if official.startswith(ALIGNMENT_PREFIXES):
        return f"conv_in.alignment.{official}"
    return (
        official.replace("conv_in.", "conv_in.convolution.") if official.startswith("conv_in.") else official
    )


def lq_name(official: str) -> str:
    """A key of FaithDiff.bin as the LQ encoder's state dict names it; empty for all others."""
    return official.removeprefix(LQ_PREFIX) if official.startswith(LQ_PREFIX) else ""
