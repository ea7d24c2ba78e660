"""FaithDiff's networks from its files: the aligned UNet, the encoder of low-quality pictures and the VAE.

Each is filled straight from its file onto the device, one tensor at a time, in the precision that is wanted; the base's
own UNet is never read. The UNet, by far the largest, may keep its weights in 8 bits (float8 e4m3) and bring each layer
to the precision of the computation when it runs, by diffusers' layerwise casting.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, partial
from pathlib import Path
from typing import Any, Literal

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from diffusers.hooks.layerwise_casting import apply_layerwise_casting
from torch import nn

from safelight.engine.checkpoints.weights import configured, fill, numbers, weights_file
from safelight.engine.networks.faithdiff import LQEncoder, align, lq_name, own_name
from safelight.engine.networks.vae_layers import lighten
from safelight.engine.parts import Part, PartKey, Parts
from safelight.engine.pipelines.base import Precision
from safelight.engine.pipelines.base_networks import content_hash, empty, recorded_sha256
from safelight.engine.pipelines.versions import Loaded, Place

Storage = Literal["full", "fp8"]

FP8 = torch.float8_e4m3fn
RUNNING_BYTES = 2 << 30  # what a step on one tile of 1024 pixels takes beside the weights, roughly
EXACT = ("norm", "conv_in", "conv_out", "time_embedding", "add_embedding")
"""Parts of module names whose weights are never kept in 8 bits: normalisations and the small layers at both ends."""


class UNets:
    """UNets by precision and storage: the one that stays, and for as long as a job needs it another. Owned by the
    worker's thread."""

    def __init__(
        self, files: FaithDiffFiles, device: torch.device, parts: Parts, *, first: Precision
    ) -> None:
        """Loads one in `first`: in full where there is room for it, else in 8 bits."""
        self._files, self._device, self._parts = files, device, parts
        roomy = parts.room(device, self._bytes(first, "full") + RUNNING_BYTES)
        key: tuple[Precision, Storage] = first, "full" if roomy else "fp8"
        self._loaded = {key: self._load(*key)}

    def at(self, precision: Precision, weights: str) -> Any:
        """`weights` is full, fp8 or auto. Two UNets at most, one where there is no room for two; auto is fp8 where
        there is no room for a whole one either, such as one in fp32 for a tile that failed."""
        key: tuple[Precision, Storage] = precision, self.choice(weights)
        if key not in self._loaded:
            fits = self._parts.room(self._device, self._bytes(*key))
            for other in list(self._loaded)[1 if fits else 0 :]:
                del self._loaded[other]
            if weights == "auto" and not fits and not self._parts.room(self._device, self._bytes(*key)):
                key = precision, "fp8"
            self._loaded[key] = self._load(*key)
        return self._loaded[key].network

    def choice(self, weights: str) -> Storage:
        """auto is what was loaded first."""
        if weights == "auto":
            return self.storage
        return "fp8" if weights == "fp8" else "full"

    def keep(self, precision: Precision | None) -> None:
        """Only one stays: of this precision, or, where none is loaded, the one that was loaded first."""
        kept = next((key for key in self._loaded if key[0] == precision), next(iter(self._loaded)))
        self._loaded = {kept: self._loaded[kept]}

    @property
    def storage(self) -> Storage:
        """Of the one that stays."""
        return next(iter(self._loaded))[1]

    @property
    def bytes(self) -> int:
        return sum(loaded.bytes for loaded in self._loaded.values())

    def _load(self, precision: Precision, storage: Storage) -> Loaded:
        return Loaded(self._files.unet(Place(self._device, precision), storage))

    def _bytes(self, precision: Precision, storage: Storage) -> int:
        each = 1 if storage == "fp8" else Place(self._device, precision).dtype.itemsize
        return each * self._files.unet_numbers


class FaithDiffFiles:
    """Where the networks come from, and the parts that they are."""

    def __init__(self, base: Path, vae: Path, weights: Path, parts: Parts) -> None:
        """`base` and `vae` folders in diffusers' layout, `weights` the converted FaithDiff.bin."""
        self._base, self._vae, self._weights, self._parts = base, vae, weights, parts
        self._weights_hash = recorded_sha256(weights.parent, weights)
        self._known: dict[PartKey, Part[Any]] = {}

    @property
    def parts(self) -> tuple[Part[Any], ...]:
        """All that were asked for so far."""
        return tuple(self._known.values())

    def unet(self, place: Place, storage: Storage) -> Any:
        """A UNet2DConditionModel. Raises NotReady (CHECKPOINT_DAMAGED)."""
        unet = aligned_unet(self._base)
        fill(
            unet,
            self._weights,
            device=place.device,
            dtype=partial(_stored, unet, place.dtype) if storage == "fp8" else place.dtype,
            names=own_name,
        )
        if storage == "fp8":
            apply_layerwise_casting(unet, FP8, place.dtype, skip_modules_pattern=EXACT)
        return unet

    @cached_property
    def unet_numbers(self) -> int:
        """Of all tensors of the aligned UNet."""
        return numbers(aligned_unet(self._base))

    def lq_encoder(self, place: Place) -> Part[LQEncoder]:
        return self._part("LQ encoder", self._weights_hash, place, _lq_encoder, self._fill_lq_encoder)

    def vae(self, place: Place) -> Part[Any]:
        """AutoencoderKL."""
        make = partial(empty, AutoencoderKL, self._vae)
        return self._part("VAE", content_hash(self._vae, "."), place, make, self._fill_vae)

    def _part(
        self,
        title: str,
        content: str,
        place: Place,
        make: Callable[[], nn.Module],
        filled: Callable[[nn.Module, Place], None],
    ) -> Part[Any]:
        key = PartKey(title, content, str(place.device), place.precision)
        if key in self._known:
            return self._known[key]

        def load() -> nn.Module:
            network = make()
            filled(network, place)
            return network

        expected = numbers(make()) * place.dtype.itemsize
        part = self._parts.shared(key, lambda: Part(self._parts, key, load, expected_bytes=expected))
        self._known[key] = part
        return part

    def _fill_lq_encoder(self, network: nn.Module, place: Place) -> None:
        fill(network, self._weights, device=place.device, dtype=place.dtype, names=lq_name)
        lighten(network)

    def _fill_vae(self, network: nn.Module, place: Place) -> None:
        fill(network, weights_file(self._vae), device=place.device, dtype=place.dtype)
        lighten(network)


def _stored(network: nn.Module, dtype: torch.dtype, name: str) -> torch.dtype:
    """What a tensor is kept in where layerwise casting will do so."""
    holder = name.rpartition(".")[0]
    cast = isinstance(network.get_submodule(holder), nn.Linear | nn.Conv2d)
    return FP8 if cast and not any(part in holder for part in EXACT) else dtype


def aligned_unet(base: Path) -> Any:
    """Without memory, with the alignment in it. Raises NotReady (CHECKPOINT_DAMAGED)."""

    def make(config: dict[str, Any]) -> nn.Module:
        unet: nn.Module = UNet2DConditionModel.from_config(config)
        align(unet)
        return unet

    return configured(make, base / "unet")


def _lq_encoder() -> LQEncoder:
    with torch.device("meta"):
        encoder = LQEncoder()
    return encoder.requires_grad_(False).eval()
