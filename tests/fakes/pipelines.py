"""Pipelines of plain arithmetic, for everything that is tested without a network."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType

import torch

from safelight.engine.parts import Parts
from safelight.engine.pipelines.base import Conditioning, Origins, Pipeline, Precision
from safelight.engine.pipelines.registry import Entry, Registry
from safelight.settings import RestoreSettings
from safelight.spec import MemoryModel, PipelineSpec, SettingSpec, StageTiling

Arithmetic = Callable[[torch.Tensor, Precision], torch.Tensor]

ONE_STAGE = PipelineSpec(
    id="identity",
    title="Identity",
    summary="Returns its input.",
    licence="Apache-2.0",
    licence_url="https://www.apache.org/licenses/LICENSE-2.0",
    generative=False,
    stages=MappingProxyType({"decode": StageTiling(tile=64, overlap=16, batch=2, least_tile=16)}),
    memory=MemoryModel(weights_bytes=0, bytes_per_tile_px=16),
    auto_short_side_px=None,
    context_fraction=0.0,
    context_least_px=16,
    low_band_from_document=False,
)

STAGED = replace(
    ONE_STAGE,
    id="staged",
    title="Staged",
    latent_px=8,
    steps=2,
    stages=MappingProxyType(
        {
            "encode": StageTiling(tile=64, overlap=16, multiple=8, batch=2, least_tile=16),
            "predict": StageTiling(tile=6, overlap=2, batch=2, least_tile=2),
            "decode": StageTiling(tile=10, overlap=4, batch=2, least_tile=2),
        }
    ),
)


class FakePipeline(Pipeline):
    """One stage: `arithmetic` of the tiles, enlarged by repeating pixels. Counts what it computed."""

    checkpoint_hashes: Mapping[str, str] = MappingProxyType({"fake.safetensors": "0" * 64})
    weights_bytes = 0

    def __init__(
        self, spec: PipelineSpec, arithmetic: Arithmetic, *, device: torch.device | None = None
    ) -> None:
        self.spec = spec
        self.device = device or torch.device("cpu")
        self.arithmetic = arithmetic
        self.calls: list[tuple[tuple[int, ...], Precision]] = []
        """Shape and precision of every decode call."""

    def condition(
        self, region: torch.Tensor, *, settings: RestoreSettings, magnification: int
    ) -> Conditioning:
        return Conditioning(magnification, {"mean": round(float(region.mean()), 6)})

    def decode(
        self, tiles: torch.Tensor, *, conditioning: Conditioning, precision: Precision
    ) -> torch.Tensor:
        self.calls.append((tuple(tiles.shape), precision))
        y = self.arithmetic(tiles, precision)
        factor = conditioning.magnification
        return y.repeat_interleave(factor, 2).repeat_interleave(factor, 3)


class StagedPipeline(FakePipeline):
    """Latents are the 192 values of an 8x8 block. Each step predicts the latent itself, which `step` scales by
    `gain` per step; so y = gain**steps * x, exactly where the gain is a power of two."""

    def __init__(self, *, gain: float = 1.0, spec: PipelineSpec = STAGED) -> None:
        super().__init__(spec, lambda tiles, precision: tiles)
        self.gain = gain
        self.origins: dict[str, list[tuple[int, int]]] = {"encode": [], "predict": []}

    def encode(
        self, x: torch.Tensor, *, origins: Origins, conditioning: Conditioning, precision: Precision
    ) -> torch.Tensor:
        self.origins["encode"] += origins
        return torch.pixel_unshuffle(x, self.spec.latent_px)

    def predict(
        self,
        latent: torch.Tensor,
        *,
        step: int,
        origins: Origins,
        conditioning: Conditioning,
        precision: Precision,
    ) -> torch.Tensor:
        self.origins["predict"] += origins
        return latent

    def step(
        self, latent: torch.Tensor, prediction: torch.Tensor, *, step: int, conditioning: Conditioning
    ) -> torch.Tensor:
        return self.gain * prediction

    def decode(
        self, tiles: torch.Tensor, *, conditioning: Conditioning, precision: Precision
    ) -> torch.Tensor:
        return torch.pixel_shuffle(tiles, self.spec.latent_px)


def fake(arithmetic: Arithmetic, *, spec: PipelineSpec = ONE_STAGE) -> FakePipeline:
    return FakePipeline(spec, arithmetic)


def identity(*, spec: PipelineSpec = ONE_STAGE) -> FakePipeline:
    return fake(lambda tiles, precision: tiles, spec=spec)


def brighten(amount: float, *, spec: PipelineSpec = ONE_STAGE) -> FakePipeline:
    return fake(lambda tiles, precision: tiles + amount, spec=spec)


def invert(*, spec: PipelineSpec = ONE_STAGE) -> FakePipeline:
    """Refused by the sentinel on most pictures."""
    return fake(lambda tiles, precision: 1 - tiles, spec=spec)


def nan_in(*precisions: Precision, amount: float = 0.05) -> FakePipeline:
    """Brightens, but returns NaN in the given precisions."""
    return fake(lambda tiles, p: tiles * float("nan") if p in precisions else tiles + amount)


def oom_above(most_px: int, *, amount: float = 0.05, spec: PipelineSpec = ONE_STAGE) -> FakePipeline:
    """Brightens, but has no memory for batches of more than `most_px` pixels."""

    def arithmetic(tiles: torch.Tensor, precision: Precision) -> torch.Tensor:
        if tiles.shape[0] * tiles.shape[2] * tiles.shape[3] > most_px:
            raise torch.OutOfMemoryError(f"fake device: {tuple(tiles.shape)} is above {most_px} pixels")
        return tiles + amount

    return fake(arithmetic, spec=spec)


def slow(wait: Callable[[], object], *, amount: float = 0.05) -> FakePipeline:
    """Brightens after `wait()` in every batch: a clock that is moved on, or an event that a test sets."""

    def arithmetic(tiles: torch.Tensor, precision: Precision) -> torch.Tensor:
        wait()
        return tiles + amount

    return fake(arithmetic)


# -- a registry of fakes: loaders are found by name, as those of real pipelines ------------------------

_MAGNIFYING = replace(ONE_STAGE, magnifications=(1, 2, 4))
_AMOUNT = SettingSpec("amount", "Amount", "float", 0.05, "How much brighter.", 0.0, 0.5)
BRIGHTEN = replace(_MAGNIFYING, id="brighten", title="Brighten", settings=(_AMOUNT,))


class Brightening(FakePipeline):
    """Brightens by its own setting `amount`."""

    def __init__(self, device: torch.device) -> None:
        super().__init__(BRIGHTEN, lambda tiles, precision: tiles, device=device)

    def condition(
        self, region: torch.Tensor, *, settings: RestoreSettings, magnification: int
    ) -> Conditioning:
        return Conditioning(magnification, {"amount": settings.own["amount"]})

    def decode(
        self, tiles: torch.Tensor, *, conditioning: Conditioning, precision: Precision
    ) -> torch.Tensor:
        y = super().decode(tiles, conditioning=conditioning, precision=precision)
        return y + float(conditioning.report["amount"])


def load_identity(device: torch.device, parts: Parts) -> Pipeline:
    return FakePipeline(_MAGNIFYING, lambda tiles, precision: tiles, device=device)


def load_brighten(device: torch.device, parts: Parts) -> Pipeline:
    return Brightening(device)


def load_staged(device: torch.device, parts: Parts) -> Pipeline:
    return StagedPipeline()


def load_broken(device: torch.device, parts: Parts) -> Pipeline:
    """NaN in every precision."""
    spec = replace(ONE_STAGE, id="broken", title="Broken")
    return FakePipeline(spec, lambda tiles, precision: tiles * float("nan"), device=device)


def fake_registry() -> Registry:
    """identity, brighten (setting `amount`), staged, broken, and `absent`, whose files are not installed."""
    specs = {
        "identity": _MAGNIFYING,
        "brighten": BRIGHTEN,
        "staged": STAGED,
        "broken": replace(ONE_STAGE, id="broken", title="Broken"),
    }
    entries = [Entry(spec, f"{__name__}:load_{name}", lambda: True) for name, spec in specs.items()]
    absent = replace(ONE_STAGE, id="absent", title="Absent")
    return Registry([*entries, Entry(absent, f"{__name__}:load_identity", lambda: False)])
