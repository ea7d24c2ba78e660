"""A VAE's layers with less work: the same sums in the same order of layers, fewer multiplications and temporaries.

Derived from the published definitions of diffusers' `ResnetBlock2D` and `Upsample2D` (Apache-2.0), whose weights they
take over. No weights of their own.

    residual block   activations and the final sum are computed in place, and the sum is not divided by 1
    upsampling       a 3x3 convolution of a picture enlarged twice by nearest neighbour sees each input pixel in two or
                     four of its taps. For each of the four places within a doubled pixel those taps add up to a 2x2
                     kernel on the input: 4/9 of the multiplications, and the enlarged picture is never made

The second changes the order of additions, so results differ by rounding. Measured at 512x512 on two cores: the decoder
takes 0.8 of its time in bfloat16, the encoder 0.96.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from diffusers.models.resnet import ResnetBlock2D
from diffusers.models.upsampling import Upsample2D
from torch import nn


def lighten(network: nn.Module) -> None:
    """Replaces the layers of a loaded encoder or decoder that have a lighter form. It takes no gradients after this."""
    for name, layer in list(network.named_modules()):
        if isinstance(layer, ResnetBlock2D) and ResidualBlock.can_stand_for(layer):
            network.set_submodule(name, ResidualBlock(layer))
        elif isinstance(layer, Upsample2D) and DoublingConvolution.can_stand_for(layer):
            network.set_submodule(name, DoublingConvolution(layer.conv))  # type: ignore[arg-type]
        elif isinstance(layer, nn.SiLU):
            layer.inplace = True  # only ever called on what a normalisation has just made


class ResidualBlock(nn.Module):
    """A residual block without time embedding. Layers keep the names that they have in diffusers."""

    def __init__(self, block: Any) -> None:
        super().__init__()
        self.norm1, self.conv1 = block.norm1, block.conv1
        self.norm2, self.conv2 = block.norm2, block.conv2
        self.conv_shortcut = block.conv_shortcut
        self.nonlinearity = nn.SiLU(inplace=True)
        self.output_scale_factor = 1.0

    @staticmethod
    def can_stand_for(block: Any) -> bool:
        plain = block.time_emb_proj is None and block.upsample is None and block.downsample is None
        same = block.output_scale_factor == 1 and isinstance(block.nonlinearity, nn.SiLU)
        return (
            plain and same and block.time_embedding_norm in ("default", "group")
        )  # alike without an embedding

    def forward(self, x: torch.Tensor, temb: None = None) -> torch.Tensor:
        """B C H W to B C' H W. `temb` is what diffusers passes where there is no time embedding."""
        deeper = self.conv1(self.nonlinearity(self.norm1(x)))
        deeper = self.conv2(self.nonlinearity(self.norm2(deeper)))
        out: torch.Tensor = deeper.add_(x if self.conv_shortcut is None else self.conv_shortcut(x))
        return out


class DoublingConvolution(nn.Module):
    """Nearest-neighbour enlargement by two and a 3x3 convolution in one."""

    def __init__(self, convolution: nn.Conv2d) -> None:
        super().__init__()
        kernel = convolution.weight
        kernels = [_merged(_merged(kernel.float(), 2, row), 3, column) for row in (0, 1) for column in (0, 1)]
        self.kernels = nn.ParameterList(nn.Parameter(_like(kernel, k), requires_grad=False) for k in kernels)
        self.bias = convolution.bias

    @staticmethod
    def can_stand_for(layer: Any) -> bool:
        convolution = layer.conv if layer.use_conv and layer.name == "conv" else None
        return (
            isinstance(convolution, nn.Conv2d)
            and layer.interpolate
            and layer.norm is None
            and not layer.use_conv_transpose
            and (convolution.kernel_size, convolution.stride, convolution.padding) == ((3, 3), (1, 1), (1, 1))
            and (convolution.dilation, convolution.groups, convolution.padding_mode) == ((1, 1), 1, "zeros")
        )

    def forward(self, x: torch.Tensor, output_size: None = None) -> torch.Tensor:
        """B C h w to B C' 2h 2w. `output_size` is what diffusers' decoders pass: none."""
        height, width = x.shape[-2:]
        out: torch.Tensor | None = None
        for place, kernel in enumerate(self.kernels):
            row, column = divmod(place, 2)
            part = F.conv2d(x, kernel, self.bias, padding=1)  # h + 1 by w + 1
            if out is None:
                format = torch.channels_last if _channels_last(part) else torch.contiguous_format
                size = (*part.shape[:2], 2 * height, 2 * width)
                out = torch.empty(size, dtype=x.dtype, device=x.device, memory_format=format)
            out[..., row::2, column::2] = part[..., row : row + height, column : column + width]
        assert out is not None
        return out


def _merged(kernel: torch.Tensor, dim: int, place: int) -> torch.Tensor:
    """Three taps along `dim` to two: the first of a doubled pixel (place 0) sees its own input pixel in the last two
    taps, the second in the first two."""
    before, middle, after = kernel.split(1, dim)
    return torch.cat((before, middle + after) if place == 0 else (before + middle, after), dim)


def _like(kernel: torch.Tensor, values: torch.Tensor) -> torch.Tensor:
    format = torch.channels_last if _channels_last(kernel) else torch.contiguous_format
    return values.to(kernel.dtype).contiguous(memory_format=format)


def _channels_last(tensor: torch.Tensor) -> bool:
    return tensor.is_contiguous(memory_format=torch.channels_last) and not tensor.is_contiguous()
