"""The one interface between how a paper works and everything else.

A pipeline is loaded once and immutable afterwards: what differs between jobs travels as arguments
(`Conditioning`, `precision`), never as attributes left on a module. A one-stage network implements
`condition` and `decode`; staged ones also `encode` and `predict`. A new method is one new file here and one
line in `registry.py`.

All tensors are B C H W on the pipeline's device, but for the region that `condition` sees. Network input x
and output y are float32 sRGB-encoded RGB in 0..1; what lies between belongs to the pipeline.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
import numpy.typing as npt
import torch

from safelight.geometry import Size
from safelight.imaging.pixels import FloatArray
from safelight.settings import RestoreSettings
from safelight.spec import PipelineSpec, SettingValue

if TYPE_CHECKING:
    from safelight.engine.features import FeaturePlane
    from safelight.engine.parts import Part

Precision = Literal["fp32", "bf16", "fp16"]
Origins = tuple[tuple[int, int], ...]
"""Column and row of each tile's first cell, in absolute latent cells (network pixels without latents)."""

Picture = npt.NDArray[np.uint8]
"""H W 3, sRGB."""
Tap = Callable[[str, torch.Tensor], None]
"""Is told intermediate tensors by name; must not change them."""
TileProgress = tuple[str, int, int]
"""Stage, tiles done and tiles in all."""


def no_tap(name: str, tensor: torch.Tensor) -> None:
    """Nobody listens."""


@dataclass(frozen=True)
class Conditioning:
    """What a job's network calls depend on besides pixels. Pipelines subclass it with their tensors."""

    magnification: int
    """Output pixels per input pixel of this job, one of the spec's magnifications."""
    report: Mapping[str, SettingValue] = field(default_factory=dict)
    """Values found out on the way that the person should see: text used, degradation scores."""


class RegionSource(Protocol):
    """The region with its context at document size, read in rows: it may be larger than memory."""

    @property
    def size(self) -> Size: ...

    def rows(self, start: int, end: int) -> FloatArray:
        """Rows start..end, H W 3, float32 sRGB-encoded 0..1."""


class PictureSource:
    """A whole 8-bit picture as a RegionSource."""

    def __init__(self, picture: Picture) -> None:
        self.size = Size(picture.shape[1], picture.shape[0])
        self._picture = picture

    def rows(self, start: int, end: int) -> FloatArray:
        return self._picture[start:end].astype(np.float32) / np.float32(255)


def as_picture(source: RegionSource) -> Picture:
    """All of it, 8 bits."""
    rows = np.clip(source.rows(0, source.size.height), 0, 1)
    picture: Picture = np.rint(rows * np.float32(255)).astype(np.uint8)
    return picture


class Pipeline(ABC):
    """See the module. Calls may come from one thread only, under `torch.inference_mode`."""

    spec: PipelineSpec
    device: torch.device
    checkpoint_hashes: Mapping[str, str]
    """Weights file name to SHA-256, for the record."""
    looks_at_region = True
    """False: `condition` does not read the region's pixels, so rows that no tile needs may be missing there."""

    @property
    @abstractmethod
    def weights_bytes(self) -> int:
        """Of its own weights that are loaded now; shared parts count for themselves."""

    @property
    def parts(self) -> tuple[Part[Any], ...]:
        """Networks that it may share with other pipelines, loaded now or not."""
        return ()

    def kept_as(self, precision: str) -> str:
        """How its weights sit there, for people: `precision` is that of the last job."""
        return precision

    def rest(self, precision: Precision | None) -> None:
        """No job uses it any more; the last one ran in `precision`, where that is known. Frees what only a job
        needs: nothing by default."""
        return None

    def estimated(
        self, source: RegionSource, *, settings: RestoreSettings, enlarged: RegionSource | None = None
    ) -> Mapping[str, SettingValue]:
        """Own settings that are left to the pipeline, found out from the picture; asked before `condition`, which is
        then given them like settings of the person. `source` is at document size, `enlarged` at network input size
        (None: the pipeline enlarges as its authors do). None by default."""
        return {}

    def with_features(self, conditioning: Conditioning, features: FeaturePlane) -> Conditioning:
        """For pipelines whose spec has feature channels: the conditioning with the plane on which the job's features
        will be when `encode` has run, and which knows from the start where the job's region lies."""
        return conditioning

    @abstractmethod
    def condition(
        self, region: torch.Tensor, *, settings: RestoreSettings, magnification: int
    ) -> Conditioning:
        """Once per job, on the whole region with its context: 1 3 H W, 0..1, at network input size, on the host
        (memory-mapped when large: device memory must not grow with it)."""

    def encode(
        self,
        x: torch.Tensor,
        *,
        origins: Origins,
        conditioning: Conditioning,
        precision: Precision,
    ) -> torch.Tensor:
        """x tiles B 3 h w, sides multiples of `spec.latent_px`, to latents B C h/latent_px w/latent_px,
        float32, with the spec's feature channels behind them. `origins` as in `predict`, for noise. What else a canvas
        must remember from step to step are channels of the latent too."""
        raise NotImplementedError(f"{self.spec.id} has no encode stage")

    def predict(
        self,
        latent: torch.Tensor,
        *,
        step: int,
        origins: Origins,
        conditioning: Conditioning,
        precision: Precision,
    ) -> torch.Tensor:
        """Latent tiles to what is blended on the latent canvas at this step, same spatial size, float32.

        `origins` are the (column, row) of each tile's first cell in absolute latent cells.
        """
        raise NotImplementedError(f"{self.spec.id} has no predict stage")

    def step(
        self, latent: torch.Tensor, prediction: torch.Tensor, *, step: int, conditioning: Conditioning
    ) -> torch.Tensor:
        """The noise scheduler's step on a piece of the canvas, elementwise in space, float32."""
        raise NotImplementedError(f"{self.spec.id} has no predict stage")

    @abstractmethod
    def decode(
        self, tiles: torch.Tensor, *, conditioning: Conditioning, precision: Precision
    ) -> torch.Tensor:
        """Latent tiles, or x tiles for one-stage networks, to y tiles: B 3 h*k w*k, float32, unclipped;
        k = latent_px for staged pipelines, the magnification for one-stage ones."""

    def authors(
        self, picture: Picture, *, settings: RestoreSettings, precision: Precision, tap: Tap = no_tap
    ) -> Generator[TileProgress, None, Picture]:
        """What the authors' script makes of a whole 8-bit picture at `settings.output_scale`, bit for bit where the
        arithmetic is theirs; for pipelines with the own setting `authors_exact`. Stops between tiles. Tells
        `tap` at least `decoded`, the decoder's output. The result's size may differ from picture times scale."""
        raise NotImplementedError(f"{self.spec.id} has no authors' path")
