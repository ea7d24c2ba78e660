"""All that a job depends on besides its pixels, with its defaults and presets, in one place."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from types import MappingProxyType

from safelight.errors import InvalidRequest
from safelight.spec import PipelineSpec, SettingSpec, SettingValue

DEFAULT_SEED = 42
IN_PLACE_SCALE = 1  # a region, or output kind "layer"
WHOLE_PICTURE_SCALE = 2  # a whole picture or a new image
KEEP_ALIVE_S = 600.0  # residency law: 10 minutes after the last job
FEATHER_SHARE = 0.02  # of the selection's short side
FEATHER_LEAST_PX, FEATHER_MOST_PX = 4, 64
WORKING_SCALE_LEAST, WORKING_SCALE_MOST = 0.25, 4.0
MAX_PIXELS = 512_000_000  # in and out; door law

COMMON: tuple[SettingSpec, ...] = (
    SettingSpec("strength", "Strength", "float", 1.0, "How much of the restoration is applied.", 0.0, 1.0),
    SettingSpec(
        "detail", "Detail", "float", 1.0, "Weight of the two finest detail bands within strength.", 0.0, 1.0
    ),
    SettingSpec(
        "colour", "Colour", "float", 0.0,
        "Weight of the low band: large-area colour and brightness as the network sees them; 0 keeps the document's.",
        0.0, 1.0,
    ),
    SettingSpec(
        "working_scale", "Working scale", "float", 0.0,
        "How large the network sees the region, as a multiple of the document; 0 chooses it.",
        0.0, WORKING_SCALE_MOST, advanced=True,
    ),
    SettingSpec(
        "grain", "Grain", "float", 0.0,
        "Adds grain measured around the region, so that restored parts do not look smoother than the rest.",
        0.0, 1.0,
    ),
    SettingSpec(
        "monochrome", "Toned monochrome", "choice", "auto",
        "Restore only the lightness of a toned monochrome picture, so that the toning stays even.",
        choices=("auto", "on", "off"), advanced=True,
    ),
    SettingSpec(
        "feather", "Feather", "float", -1.0,
        "Width of the soft inner edge of the region; -1 chooses it, 0 is none.",
        -1.0, 512.0, unit="px", advanced=True,
    ),
    SettingSpec(
        "precision", "Precision", "choice", "auto", "Arithmetic of the network; auto chooses by measurement.",
        choices=("auto", "fp32", "bf16", "fp16"), advanced=True,
    ),
)  # fmt: skip

COMMON_PRESETS: Mapping[str, Mapping[str, SettingValue]] = MappingProxyType(
    {
        "faithful": {"strength": 0.8, "detail": 0.625, "colour": 0.0},  # middle bands 0.8, finest two 0.5
        "as-the-authors": {"strength": 1.0, "detail": 1.0, "colour": 1.0},
        "old-photograph": {
            "strength": 0.8, "detail": 0.625, "colour": 0.0, "monochrome": "auto", "working_scale": 0.0,
        },
        "film-still": {"strength": 0.8, "detail": 0.625, "colour": 0.0, "grain": 1.0},
    }
)  # fmt: skip


@dataclass(frozen=True)
class RestoreSettings:
    """Checked against a spec by `checked`; the fields named like entries of COMMON mean what those say."""

    pipeline: str
    output_scale: int = IN_PLACE_SCALE
    """What the document gets: 1, 2 or 4."""
    seed: int = DEFAULT_SEED
    """0 to 2**63-1."""
    strength: float = 1.0
    detail: float = 1.0
    colour: float = 0.0
    working_scale: float = 0.0
    grain: float = 0.0
    monochrome: str = "auto"
    feather: float = -1.0
    precision: str = "auto"
    own: Mapping[str, SettingValue] = field(default_factory=dict)
    """The pipeline's own settings; absent ones have their default."""

    @property
    def band_weights(self) -> tuple[float, float, float, float, float, float]:
        """Weights of the five a-trous bands, finest first, then of the low band."""
        fine, middle = self.strength * self.detail, self.strength
        return fine, fine, middle, middle, middle, self.strength * self.colour

    def checked(self, spec: PipelineSpec) -> RestoreSettings:
        """The same settings with every own value present and typed; raises InvalidRequest for the first bad one."""
        if self.output_scale not in spec.output_scales:
            allowed = ", ".join(map(str, spec.output_scales))
            raise InvalidRequest(
                f"the pipeline {spec.id} cannot enlarge by {self.output_scale}: use one of {allowed}",
                "SCALE_NOT_OFFERED",
            )
        if not 0 <= self.seed < 2**63:
            raise InvalidRequest(
                f"the seed {self.seed} is out of range: give 0 to 2^63-1", "SEED_OUT_OF_RANGE"
            )
        if self.working_scale and not self.working_scale >= WORKING_SCALE_LEAST:
            raise InvalidRequest(
                f"the working scale {self.working_scale:g} is too small: give 0 (auto) or "
                f"{WORKING_SCALE_LEAST:g} to {WORKING_SCALE_MOST:g}",
                "SETTING_OUT_OF_RANGE",
            )
        common = {s.name: s.check(getattr(self, s.name)) for s in COMMON}
        for name in self.own:
            if spec.setting(name) is None:
                raise unknown_name("setting", name, [s.name for s in (*COMMON, *spec.settings)])
        own = {s.name: s.check(self.own.get(s.name, s.default)) for s in spec.settings}
        return replace(self, own=own, **common)  # type: ignore[arg-type]

    def with_values(self, spec: PipelineSpec, values: Mapping[str, SettingValue]) -> RestoreSettings:
        """Common and own settings by name, as a preset or `--set` gives them."""
        known = {s.name for s in COMMON} | {"output_scale", "seed"}
        for name in values:
            if name not in known and spec.setting(name) is None:
                raise unknown_name("setting", name, [*sorted(known), *(s.name for s in spec.settings)])
        common = {n: v for n, v in values.items() if n in known}
        own = {n: v for n, v in values.items() if n not in known}
        return replace(self, own={**self.own, **own}, **common).checked(spec)  # type: ignore[arg-type]

    def as_values(self) -> dict[str, SettingValue]:
        """Every setting by name, for reports and records."""
        common = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "own"}
        return {**common, **self.own}


def default_settings(spec: PipelineSpec, *, in_place: bool) -> RestoreSettings:
    """In place: scale 1, large-area colour from the document. Whole picture or new image: scale 2, the
    network's own colours through the authors' colour fix."""
    scale = IN_PLACE_SCALE if in_place else WHOLE_PICTURE_SCALE
    keep_low_band = in_place and spec.low_band_from_document
    return RestoreSettings(
        spec.id,
        output_scale=scale if scale in spec.output_scales else spec.output_scales[0],
        colour=0.0 if keep_low_band else 1.0,
        own={s.name: s.default for s in spec.settings},
    )


def preset_values(spec: PipelineSpec, name: str) -> Mapping[str, SettingValue]:
    """The settings a preset stands for; the pipeline's own presets win over the common ones. Its name may be
    written as people write it: `Film still` is film-still."""
    presets = {**COMMON_PRESETS, **spec.presets}
    key = "-".join(name.lower().replace("_", " ").split())
    if key not in presets:
        raise unknown_name("preset", name, list(presets))
    return presets[key]


def setting_named(spec: PipelineSpec, name: str) -> SettingSpec:
    for setting in (*COMMON, *spec.settings):
        if setting.name == name:
            return setting
    raise unknown_name("setting", name, [s.name for s in (*COMMON, *spec.settings)])


def unknown_name(kind: str, name: str, known: list[str]) -> InvalidRequest:
    """An error that offers the nearest known name, or all of them."""
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"did you mean {near[0]}?" if near else "known are " + ", ".join(known)
    return InvalidRequest(
        f"there is no {kind} {name!r}: {hint}", f"UNKNOWN_{kind.upper()}", details={kind: name[:80]}
    )
