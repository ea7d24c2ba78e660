"""FaithDiff's networks from its files: the aligned UNet, the encoder of low-quality pictures and the VAE.

Each is filled straight from its file onto the device, one tensor at a time, in the precision that is wanted; the base's
own UNet is never read. The UNet, by far the largest, may keep its weights in 8 bits (float8 e4m3) and bring each layer
to the precision of the computation when it runs, by diffusers' layerwise casting.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Literal

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from diffusers.hooks.layerwise_casting import apply_layerwise_casting
from torch import nn

from safelight.engine.checkpoints.weights import configured, fill, loaded_bytes, numbers, weights_file
from safelight.engine.networks.faithdiff import LQEncoder, align, lq_name, own_name
from safelight.engine.parts import Part, PartKey, Parts
from safelight.engine.pipelines.base import Precision
from safelight.engine.pipelines.base_networks import Place, content_hash, empty, recorded_sha256

Storage = Literal["full", "fp8"]

FP8 = torch.float8_e4m3fn
RUNNING_BYTES = 2 << 30  # what a step on one tile of 1024 pixels takes beside the weights, roughly
_EXACT = ("norm", "conv_in", "conv_out", "time_embedding", "add_embedding")
"""Parts of module names whose weights are never kept in 8 bits: normalisations and the small layers at both ends."""


class UNets:
    """UNets by precision and storage: the one that stays, and for as long as a job needs it another. Owned by the
    worker's thread."""

    def __init__(self, files: FaithDiffFiles, device: torch.device, parts: Parts) -> None:
        self._files, self._device, self._parts = files, device, parts
        self._loaded: dict[tuple[Precision, Storage], Any] = {}

    def at(self, precision: Precision, weights: str) -> Any:
        """`weights` is full, fp8, or auto: what is loaded in this precision, else full where there is room for it.
        Two UNets at most, one where there is no room for two."""
        key = precision, self._storage(precision, weights)
        if key not in self._loaded:
            fits = self._parts.room(self._device, self._bytes(*key))
            for other in list(self._loaded)[1 if fits else 0 :]:
                del self._loaded[other]
            self._loaded[key] = self._files.unet(Place(self._device, precision), key[1])
        return self._loaded[key]

    def keep(self, precision: Precision | None) -> None:
        """Only one stays: of this precision, or, where none is loaded, the one that was loaded first."""
        if self._loaded:
            kept = next((key for key in self._loaded if key[0] == precision), next(iter(self._loaded)))
            self._loaded = {kept: self._loaded[kept]}

    def storage(self, precision: Precision) -> str:
        """Of the UNet that is loaded in this precision, for people; empty: none is."""
        return next((kept for loaded, kept in self._loaded if loaded == precision), "")

    @property
    def bytes(self) -> int:
        return loaded_bytes(*self._loaded.values())

    def _storage(self, precision: Precision, weights: str) -> Storage:
        if weights == "auto":
            loaded = self.storage(precision)
            roomy = loaded == "full" or (
                not loaded and self._parts.room(self._device, self._bytes(precision, "full") + RUNNING_BYTES)
            )
            return "full" if roomy else "fp8"
        return "fp8" if weights == "fp8" else "full"

    def _bytes(self, precision: Precision, storage: Storage) -> int:
        return self._files.unet_bytes(Place(self._device, precision), storage)


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
            apply_layerwise_casting(unet, FP8, place.dtype, skip_modules_pattern=_EXACT)
        return unet

    def unet_bytes(self, place: Place, storage: Storage) -> int:
        return numbers(aligned_unet(self._base)) * (1 if storage == "fp8" else place.dtype.itemsize)

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

    def _fill_vae(self, network: nn.Module, place: Place) -> None:
        fill(network, weights_file(self._vae), device=place.device, dtype=place.dtype)


def _stored(network: nn.Module, dtype: torch.dtype, name: str) -> torch.dtype:
    """What a tensor is kept in where layerwise casting will do so."""
    holder = name.rpartition(".")[0]
    cast = isinstance(network.get_submodule(holder), nn.Linear | nn.Conv2d)
    return FP8 if cast and not any(part in holder for part in _EXACT) else dtype


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
