"""S3Diff's degradation-guided low-rank layers: what a picture's two degradation scores do to a network.

Paper: "Degradation-Guided One-Step Image Super-Resolution with Diffusion Priors", arXiv 2409.17058. Official:
github.com/ArcticHare105/S3Diff, `src/s3diff.py`, `src/model.py` (Apache-2.0); weights `s3diff.pkl`.

    features   sin and cos of 2 pi d w for both scores d and the 64 stored frequencies w           (256 values)
    M_i        L3([relu(L1(features)), relu(L2(embedding of block i))]), an r x r matrix per block of the network
    layer      base(x) + 8 / r * B(M_i^T A(x)), A and B the layer's low-rank pair

Differences from the official code: the matrices are not left on the modules but travel with the call
(`modulation`), one per batch element where needed, so that layers stay immutable; and of the two exact forms of
the product each layer takes the cheaper one for its input: with Q = B M^T either base(x) + s Q(A(x)), or the base
layer with W + s Q A. The first costs r (C_in k^2 + C_out) per position, the second r C_out C_in k^2 in all.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import nn

LORA_ALPHA = 8  # peft's default; the official file does not carry it
MIDDLE = 4  # official: the mid block's place, behind four down blocks


class _Modulation(NamedTuple):
    matrices: torch.Tensor
    as_written: bool


_current: ContextVar[_Modulation | None] = ContextVar("modulation", default=None)


@contextmanager
def modulation(matrices: torch.Tensor, *, as_written: bool = False) -> Iterator[None]:
    """Calls of one network inside the block use `matrices`: B blocks r r, or 1 blocks r r for all elements of
    the batch alike. Belongs to the calling thread's context; nothing is left behind. `as_written`: in the order of
    the formula, whatever that costs."""
    token = _current.set(_Modulation(matrices, as_written))
    try:
        yield
    finally:
        _current.reset(token)


class ModulatedLowRank(nn.Module):
    """A convolution or linear layer with a low-rank pair whose middle is given per call."""

    def __init__(self, base: nn.Conv2d | nn.Linear, down: torch.Tensor, up: torch.Tensor, block: int) -> None:
        """`down` is A: r C_in (k k), `up` is B: C_out r (1 1), `block` which of the matrices it uses."""
        super().__init__()
        if isinstance(base, nn.Conv2d) and (base.groups != 1 or base.padding_mode != "zeros"):
            raise ValueError(f"no low-rank form for {base}")
        self.base = base
        self.down = nn.Parameter(down, requires_grad=False)
        self.up = nn.Parameter(up.flatten(1), requires_grad=False)
        self.rank = down.shape[0]
        self.scale = LORA_ALPHA / self.rank
        self.block = block

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """As the base layer's. Raises RuntimeError outside `modulation`."""
        modulation = _current.get()
        if modulation is None:
            raise RuntimeError("a modulated layer was called outside modulation()")
        middle = modulation.matrices[:, self.block].to(self.up.dtype)
        if modulation.as_written:
            return self._as_written(x, middle)
        mixed = self.scale * torch.matmul(self.up, middle.transpose(1, 2))  # B or 1, C_out, r
        if len(mixed) == 1 and self._cheaper_merged(x):
            delta = (mixed[0] @ self.down.flatten(1)).view_as(self.base.weight)
            return self._apply_base(x, self.base.weight + delta, self.base.bias)
        low = self._apply_base(x, self.down, None)
        if isinstance(self.base, nn.Linear):
            shape = (len(mixed), *[1] * (x.ndim - 3), *mixed.shape[1:])
            added = torch.matmul(low, mixed.view(shape).transpose(-1, -2))
        else:
            added = torch.matmul(mixed, low.flatten(2)).view(len(low), -1, *low.shape[2:])
        return self._apply_base(x, self.base.weight, self.base.bias) + added

    def _as_written(self, x: torch.Tensor, middle: torch.Tensor) -> torch.Tensor:
        low = self._apply_base(x, self.down, None)
        if isinstance(self.base, nn.Linear):
            added = F.linear(torch.einsum("...lk,...kr->...lr", low, middle), self.up)
        else:
            low = torch.einsum("...khw,...kr->...rhw", low, middle)
            added = F.conv2d(low, self.up[..., None, None])
        return self._apply_base(x, self.base.weight, self.base.bias) + added * self.scale

    def _cheaper_merged(self, x: torch.Tensor) -> bool:
        out, fan_in = self.base.weight.shape[0], self.base.weight[0].numel()
        positions = x.numel() // x.shape[-1]
        if isinstance(self.base, nn.Conv2d):
            positions = x.shape[0] * x.shape[2] * x.shape[3] // math.prod(self.base.stride)
        return out * fan_in < positions * (fan_in + out)

    def _apply_base(self, x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None) -> torch.Tensor:
        if isinstance(self.base, nn.Linear):
            return F.linear(x, weight, bias)
        return F.conv2d(x, weight, bias, self.base.stride, self.base.padding, self.base.dilation)


class ModulationHead(nn.Module):
    """From Fourier features to the matrices of all blocks of one network."""

    def __init__(
        self, tensors: Mapping[str, torch.Tensor], *, network: str, embeddings: torch.Tensor, rank: int
    ) -> None:
        """`network` is `vae` or `unet`; `tensors` has its three MLPs under their official names,
        `embeddings` blocks x 64."""
        super().__init__()
        self.scores = _linear(tensors, f"state_dict_{network}_de_mlp/0.")
        self.blocks = _linear(tensors, f"state_dict_{network}_block_mlp/0.")
        self.fuse = _linear(tensors, f"state_dict_{network}_fuse_mlp/")
        self.embeddings = nn.Parameter(embeddings.float(), requires_grad=False)
        self.rank = rank

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """B 256 to B blocks r r, float32."""
        degradation = torch.relu(self.scores(features))[:, None].expand(-1, len(self.embeddings), -1)
        place = torch.relu(self.blocks(self.embeddings))[None].expand(len(features), -1, -1)
        fused: torch.Tensor = self.fuse(torch.cat([degradation, place], dim=-1))
        return fused.view(*fused.shape[:2], self.rank, self.rank)


def fourier_features(scores: torch.Tensor, frequencies: torch.Tensor) -> torch.Tensor:
    """Scores B 2, 0..1, and frequencies (64) to B 256: sin and cos for the first score, then for the second."""
    phases = scores[..., None] * frequencies * (2 * math.pi)
    return torch.cat([phases.sin(), phases.cos()], dim=-1).flatten(1)


def modulate(network: nn.Module, pairs: Mapping[str, tuple[torch.Tensor, torch.Tensor]]) -> None:
    """Replaces the named layers by modulated ones with their (A, B)."""
    for name, (down, raised) in pairs.items():
        parent, _, child = name.rpartition(".")
        holder = network.get_submodule(parent)
        base = holder.get_submodule(child)
        if not isinstance(base, nn.Conv2d | nn.Linear):
            raise ValueError(f"{name} is a {type(base).__name__}, not a layer with a low-rank form")
        setattr(holder, child, ModulatedLowRank(base, down, raised, block_index(name)))


def block_index(name: str) -> int:
    """Which block's matrix a layer uses: down blocks first, then the mid block, the up blocks, and last what
    belongs to none. An encoder of a VAE is the same without up blocks. Places are those of networks with four down
    blocks, and stay empty where there are fewer."""
    parts = name.removeprefix("encoder.").split(".")
    match parts[0]:
        case "down_blocks":
            return int(parts[1])
        case "mid_block":
            return MIDDLE
        case "up_blocks":
            return MIDDLE + 1 + int(parts[1])
    return -1


def _linear(tensors: Mapping[str, torch.Tensor], prefix: str) -> nn.Linear:
    weight, bias = tensors[f"{prefix}weight"].float(), tensors[f"{prefix}bias"].float()
    layer = nn.Linear(weight.shape[1], weight.shape[0], device="meta")
    layer.load_state_dict({"weight": weight, "bias": bias}, assign=True)
    return layer.requires_grad_(False)
