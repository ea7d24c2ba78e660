"""What a pipeline says about itself without being loaded: the facts every client and the engine plan with.

GIMP's dialog, the desktop panel and the command line are drawn from `PipelineSpec.settings`, so a new
pipeline appears in all of them without touching them. Plain data: no torch, no protos.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from safelight.errors import InvalidRequest

SettingValue = bool | int | float | str
SettingType = Literal["bool", "int", "float", "text", "choice"]

MAX_TEXT_CHARS = 4096  # a prompt is cut at 77 tokens anyway; bounds what a request can make us hold


@dataclass(frozen=True)
class SettingSpec:
    """One setting: enough to draw a control for it and to check a value."""

    name: str
    title: str
    type: SettingType
    default: SettingValue
    help: str
    minimum: float | None = None
    """Smallest value, inclusive; None where the type has no range."""
    maximum: float | None = None
    """Largest value, inclusive."""
    choices: tuple[str, ...] = ()
    """The words a `choice` takes."""
    unit: str = ""
    """`px`, `s`, ... ; empty for a plain number."""
    advanced: bool = False
    """True: folded away by default."""

    def check(self, value: SettingValue) -> SettingValue:
        """Returns `value` in the setting's own type; raises InvalidRequest with the allowed values."""
        checked = self._typed(value)
        if self.type in ("int", "float"):
            low = -math.inf if self.minimum is None else self.minimum
            high = math.inf if self.maximum is None else self.maximum
            if not low <= float(checked) <= high:  # also refuses NaN
                raise self._refused(value, f"give a number from {low:g} to {high:g}")
        if self.type == "choice" and checked not in self.choices:
            raise self._refused(value, "choose one of " + ", ".join(self.choices))
        if self.type == "text" and len(str(checked)) > MAX_TEXT_CHARS:
            raise self._refused(str(value)[:20] + "...", f"give at most {MAX_TEXT_CHARS} characters")
        return checked

    def parse(self, text: str) -> SettingValue:
        """Reads a value that a person typed, `--set NAME=VALUE`."""
        try:
            match self.type:
                case "bool":
                    return self.check(_BOOLEANS[text.lower()])
                case "int":
                    return self.check(int(text))
                case "float":
                    return self.check(float(text))
        except (KeyError, ValueError):
            raise self._refused(text, f"give {_EXPECTED[self.type]}") from None
        return self.check(text)

    def _typed(self, value: SettingValue) -> SettingValue:
        match self.type, value:
            case ("bool", bool()) | ("text" | "choice", str()):
                return value
            case "int", int() if not isinstance(value, bool):
                return value
            case "float", int() | float() if not isinstance(value, bool):
                return float(value)
        raise self._refused(value, f"give {_EXPECTED[self.type]}")

    def _refused(self, value: object, what_to_do: str) -> InvalidRequest:
        return InvalidRequest(
            f"the setting {self.name} cannot be {value!r}: {what_to_do}",
            "SETTING_OUT_OF_RANGE",
            details={"setting": self.name, "value": str(value)[:80]},
        )


_BOOLEANS = {"true": True, "yes": True, "on": True, "1": True} | {
    "false": False,
    "no": False,
    "off": False,
    "0": False,
}
_EXPECTED: Mapping[str, str] = {
    "bool": "true or false",
    "int": "a whole number",
    "float": "a number",
    "text": "a text",
    "choice": "one of the listed words",
}


@dataclass(frozen=True)
class StageTiling:
    """How one stage (encode, predict or decode) is cut into tiles. Lengths are in the stage's input plane:
    network pixels for encode and for one-stage pipelines, latent cells otherwise."""

    tile: int
    """Side of a square tile, overlap included."""
    overlap: int
    """True overlap of neighbouring tiles; the taper falls across all of it."""
    multiple: int = 1
    """Tile sides and offsets are multiples of this."""
    batch: int = 1
    """Tiles per call at most; the memory ladder lowers it."""
    least_tile: int = 64
    """The memory ladder does not go below this."""
    even: bool = False
    """True: `tile` is only the most, and tiles are as small as covers the plane with this overlap; for networks
    without a preferred size. False: all tiles have it, and the last ones overlap more."""
    most_tile: int = 0
    """Above `tile`: tiles are up to so large along an axis where fewer of them then cover the plane, and no larger
    than that takes."""


@dataclass(frozen=True)
class SentinelThresholds:
    """When a tile's output is refused. Differences are of sRGB-encoded values, 0..1."""

    mean_shift: float = 0.10
    """Largest difference of the tile's mean colour from its input's."""
    low_frequency: float = 0.20
    """Largest difference of any 1/8-tile block mean from the input's."""


@dataclass(frozen=True)
class MemoryModel:
    """Expected device memory: weights, plus bytes per network pixel of a running tile."""

    weights_bytes: int
    bytes_per_tile_px: int
    reduced: bool = False
    """True: both are those of two-byte precision, and in fp32 the weights take twice as much."""
    fp32_bytes_per_tile_px: int = 0
    """Of a reduced model in fp32; 0: twice as much."""
    host_bytes_per_px: int = 0
    """Host memory, or room for files, per network pixel of the region, beyond what every job keeps."""
    least_weights_bytes: int = 0
    """What the weights are kept in where there is too little room for all of them, whatever the precision; 0: there is
    no such way."""


@dataclass(frozen=True)
class PipelineSpec:
    """Facts about one pipeline. `stages` maps stage name to its tiling, in running order; `decode` is
    always there, a one-stage network has nothing else."""

    id: str
    title: str
    summary: str
    licence: str
    licence_url: str
    generative: bool
    """True: it invents detail (IPTC compositeWithTrainedAlgorithmicMedia)."""
    stages: Mapping[str, StageTiling]
    memory: MemoryModel
    settings: tuple[SettingSpec, ...] = ()
    """Its own settings, beside the common ones of `settings.COMMON`."""
    output_scales: tuple[int, ...] = (1, 2, 4)
    magnifications: tuple[int, ...] = (1,)
    """How much larger than its input the network's output can be; (1,) for networks that keep the size."""
    latent_px: int = 1
    """Network pixels per latent cell; the region with its context is snapped outward to this grid."""
    auto_short_side_px: int | None = 512
    """The auto working scale in place brings the selection's short side to this; None: it stays at the
    output scale, for networks that know no preferred object size."""
    one_tile: bool = False
    """True: auto brings the selection's long side to `auto_short_side_px` at every output scale, however large it is,
    so that it and its context are one tile; for networks that know one object at one size."""
    context_fraction: float = 0.25
    """Context on each side as a share of the region's long side."""
    context_least_px: int = 64
    """Least context, network pixels."""
    feature_channels: int = 0
    """Channels behind the latent's that the stage `encode` gives: kept on the host for the whole job, for the stage
    `predict` to look at in every step."""
    steps: int = 1
    """Diffusion steps; 1 for one-step and one-stage pipelines. A setting named `steps` replaces it."""
    low_band_from_document: bool = True
    """In place, colour and brightness of large areas come from the document unless asked otherwise."""
    colour_fix: str = "none"
    """The authors' colour fix: none, adain or wavelet."""
    presets: Mapping[str, Mapping[str, SettingValue]] = field(default_factory=dict)
    """Its own presets, beside the common ones: preset name to settings."""
    sentinel: SentinelThresholds = SentinelThresholds()

    def setting(self, name: str) -> SettingSpec | None:
        return next((s for s in self.settings if s.name == name), None)
