"""Facts about the pipeline `s3diff`, readable without torch."""

from __future__ import annotations

from safelight.engine.checkpoints.store import installed_path
from safelight.engine.pipelines.one_step_settings import LATENT_PX, STAGES, shared_settings
from safelight.engine.pipelines.prompt_settings import prompt_settings
from safelight.spec import MemoryModel, PipelineSpec, SettingSpec

BASE_ID, WEIGHTS_ID, ESTIMATOR_ID = "sd-turbo", "s3diff", "de-net"

POSITIVE_PROMPT = (
    "A high-resolution, 8K, ultra-realistic image with sharp focus, vibrant colors, and natural lighting."
)
NEGATIVE_PROMPT = (
    "oil painting, cartoon, blur, dirty, messy, low quality, deformation, low resolution, oversmooth"
)
GUIDANCE = 1.07  # official, fixed in the class
ESTIMATE = -1.0

S3DIFF = PipelineSpec(
    id="s3diff",
    title="S3Diff",
    summary="One diffusion step guided by how blurred and noisy the picture is: for heavy blur, noise and JPEG.",
    licence="Apache-2.0; base: Stability AI Community License",
    licence_url="https://github.com/ArcticHare105/S3Diff/blob/main/LICENSE",
    generative=True,
    stages=STAGES,
    # fp16: UNet and VAE 1.9 GB, low-rank pairs 0.07 GB, estimator in fp32 0.01 GB; the decoder's last blocks as osediff
    memory=MemoryModel(weights_bytes=2_000_000_000, bytes_per_tile_px=1600, reduced=True),
    settings=(
        SettingSpec(
            "degradation_blur", "Blur", "float", ESTIMATE,
            "How blurred the picture is, 0 to 1; -1 lets the estimator look at the region with its surroundings.",
            ESTIMATE, 1.0,
        ),
        SettingSpec(
            "degradation_noise", "Noise", "float", ESTIMATE,
            "How noisy the picture is, 0 to 1; -1 lets the estimator look at the region with its surroundings.",
            ESTIMATE, 1.0,
        ),
        *prompt_settings("none says nothing of what the picture shows."),
        SettingSpec(
            "positive_prompt", "Quality prompt", "text", POSITIVE_PROMPT,
            "What the result should look like; what the picture shows comes behind it.", advanced=True,
        ),
        SettingSpec(
            "negative_prompt", "Negative prompt", "text", NEGATIVE_PROMPT,
            "What the result should not look like; not used at guidance 1.", advanced=True,
        ),
        SettingSpec(
            "guidance_scale", "Guidance", "float", GUIDANCE,
            "How far the result is pushed from the negative prompt; 1 is not at all and twice as fast.",
            1.0, 3.0, advanced=True,
        ),
        *shared_settings("wavelet"),
    ),
    latent_px=LATENT_PX,
    colour_fix="wavelet",
)  # fmt: skip


def s3diff_installed() -> bool:
    return all(installed_path(i) is not None for i in (BASE_ID, WEIGHTS_ID, ESTIMATOR_ID))
