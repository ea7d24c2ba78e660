"""Pipeline `compact`: Safelight's own small network, one stage, for any CPU.

Paper: none; see `networks/compact.py` for the layout, where its weights come from and their licence.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import torch

from safelight.engine.checkpoints.weights import loaded_bytes
from safelight.engine.networks.compact import CompactNetwork, CompactWeightsError, load_compact
from safelight.engine.parts import Parts
from safelight.engine.pipelines.base import Conditioning, Pipeline, Precision
from safelight.engine.pipelines.compact_spec import COMPACT, WEIGHTS_FILE
from safelight.errors import NotReady
from safelight.settings import RestoreSettings

_DTYPES: Mapping[Precision, torch.dtype] = {
    "fp32": torch.float32,
    "bf16": torch.bfloat16,
    "fp16": torch.float16,
}


@dataclass(frozen=True)
class CompactConditioning(Conditioning):
    sharpness: float = 0.0


class CompactPipeline(Pipeline):
    """One network per magnification; a copy of each per precision, 4 MB in all."""

    spec = COMPACT
    looks_at_region = False

    def __init__(
        self,
        networks: Mapping[int, CompactNetwork],
        device: torch.device,
        *,
        checkpoint_hashes: Mapping[str, str],
    ) -> None:
        self.device = device
        self.checkpoint_hashes = checkpoint_hashes
        self._networks = {
            (scale, precision): _prepared(network, device, dtype)
            for scale, network in networks.items()
            for precision, dtype in _DTYPES.items()
        }

    @property
    def weights_bytes(self) -> int:
        return loaded_bytes(*self._networks.values())

    def condition(
        self, region: torch.Tensor, *, settings: RestoreSettings, magnification: int
    ) -> CompactConditioning:
        sharpness = float(settings.own.get("sharpness", 0.0))
        return CompactConditioning(magnification, {"sharpness": sharpness}, sharpness)

    def decode(
        self, tiles: torch.Tensor, *, conditioning: Conditioning, precision: Precision
    ) -> torch.Tensor:
        assert isinstance(conditioning, CompactConditioning)
        network = self._networks[conditioning.magnification, precision]
        y: torch.Tensor = network(tiles.contiguous(memory_format=torch.channels_last), conditioning.sharpness)
        return y


def load(device: torch.device, parts: Parts) -> CompactPipeline:
    """The networks from the wheel. Raises NotReady (CHECKPOINT_DAMAGED) when they were altered."""
    try:
        networks = {scale: load_compact(WEIGHTS_FILE, scale) for scale in COMPACT.magnifications}
        return CompactPipeline(networks, device, checkpoint_hashes=_hashes(WEIGHTS_FILE))
    except CompactWeightsError as error:
        raise NotReady(str(error), "CHECKPOINT_DAMAGED") from error


def _hashes(file: Path) -> dict[str, str]:
    return {file.name: file.with_suffix(".sha256").read_text(encoding="ascii").split()[0]}


def _prepared(network: CompactNetwork, device: torch.device, dtype: torch.dtype) -> CompactNetwork:
    copied = copy.deepcopy(network).to(device, dtype)
    copied.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return copied.requires_grad_(False).eval()
