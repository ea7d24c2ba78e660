"""FaithDiff's own networks: the encoder of low-quality pictures and the alignment in the UNet's input.

Paper: "FaithDiff: Unleashing Diffusion Priors for Faithful Image Super-resolution" (CVPR 2025), arXiv 2411.18824.
Official: github.com/JyChen9811/FaithDiff (MIT); weights `FaithDiff.bin`, the state dict of a whole SDXL UNet with these
networks in it.

    f   LQEncoder(x), x in -1..1                                                              512 channels at 1/8 size
    e   Conv(SiLU(Conv(GroupNorm(f))))                                                                    320 channels
    h   the UNet's input convolution                                                                      320 channels
    z   concat(h, e), one token per latent cell; twice z += mix(LN(z)), z += narrow(quickgelu(widen(LN(z))))
    h'  h + project(z), which replaces h: the first down block's input and the first skip connection

Differences from the official code: its attention module takes the batch for the sequence, so it mixes the two guidance
branches of a tile at the same cell; these are equal, the softmax weights are 1/2 each, and what is left is the output
projection of the values. That product is folded into one linear layer `mix` here, in which nothing of a batch can
meet. h' is computed once per tile and repeated for the branches, and e travels with the call (`aligned_with`): it does
not depend on the step.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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
"""Of the official names; the misspelling is theirs."""

_current: ContextVar[torch.Tensor | None] = ContextVar("alignment", default=None)


@contextmanager
def aligned_with(embedding: torch.Tensor) -> Iterator[None]:
    """Calls of one UNet inside the block see `embedding`, N C h w of N tiles (`Alignment.embed`), in its dtype and on
    its device. Their batch is a multiple of N and repeats the tiles: i, N + i, 2 N + i have equal latents. Belongs to
    the calling thread's context; nothing is left behind."""
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


class AlignmentBlock(nn.Module):
    """One layer on tokens ... width."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm_mix, self.norm_widen = nn.LayerNorm(width), nn.LayerNorm(width)
        self.mix = nn.Linear(width, width)
        self.widen = nn.Linear(width, HIDDEN_RATIO * width)
        self.narrow = nn.Linear(HIDDEN_RATIO * width, width)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        tokens = tokens + self.mix(self.norm_mix(tokens))
        hidden = self.widen(self.norm_widen(tokens))
        out: torch.Tensor = tokens + self.narrow(hidden * torch.sigmoid(QUICK_GELU * hidden))
        return out


class Alignment(nn.Module):
    """From h and e to what is added to h. Every cell is computed for itself, but for `embed`."""

    def __init__(self, channels: int) -> None:
        """`channels` of the UNet's input convolution."""
        super().__init__()
        self.norm_in = nn.GroupNorm(GROUPS, LQ_CHANNELS, eps=1e-6)
        self.conv_in = nn.Conv2d(LQ_CHANNELS, LQ_CHANNELS, 3, padding=1)
        self.conv_out = nn.Conv2d(LQ_CHANNELS, channels, 3, padding=1)
        self.blocks = nn.ModuleList(AlignmentBlock(2 * channels) for _ in range(BLOCKS))
        self.project = nn.Linear(2 * channels, channels)

    def embed(self, features: torch.Tensor) -> torch.Tensor:
        """f of a tile, B 512 h w, to its e, B C h w; its group norm sees the tile."""
        embedding: torch.Tensor = self.conv_out(F.silu(self.conv_in(self.norm_in(features))))
        return embedding

    def forward(self, h: torch.Tensor, embedding: torch.Tensor) -> torch.Tensor:
        """B C h w and B C h w to B C h w."""
        tokens = torch.cat([h, embedding], dim=1).movedim(1, -1)  # B h w 2C
        for block in self.blocks:
            tokens = block(tokens)
        residual: torch.Tensor = self.project(tokens).movedim(-1, 1)
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
    """A key of FaithDiff.bin as the aligned UNet's state dict names it; the LQ encoder's keys keep theirs. The
    alignment's attention has no counterpart: see `folded`."""
    for old, new in _NAMES:
        if official.startswith(old):
            return "conv_in." + new + official.removeprefix(old)
    if official.startswith(ALIGNMENT_PREFIXES[0]):
        layer, _, name = official.removeprefix(ALIGNMENT_PREFIXES[0]).partition(".")
        for old, new in _BLOCK_NAMES:
            if name.startswith(old):
                return f"conv_in.alignment.blocks.{layer}.{new}{name.removeprefix(old)}"
    return official


def folded(tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """`mix` of every block under its own name, float32: output projection times value projection, of the official
    attention's tensors (those of a block are `{prefix}{i}.attn.*`)."""
    result: dict[str, torch.Tensor] = {}
    for i in range(BLOCKS):
        prefix = f"{ALIGNMENT_PREFIXES[0]}{i}.attn."
        out, shift = (tensors[f"{prefix}out_proj.{name}"].float() for name in ("weight", "bias"))
        value, value_shift = (tensors[f"{prefix}in_proj_{name}"].float() for name in ("weight", "bias"))
        width = len(out)
        own = f"conv_in.alignment.blocks.{i}.mix."
        result[f"{own}weight"] = out @ value[2 * width :]  # rows: query, key, value
        result[f"{own}bias"] = out @ value_shift[2 * width :] + shift
    return result


_NAMES = (
    ("conv_in.", "convolution."),
    ("condition_embedding.", "alignment."),
    ("spatial_ch_projs.", "alignment.project."),
)
_BLOCK_NAMES = (
    ("ln_1.", "norm_mix."),
    ("ln_2.", "norm_widen."),
    ("mlp.c_fc.", "widen."),
    ("mlp.c_proj.", "narrow."),
)
