"""Facts about the pipeline `faithdiff`, readable without torch."""

from __future__ import annotations

from safelight.engine.checkpoints.store import installed_path
from safelight.engine.pipelines.one_step_settings import LATENT_PX, overlap_setting, tile_setting
from safelight.engine.pipelines.prompt_settings import prompt_settings
from safelight.spec import MemoryModel, PipelineSpec, SentinelThresholds, SettingSpec, StageTiling

BASE_ID, VAE_ID, WEIGHTS_ID = "realvisxl-v4", "sdxl-vae-fp16-fix", "faithdiff"
LATENT_CHANNELS, FEATURE_CHANNELS = 4, 512
TILE_PX = 1024  # SDXL's own size, and the authors' default
STEPS, GUIDANCE = 20, 5.0  # official

_SETTINGS = (
    *prompt_settings("none leaves the prompt empty."),
    SettingSpec(
        "negative_prompt", "Negative prompt", "text", "",
        "What the result should not look like; not used at guidance 1.", advanced=True,
    ),
    SettingSpec(
        "steps", "Steps", "int", STEPS, "Diffusion steps: time grows with them, and detail up to about 20.", 1, 50
    ),
    SettingSpec(
        "guidance_scale", "Guidance", "float", GUIDANCE,
        "How far the result is pushed towards the prompt; 1 is not at all and twice as fast.",
        1.0, 10.0,
    ),
    SettingSpec(
        "start", "Start from", "choice", "picture",
        "The first latent: noise with a little of the picture in it, or noise alone.",
        choices=("picture", "noise"), advanced=True,
    ),
    SettingSpec(
        "tile_size", "Tile size", "int", TILE_PX,
        "Side of the tiles that are diffused, up to 1280 where fewer tiles then cover the picture; larger ones need "
        "more memory and know more of the picture.",
        TILE_PX, 1280, unit="px", advanced=True,
    ),
    SettingSpec(
        "overlap", "Overlap", "float", 0.1,
        "Least share of a tile that its neighbour covers too; time grows with it. The authors' own overlap is the "
        "share that is not: their default of 0.5 is 0.5 here, their 0.9 is 0.1.",
        0.1, 0.9, advanced=True,
    ),
    SettingSpec(
        "scheduler", "Noise scheduler", "choice", "euler",
        "How a step is taken: the authors' Euler, or UniPC, which looks back and gets by with fewer steps.",
        choices=("euler", "unipc"), advanced=True,
    ),
    SettingSpec(
        "hdr", "HDR effect", "float", 0.0,
        "Fuses brighter and darker exposures of the picture before it is restored; 0 is off.",
        0.0, 2.0, advanced=True,
    ),
    SettingSpec(
        "colour_fix", "Colour fix", "choice", "adain",
        "How the result takes the input's large-area colours where it keeps its own (colour above 0): by the mean and "
        "spread of each channel (adain), by the low band (wavelet), or not at all.",
        choices=("adain", "wavelet", "none"),
    ),
    SettingSpec(
        "weights", "Weights", "choice", "auto",
        "How the UNet's numbers are kept: as they are computed with (full), in 8 bits (fp8: half the memory, a little "
        "less exact), or as the free memory suggests.",
        choices=("auto", "full", "fp8"), advanced=True,
    ),
    tile_setting("encode", "px", 4096),
    overlap_setting("encode", "px", 2048),
    tile_setting("decode", "cells", 512),
    overlap_setting("decode", "cells", 256),
    SettingSpec(
        "authors_exact", "As the authors' script", "bool", False,
        "The authors' own resampling, noise, tiles, rounding and colour fix on the selection alone, equal to their "
        "8-bit result; strength, bands, grain, monochrome guard and feather are off.",
        advanced=True,
    ),
    SettingSpec(
        "tile_height", "Tile height", "int", 0,
        "Of tiles that are not square, as the authors' script allows; 0 is the tile size; used with authors_exact "
        "only.",
        0, 1280, unit="px", advanced=True,
    ),
    SettingSpec(
        "tiled_encoders", "Encoders in tiles", "choice", "auto",
        "As the authors' option: in tiles always, never, or where a side is longer than 1024 pixels; used with "
        "authors_exact only.",
        choices=("auto", "on", "off"), advanced=True,
    ),
)  # fmt: skip

FAITHDIFF = PipelineSpec(
    id="faithdiff",
    title="FaithDiff",
    summary="Twenty diffusion steps on SDXL that keep to the picture: the most detail, minutes rather than seconds.",
    licence="MIT; base: CreativeML Open RAIL++-M",
    licence_url="https://github.com/JyChen9811/FaithDiff/blob/main/LICENSE",
    generative=True,
    stages={
        # the authors' tile and overlap of the encoder of low-quality pictures, and their largest tile of the UNet; a
        # quarter more than a tile makes 2048 pixels two of them and not three
        "encode": StageTiling(tile=1024, overlap=256, multiple=LATENT_PX, least_tile=256, most_tile=1280),
        "predict": StageTiling(tile=128, overlap=12, multiple=4, least_tile=64, most_tile=160),
        "decode": StageTiling(tile=96, overlap=24, least_tile=24, most_tile=144),
    },
    # bf16: UNet with alignment 5.16 GB, encoder and VAE 0.24 GB; with the UNet in fp8 half of that. Tiles of 1024
    # pixels, counted by tests/bench/live_memory: encoders 1.34 GB, a step 0.35 GB, decoder 1.61 GB; of 1280 pixels
    # 2.10 and 0.54 GB
    memory=MemoryModel(
        weights_bytes=5_400_000_000,
        bytes_per_tile_px=2000,
        reduced=True,
        # features: 512 numbers of 4 bytes per cell; embeddings: 320 of 2 bytes on 1.4 times the area
        host_bytes_per_px=48,
        least_weights_bytes=2_900_000_000,
    ),
    settings=_SETTINGS,
    latent_px=LATENT_PX,
    feature_channels=FEATURE_CHANNELS,
    steps=STEPS,
    colour_fix="adain",
    sentinel=SentinelThresholds(mean_shift=0.20, low_frequency=0.35),
)


def faithdiff_installed() -> bool:
    return all(installed_path(i) is not None for i in (BASE_ID, VAE_ID, WEIGHTS_ID))
