"""Most bytes of tensors alive at once in FaithDiff's networks at their real size, counted without computing them.

python -m tests.bench.live_memory     in bf16, beside the weights

On torch's meta device: every operation allocates what it would, and nothing is computed. Attention counts its result
and not its matrix, as fused kernels do; workspaces of kernels and what an allocator rounds up are not in it.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any
from unittest import mock

import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL, UNet2DConditionModel
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from safelight.engine.networks.faithdiff import LQEncoder, align, aligned_with
from tests.fakes import sdxl

META, BF16 = torch.device("meta"), torch.bfloat16


class Live(TorchDispatchMode):
    """Counts storages while they are alive."""

    def __init__(self) -> None:
        super().__init__()
        self._alive: dict[int, int] = {}
        self._now = 0
        self.peak = 0

    def __torch_dispatch__(self, operation: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = operation(*args, **(kwargs or {}))
        for tensor in tree_leaves(out):
            if isinstance(tensor, torch.Tensor):
                self._seen(tensor.untyped_storage())
        return out

    def _seen(self, storage: torch.UntypedStorage) -> None:
        key = storage._cdata
        if key not in self._alive:
            self._alive[key] = storage.nbytes()
            self._now += storage.nbytes()
            self.peak = max(self.peak, self._now)
            weakref.finalize(storage, self._gone, key)

    def _gone(self, key: int) -> None:
        self._now -= self._alive.pop(key, 0)


def peak_bytes(call: Callable[[], object]) -> int:
    def fused(query: torch.Tensor, *_: Any, **__: Any) -> torch.Tensor:
        return torch.empty_like(query)

    with mock.patch.object(F, "scaled_dot_product_attention", fused), torch.inference_mode(), Live() as live:
        call()
    return live.peak


def main() -> None:
    with META:
        unet, vae = UNet2DConditionModel.from_config(sdxl.UNET), AutoencoderKL.from_config(sdxl.VAE)
        encoder = LQEncoder()
        align(unet)
        for network in (unet, vae, encoder):
            nn.Module.to(network, BF16)
        for side in (1024, 1280):
            x = torch.empty(1, 3, side, side, dtype=BF16)
            for name, network in (("LQ encoder", encoder), ("VAE encoder", vae.encoder)):
                print(f"{name}, {side} pixels: {peak_bytes(lambda n=network, x=x: n(x)) / 1e9:.2f} GB")
        for cells in (96, 128, 144):
            z = torch.empty(1, 4, cells, cells, dtype=BF16)
            print(f"VAE decoder, {8 * cells} pixels: {peak_bytes(lambda z=z: vae.decoder(z)) / 1e9:.2f} GB")
        for cells in (128, 160):
            print(
                f"UNet, both branches, {8 * cells} pixels: {peak_bytes(lambda c=cells: _step(unet, c)) / 1e9:.2f} GB"
            )


def _step(unet: Any, cells: int) -> None:
    def empty(*shape: int) -> torch.Tensor:
        return torch.empty(shape, dtype=BF16, device=META)

    conditions = {"text_embeds": empty(2, 1280), "time_ids": empty(2, 6)}
    with aligned_with(empty(1, 320, cells, cells)):
        unet(
            empty(2, 4, cells, cells),
            torch.ones((), device=META),
            encoder_hidden_states=empty(2, 77, 2048),
            added_cond_kwargs=conditions,
        )


if __name__ == "__main__":
    main()
