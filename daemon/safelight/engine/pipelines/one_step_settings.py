"""Settings and stages that the one-step pipelines on Stable Diffusion share. Free of torch."""

from __future__ import annotations

from types import MappingProxyType

from safelight.spec import SettingSpec, StageTiling

LATENT_PX = 8

STAGES = MappingProxyType(
    {
        # 768 px is the authors' latent tile of 96 cells, and a 512 px selection with its context. The overlaps
        # are wider than what group norm and attention of neighbouring tiles make visible.
        "encode": StageTiling(tile=768, overlap=128, multiple=LATENT_PX, least_tile=256),
        "predict": StageTiling(tile=96, overlap=32, least_tile=32),
        "decode": StageTiling(tile=96, overlap=24, least_tile=24),
    }
)


def shared_settings(colour_fix: str) -> tuple[SettingSpec, ...]:
    """Of every one-step pipeline, after its own; `colour_fix` is the authors' default."""
    return (
        SettingSpec(
            "colour_fix", "Colour fix", "choice", colour_fix,
            "How the result takes the input's large-area colours where it keeps its own (colour above 0): by the mean "
            "and spread of each channel (adain), by the low band (wavelet), or not at all.",
            choices=("adain", "wavelet", "none"),
        ),
        SettingSpec(
            "posterior", "Posterior", "choice", "deterministic",
            "The encoder's mean, or a sample of its distribution drawn with the seed.",
            choices=("deterministic", "sampled"), advanced=True,
        ),
        tile_setting("encode", "px", 4096),
        overlap_setting("encode", "px", 2048),
        tile_setting("predict", "cells", 512),
        overlap_setting("predict", "cells", 256),
        tile_setting("decode", "cells", 512),
        overlap_setting("decode", "cells", 256),
        SettingSpec(
            "authors_exact", "As the authors' script", "bool", False,
            "The authors' own resampling, tiles, rounding and colour fix on the selection alone, equal to their "
            "8-bit result; strength, bands, grain, monochrome guard and feather are off.",
            advanced=True,
        ),
    )  # fmt: skip


def tile_setting(stage: str, unit: str, most: int) -> SettingSpec:
    return SettingSpec(
        f"{stage}_tile", f"Tile ({stage})", "int", 0,
        f"Side of the tiles of the stage {stage}; 0 is the default.",
        0, most, unit=unit, advanced=True,
    )  # fmt: skip


def overlap_setting(stage: str, unit: str, most: int) -> SettingSpec:
    return SettingSpec(
        f"{stage}_overlap", f"Overlap ({stage})", "int", -1,
        f"True overlap of the tiles of the stage {stage}; -1 is the default.",
        -1, most, unit=unit, advanced=True,
    )  # fmt: skip
