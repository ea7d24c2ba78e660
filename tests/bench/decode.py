"""What the decoder's tiles change: OSEDiff's VAE at its real size, random weights, on latents of photographs.

Decoded in tiles that are blended by their tapers, as jobs do, against decoded at once, both in float32; and the seam
measure of the tiling law for both. Latents are means that the same VAE encodes at once.
"""

from __future__ import annotations

import math
import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from unittest import mock

import numpy as np
import skimage.data
import torch

from safelight.engine.parts import Parts
from safelight.engine.pipelines.one_step_settings import LATENT_PX, STAGES
from safelight.engine.pipelines.registry import default_registry
from safelight.engine.pipelines.stable_diffusion import OneStepPipeline
from safelight.engine.tiling import TilePlan
from safelight.geometry import Size
from safelight.imaging.pixels import FloatArray
from safelight.imaging.resample import resize
from safelight.settings import RestoreSettings
from safelight.spec import StageTiling
from tests.bench import full_size_job
from tests.bench.one_step import METHODS, checkpoints
from tests.bench.pictures import Pixels
from tests.bench.tables import Effort, Table, verdict
from tests.engine.seams import seam_measure
from tests.fakes import golden

CELLS, TINY_CELLS = 128, 16
TINY_TILING = StageTiling(tile=12, overlap=4, least_tile=8)
BAR_SEAM = 1.25


def photographs() -> Mapping[str, Pixels]:
    """scikit-image's: NASA's portrait (public domain), coffee (CC0) and Chelsea the cat (CC0)."""
    return {
        "portrait": skimage.data.astronaut(),
        "coffee": skimage.data.coffee(),
        "cat": skimage.data.chelsea(),
    }


def run(effort: Effort) -> list[Table]:
    cells, tiling = (TINY_CELLS, TINY_TILING) if effort.tiny else (CELLS, STAGES["decode"])
    table = Table(
        f"decode: OSEDiff's VAE, {cells} cells in tiles of {tiling.tile}, overlap {tiling.overlap}, fp32",
        ("photograph", "tiles", "PSNR to untiled, dB", "levels, most", "seam measure", "same places untiled"),
    )
    with _pipeline(tiny=effort.tiny) as pipeline:
        for name, pixels in list(photographs().items())[: 1 if effort.tiny else None]:
            latent = _latent(pipeline, pixels, cells)
            at_once = _decoded(pipeline, latent)
            plan = TilePlan.of(Size(cells, cells), tiling)
            tiled = _in_tiles(pipeline, latent, plan)
            error = np.abs(tiled - at_once)
            decibels = 10 * math.log10(1 / max(float(np.square(error, dtype=np.float64).mean()), 1e-12))
            seams = [seam_measure(picture, plan, LATENT_PX) for picture in (tiled, at_once)]
            table.rows.append([name, len(plan.tiles), decibels, 255 * float(error.max()), *seams])
    worst = max(float(row[4] or 0) - max(0.0, float(row[5] or 0) - 1) for row in table.rows)
    table.notes.append(
        f"seams beyond the photograph's own edges at most {BAR_SEAM:g}: {verdict(worst, BAR_SEAM)}"
    )
    return [table]


@contextmanager
def _pipeline(*, tiny: bool) -> Iterator[OneStepPipeline]:
    if tiny:
        yield golden.pipeline("osediff")
        return
    with tempfile.TemporaryDirectory() as name, mock.patch.dict(os.environ):
        folder = Path(name)
        checkpoints(METHODS["osediff"], folder)
        os.environ[full_size_job.store.CHECKPOINT_DIR_VARIABLE] = str(full_size_job.store_in(folder))
        loaded = default_registry().load("osediff", torch.device("cpu"), Parts())
        assert isinstance(loaded, OneStepPipeline)
        yield loaded


@torch.inference_mode()
def _latent(pipeline: OneStepPipeline, pixels: Pixels, cells: int) -> torch.Tensor:
    """1 4 h w of the photograph's middle, enlarged."""
    side = min(pixels.shape[:2])
    top, left = (pixels.shape[0] - side) // 2, (pixels.shape[1] - side) // 2
    square = pixels[top : top + side, left : left + side].astype(np.float32) / 255
    x = resize(square, Size(cells * LATENT_PX, cells * LATENT_PX))
    settings = RestoreSettings(pipeline.spec.id).checked(pipeline.spec)
    region = torch.from_numpy(np.ascontiguousarray(x.transpose(2, 0, 1)))[None]
    conditioning = pipeline.condition(region[..., :64, :64], settings=settings, magnification=1)
    return pipeline.encode(region, origins=((0, 0),), conditioning=conditioning, precision="fp32")


@torch.inference_mode()
def _decoded(pipeline: OneStepPipeline, latent: torch.Tensor) -> FloatArray:
    """H W 3 in 0..1."""
    y = pipeline.decoded(latent, precision="fp32")[0] / 2 + 0.5
    return np.ascontiguousarray(y.permute(1, 2, 0).numpy())


def _in_tiles(pipeline: OneStepPipeline, latent: torch.Tensor, plan: TilePlan) -> FloatArray:
    scale = Fraction(LATENT_PX)
    picture = np.zeros((plan.size.height * LATENT_PX, plan.size.width * LATENT_PX, 3), np.float32)
    for tile in plan.tiles:
        y = _decoded(pipeline, latent[:, :, *tile.box.slices])
        down, across = plan.tapers(tile, scale)
        picture[plan.output_box(tile, scale).slices] += y * down[:, None, None] * across[:, None]
    return picture
