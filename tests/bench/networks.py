"""A network of the size of Real-ESRGAN's compact one, for speed only: its weights are random.

Layout as the name "SRVGG" stands for (Wang et al., Real-ESRGAN, arXiv 2107.10833, and its model notes): plain
3x3 convolutions with PReLU at input size, pixel shuffle at the end, nearest-neighbour copy added. 64 channels,
32 inner convolutions, factor 4: 1.2 M parameters. Written from that description.
"""

from __future__ import annotations

import copy
from dataclasses import replace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from safelight.engine.networks.compact import Rectifier
from safelight.engine.pipelines.base import Conditioning, Pipeline, Precision
from safelight.engine.pipelines.compact_spec import COMPACT
from safelight.settings import RestoreSettings

CHANNELS, CONVS, FACTOR = 64, 32, 4
DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}


class Srvgg(nn.Module):
    """B,3,H,W in 0..1 to B,3,4H,4W."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for before in (3, *[CHANNELS] * CONVS):
            layers += [nn.Conv2d(before, CHANNELS, 3, padding=1), Rectifier(CHANNELS)]
        self.body = nn.Sequential(*layers, nn.Conv2d(CHANNELS, 3 * FACTOR**2, 3, padding=1))

    def forward(self, x: Tensor) -> Tensor:
        detail = F.pixel_shuffle(self.body(x.to(self.body[0].weight.dtype)), FACTOR)
        # Random weights would be refused by the sentinel and computed again: their share is made small.
        return F.interpolate(x, scale_factor=FACTOR, mode="nearest") + 1e-3 * detail.to(x.dtype)


class SrvggPipeline(Pipeline):
    """The same tiles and the same memory format as `compact`."""

    spec = replace(COMPACT, id="srvgg", magnifications=(FACTOR,), settings=(), presets={})
    device = torch.device("cpu")
    checkpoint_hashes: dict[str, str] = {}  # noqa: RUF012
    weights_bytes = 0

    def __init__(self) -> None:
        torch.manual_seed(0)
        network = Srvgg().requires_grad_(False).eval()
        self.parameters = sum(p.numel() for p in network.parameters())
        self._networks = {
            name: copy.deepcopy(network).to(dtype=dtype).to(memory_format=torch.channels_last)
            for name, dtype in DTYPES.items()
        }

    def condition(self, region: Tensor, *, settings: RestoreSettings, magnification: int) -> Conditioning:
        return Conditioning(magnification, {})

    def decode(self, tiles: Tensor, *, conditioning: Conditioning, precision: Precision) -> Tensor:
        return self._networks[precision](tiles.contiguous(memory_format=torch.channels_last))
