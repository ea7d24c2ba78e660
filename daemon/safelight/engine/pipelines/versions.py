"""Networks in the precisions that jobs ask for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch

from safelight.engine.checkpoints.weights import loaded_bytes
from safelight.engine.parts import Part, Parts
from safelight.engine.pipelines.base import Precision

DTYPES: Mapping[Precision, torch.dtype] = {
    "fp32": torch.float32,
    "bf16": torch.bfloat16,
    "fp16": torch.float16,
}


@dataclass(frozen=True)
class Place:
    """Where networks are wanted, and in which precision."""

    device: torch.device
    precision: Precision

    @property
    def dtype(self) -> torch.dtype:
        return DTYPES[self.precision]


@dataclass(frozen=True)
class Loaded:
    """A network with a pipeline's weights in it, in one place."""

    network: Any
    """UNet2DConditionModel or AutoencoderKL: diffusers' classes carry no usable types."""
    shared: tuple[Part[Any], ...] = ()
    """Parts that it is made with."""

    @cached_property
    def bytes(self) -> int:
        """Of what is not shared; counted once, for it is asked between all turns."""
        return loaded_bytes(self.network) - sum(part.bytes for part in self.shared)


Load = Callable[[Place], Loaded]


class Versions:
    """One network in the precisions that are asked for: the one that stays, and for as long as a job needs it another.
    Owned by the worker's thread."""

    def __init__(self, load: Load, device: torch.device, parts: Parts, *, first: Precision) -> None:
        """`first` is loaded at once."""
        self._load, self._device, self._parts = load, device, parts
        self._loaded: dict[Precision, Loaded] = {first: load(Place(device, first))}
        self._numbers = self.bytes // DTYPES[first].itemsize

    def at(self, precision: Precision) -> Any:
        """The network. Two precisions at most, one where there is no room for two."""
        if precision not in self._loaded:
            fits = self._parts.room(self._device, self._numbers * DTYPES[precision].itemsize)
            for other in list(self._loaded)[1 if fits else 0 :]:
                del self._loaded[other]
            self._loaded[precision] = self._load(Place(self._device, precision))
        return self._loaded[precision].network

    def keep(self, precision: Precision | None) -> None:
        """Only this one stays, or, where it is not loaded, the one that was loaded first."""
        for other in list(self._loaded)[0 if precision in self._loaded else 1 :]:
            if other != precision:
                del self._loaded[other]

    @property
    def bytes(self) -> int:
        return sum(loaded.bytes for loaded in self._loaded.values())

    @property
    def shared(self) -> tuple[Part[Any], ...]:
        return tuple(part for loaded in self._loaded.values() for part in loaded.shared)
