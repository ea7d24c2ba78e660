"""A few layers like those of diffusion networks, to try a device's arithmetic on: their own networks are too large to
have in two precisions at once, and what they cost is what such layers cost."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn

from safelight.engine.checkpoints.weights import layout
from safelight.engine.pipelines.base import Precision

CHANNELS, SIDE = 256, 32
"""Of a UNet's middle resolution: 3 GFLOP, some 30 ms in fp32 on one core."""
SEED = 0
SPREAD = 1 / 8
"""Of the output, around 0.5: four deviations of normalised numbers fill a picture's 0..1."""
DTYPES: dict[Precision, torch.dtype] = {
    "fp32": torch.float32,
    "bf16": torch.bfloat16,
    "fp16": torch.float16,
}


class LayerSample:
    """Callable with a precision: the output of the same layers on the same input, 1 C H W float32 about 0..1."""

    def __init__(self, device: torch.device) -> None:
        generator = torch.Generator().manual_seed(SEED)
        self._input = torch.randn(1, CHANNELS, SIDE, SIDE, generator=generator).to(device)
        self._networks = {name: _Layers(generator.manual_seed(SEED)).to(device) for name in DTYPES}
        for name, dtype in DTYPES.items():
            self._networks[name].to(dtype=dtype, memory_format=layout(dtype))  # type: ignore[call-overload]

    def __call__(self, precision: Precision) -> torch.Tensor:
        dtype = DTYPES[precision]
        with torch.inference_mode():
            y = self._networks[precision](self._input.to(dtype).contiguous(memory_format=layout(dtype)))
            picture: torch.Tensor = 0.5 + SPREAD * y.float()
        return picture


class _Layers(nn.Module):
    """A residual block, and a linear layer to four times the width and back; normalised."""

    def __init__(self, generator: torch.Generator) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.GroupNorm(CHANNELS // 8, CHANNELS) for _ in range(3))
        self.convolutions = nn.ModuleList(nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1) for _ in range(2))
        self.wider, self.back = nn.Linear(CHANNELS, 4 * CHANNELS), nn.Linear(4 * CHANNELS, CHANNELS)
        for parameter in self.parameters():
            if parameter.ndim > 1:  # norms keep their ones
                fan_in = parameter[0].numel()
                parameter.data = torch.randn(parameter.shape, generator=generator) / fan_in**0.5
        for layer in (*self.convolutions, self.wider, self.back):
            nn.init.zeros_(layer.bias)
        self.requires_grad_(False).eval()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        deeper = x
        for norm, convolution in zip(self.norms, self.convolutions, strict=False):
            deeper = convolution(F.silu(norm(deeper)))
        x = x + deeper
        places = x.flatten(2).transpose(1, 2)
        places = places + self.back(F.gelu(self.wider(places)))
        out: torch.Tensor = self.norms[2](places.transpose(1, 2).unflatten(2, x.shape[2:]))
        return out
