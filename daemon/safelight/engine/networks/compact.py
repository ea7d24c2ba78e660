"""Safelight's own small restoration network, for any CPU: `CompactNetwork` and its weights file.

Paper: none of its own. The layout (plain 3x3 convolutions with PReLU at low resolution, pixel-shuffle head)
is the one that FSRCNN (arXiv 1608.00367) and ESPCN (arXiv 1609.05158) made common; written anew here.
Official repository: this one; licence Apache-2.0. Weights: `engine/weights/compact.safetensors`, made by
`daemon/training/` from procedural pictures only, stored as fp16. Deliberate differences from those papers: a
resampled copy of the input is added to the output (so an untrained network is bicubic enlargement), and one
constant input channel says how crisp the result shall be.

Speed, measured on CPU with AVX-512: float32 with `torch.channels_last` is the fastest safe choice, up to 2x
faster than the default memory format; bfloat16 pays only where the CPU has native bfloat16 arithmetic.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load, save
from torch import Tensor, nn


class CompactWeightsError(ValueError):
    """The weights file is missing, altered, or does not hold the network asked for."""


class Rectifier(nn.PReLU):
    """PReLU, bit for bit, without torch's slow kernel for 16-bit numbers on CPUs.

    Measured on 48 x 320 x 320 bfloat16, one thread: 11 ms there, 2 ms here, 19 ms for the convolution before it.
    """

    def forward(self, x: Tensor) -> Tensor:
        """`x` B,C,H,W; the same shape, dtype and memory format."""
        slow = x.device.type == "cpu" and x.dtype != torch.float32
        if not slow or torch.is_grad_enabled() or not bool((self.weight <= 1).all()):
            return super().forward(x)
        sloped = x * self.weight[:, None, None]
        return torch.maximum(x, sloped, out=sloped)  # the larger of the two wherever the slope is at most 1


class CompactNetwork(nn.Module):
    """3x3 convolutions with PReLU, a pixel-shuffle head, and a resampled copy of the input added at the end.

    At scale 1 the body works on 2x2 cells (pixel-unshuffle 2) and the copy is the input itself; at the other
    scales the body works on input pixels and the copy is Pillow's bicubic enlargement (a = -0.5, renormalised
    at the edges).
    """

    def __init__(self, *, scale: int, channels: int = 48, convs: int = 8) -> None:
        """`channels` wide; `convs` convolutions between the first one and the head."""
        super().__init__()
        self.scale = scale
        self.channels = channels
        self.convs = convs
        self.cell_px = 2 if scale == 1 else 1
        """Side in input pixels of what the body sees as one pixel; crops must start at multiples of it."""
        widths = [3 * self.cell_px**2 + 1, *[channels] * (convs + 1)]
        layers: list[nn.Module] = []
        for before, after in pairwise(widths):
            layers += [nn.Conv2d(before, after, 3, padding=1), Rectifier(after)]
        self.body = nn.Sequential(*layers)
        self.head = nn.Conv2d(channels, 3 * (scale * self.cell_px) ** 2, 3, padding=1)

    @property
    def receptive_field_px(self) -> int:
        """Radius in input pixels: what lies farther from an output pixel's place cannot change it."""
        return (self.convs + 2) * self.cell_px + self.cell_px - 1

    def initialise(self, generator: torch.Generator) -> None:
        """Set random weights from which training starts; with them the output is the skip to within 0.1.

        He initialisation with the PReLU slope and a head of deviation 1e-3: with torch's defaults, or with a
        zero head, training was measured to stay at the skip connection. At scale 1 that happened with He
        initialisation too; there the inner convolutions start as identity plus half of it.
        """
        for module in self.body:
            if not isinstance(module, nn.Conv2d):
                continue
            nn.init.kaiming_normal_(module.weight, a=0.25, generator=generator)
            nn.init.constant_(_bias(module), 0)
            if self.scale == 1 and module.in_channels == module.out_channels:
                module.weight.data.mul_(0.5)[range(self.channels), range(self.channels), 1, 1] += 1
        nn.init.normal_(self.head.weight, std=1e-3, generator=generator)
        nn.init.constant_(_bias(self.head), 0)

    def skip(self, x: Tensor) -> Tensor:
        """Return the copy of the input that the body corrects: B,3,H*scale,W*scale, same dtype and device."""
        if self.scale == 1:
            return x
        # With antialias=True torch uses a = -0.5 and renormalises at the edges, as Pillow does; without it,
        # a = -0.75.
        return F.interpolate(x, scale_factor=self.scale, mode="bicubic", antialias=True)

    def forward(self, x: Tensor, sharpness: float | Tensor = 0.0) -> Tensor:
        """Restore a batch of pictures.

        `x` is B,3,H,W, float, on the network's device, sRGB-encoded, 0 to 1; any H and W of at least 1.
        `sharpness` is 0 (faithful) to 1 (crisp), one value or a tensor B with one per picture.

        Returns B,3,H*scale,W*scale, dtype of `x`, not clipped. The body computes in the dtype of its weights,
        the copy of the input and the sum in the dtype of `x`. At scale 1 odd sides are extended by reflection
        and cut back.
        """
        height, width = x.shape[-2:]
        cells = F.pixel_unshuffle(_pad_to_multiple(x, self.cell_px), self.cell_px)
        level = torch.as_tensor(sharpness, dtype=x.dtype, device=x.device).reshape(-1, 1, 1, 1)
        condition = level.expand(x.shape[0], 1, *cells.shape[-2:])
        features = self.body(torch.cat([cells, condition], 1).to(self.head.weight.dtype))
        correction = F.pixel_shuffle(self.head(features), self.scale * self.cell_px).to(x.dtype)
        return correction[..., : height * self.scale, : width * self.scale].add_(self.skip(x))


def _bias(conv: nn.Conv2d) -> Tensor:
    assert conv.bias is not None
    return conv.bias


def _pad_to_multiple(x: Tensor, multiple: int) -> Tensor:
    """Extend right and bottom to a multiple by reflection, or by repetition where a side is a single
    pixel."""
    height, width = x.shape[-2:]
    if -height % multiple:
        x = F.pad(x, (0, 0, 0, -height % multiple), mode="reflect" if height > 1 else "replicate")
    if -width % multiple:
        x = F.pad(x, (0, -width % multiple, 0, 0), mode="reflect" if width > 1 else "replicate")
    return x


def save_compact(path: Path, networks: Mapping[int, CompactNetwork]) -> str:
    """Write the networks, keyed by scale, as fp16 to `path` and their SHA-256 beside it; return the SHA-256.

    Tensor names are `x<scale>.<name in the network>`; width and depth follow from the shapes.
    """
    tensors = {
        f"x{scale}.{name}": tensor.detach().to("cpu", torch.float16).contiguous()
        for scale, network in sorted(networks.items())
        for name, tensor in network.state_dict().items()
    }
    # More than one entry of metadata is written in random order, and the SHA-256 with it.
    content = save(tensors, metadata={"format": "pt"})
    digest = hashlib.sha256(content).hexdigest()
    path.write_bytes(content)
    path.with_suffix(".sha256").write_text(f"{digest}  {path.name}\n", encoding="ascii")
    return digest


def load_compact(path: Path, scale: int) -> CompactNetwork:
    """Return the network for `scale` from the weights file: float32, on the CPU, channels-last, in evaluation
    mode.

    The file is checked against the SHA-256 in the file of the same stem with suffix `.sha256`. Raises
    `CompactWeightsError` when either is missing, when they disagree, or when the file has no network for
    `scale`.
    """
    tensors = {
        name.removeprefix(f"x{scale}."): tensor.float()
        for name, tensor in load(_verified_content(path)).items()
        if name.startswith(f"x{scale}.")
    }
    if not tensors:
        raise CompactWeightsError(f"{path.name} holds no network for scale {scale}; ask for another scale.")
    convs = sum(tensor.ndim == 4 for tensor in tensors.values()) - 2
    network = CompactNetwork(scale=scale, channels=tensors["head.weight"].shape[1], convs=convs)
    try:
        network.load_state_dict(tensors)
    except RuntimeError as error:
        raise CompactWeightsError(
            f"{path.name}: the tensors for scale {scale} do not fit the network: {error}"
        ) from error
    # nn.Module.to loses the subclass in its annotation only for memory_format.
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network.requires_grad_(False).eval()


def _verified_content(path: Path) -> bytes:
    try:
        content = path.read_bytes()
        expected = path.with_suffix(".sha256").read_text(encoding="ascii").split()[0]
    except (OSError, IndexError) as error:
        raise CompactWeightsError(
            f"Cannot read {path} and its .sha256 file: {error}. Reinstall Safelight."
        ) from error
    found = hashlib.sha256(content).hexdigest()
    if found != expected:
        raise CompactWeightsError(
            f"{path.name} was altered or is incomplete: its SHA-256 is {found}, expected {expected}. "
            "Reinstall Safelight."
        )
    return content
