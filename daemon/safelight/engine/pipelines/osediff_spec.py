"""Facts about the pipelines `osediff` and `osediff-face`, readable without torch."""

from __future__ import annotations

from dataclasses import replace

from safelight.engine.checkpoints.store import installed_path
from safelight.engine.pipelines.one_step_settings import LATENT_PX, STAGES, shared_settings
from safelight.engine.pipelines.prompt_settings import prompt_settings
from safelight.spec import MemoryModel, PipelineSpec, SettingSpec, StageTiling

BASE_ID, WEIGHTS_ID, FACE_WEIGHTS_ID = "sd21-base", "osediff", "osediff-face"

_PROMPT = prompt_settings("none is the authors' form without tags.")
_PROCESS_SIZE = SettingSpec(
    "process_size", "Least network size", "int", 512,
    "As the authors' script: a picture whose short side would be smaller for the network is enlarged first; used with "
    "authors_exact only.",
    8, 4096, unit="px", advanced=True,
)  # fmt: skip

OSEDIFF = PipelineSpec(
    id="osediff",
    title="OSEDiff",
    summary="One diffusion step on Stable Diffusion 2.1: sharp and natural, invents plausible detail.",
    licence="Apache-2.0; base: CreativeML Open RAIL++-M",
    licence_url="https://github.com/cswry/OSEDiff/blob/main/LICENSE",
    generative=True,
    stages=STAGES,
    # Measured on a CPU at full size by tests/bench/stage_memory.py: UNet 1.73 GB and VAE 0.17 GB in two bytes. A tile
    # of 768 px takes 0.95 GB to decode, the most of the three stages, and 2.83 GB in fp32.
    memory=MemoryModel(1_900_000_000, 1650, reduced=True, fp32_bytes_per_tile_px=4800),
    settings=(*_PROMPT, *shared_settings("adain"), _PROCESS_SIZE),
    latent_px=LATENT_PX,
    colour_fix="adain",
)

OSEDIFF_FACE = replace(
    OSEDIFF,
    id="osediff-face",
    # the same measured at 512 px, where what does not grow with a tile weighs more
    memory=replace(OSEDIFF.memory, bytes_per_tile_px=1800, fp32_bytes_per_tile_px=6300),
    title="OSEDiff for faces",
    summary="The authors' face checkpoint: one face in a square box, seen at 512x512.",
    # 356 network pixels, a fifth more on each side and what the latent grid adds make one tile of 512
    stages={
        "encode": StageTiling(tile=512, overlap=128, multiple=LATENT_PX, least_tile=256),
        "predict": StageTiling(tile=64, overlap=16, least_tile=32),
        "decode": StageTiling(tile=64, overlap=16, least_tile=24),
    },
    settings=(*_PROMPT, *shared_settings("none"), _PROCESS_SIZE),
    auto_short_side_px=356,
    one_tile=True,
    context_fraction=0.2,
    context_least_px=0,
    colour_fix="none",
)


def osediff_installed() -> bool:
    return all(installed_path(i) is not None for i in (BASE_ID, WEIGHTS_ID))


def osediff_face_installed() -> bool:
    return all(installed_path(i) is not None for i in (BASE_ID, FACE_WEIGHTS_ID))
