"""The authors' path of FaithDiff: their resampling, noise, tiles, rounding and colour fix, for `authors_exact`.

Official: github.com/JyChen9811/FaithDiff (MIT), its test script and pipeline. What is kept although it is a slip, since
it changes pixels: latent tiles weigh by a Gaussian whose centre is half a cell too low; `overlap` is the share of a
tile that is *not* covered twice; the tiled encoders begin at sides of 128 pixels, not latent cells; the VAE's tiles
have the size of its configuration whatever was asked.

Differences: the posterior's mean stands for an unseeded random sample; the generator is the CPU's on every device; the
predictions of tiles are blended and one noise scheduler steps them, equal but for rounding; the alignment sees one
branch of one tile; guidance 1 skips the negative prompt; the tile of the LQ encoder may be any multiple of 8.
"""

from __future__ import annotations

import math
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from PIL import Image

from safelight.engine.hdr import fused
from safelight.engine.networks.crossfade_tiling import CrossfadeTiling
from safelight.engine.pipelines.authors import aligned, as_input, as_rows, gaussian_weights
from safelight.engine.pipelines.base import Picture, Precision, Tap, TileProgress
from safelight.engine.pipelines.sdxl import guided, time_ids
from safelight.geometry import Rect, Size
from safelight.settings import RestoreSettings
from safelight.spec import SettingValue

if TYPE_CHECKING:
    from safelight.engine.pipelines.faithdiff import FaithDiffConditioning, FaithDiffPipeline

CELL_PX = 8
AUTO_TILED_ABOVE_PX = 1024  # the demo tiles always; below this the encoder's tile covers the picture
LQ_TILE_PX, ENCODER_OVERLAP = 1024, 0.25  # official defaults


@dataclass(frozen=True)
class AuthorsTiling:
    """Sizes as the authors' command line names them."""

    tile: Size
    """Pixels, as asked for."""
    stride: float
    """Share of a tile from one to the next: their `overlap`."""

    @classmethod
    def of(cls, own: Mapping[str, SettingValue]) -> AuthorsTiling:
        width = int(own["tile_size"])
        # the authors' number as they write it: 0.7, not 0.7000000000000001
        return cls(Size(width, int(own["tile_height"]) or width), round(1 - float(own["overlap"]), 9))

    def boxes(self, height: int, width: int) -> list[Rect]:
        """Latent tiles, row by row."""
        down = min(self.tile.height // CELL_PX, height)
        across = min(self.tile.width // CELL_PX, width)
        return [
            Rect(x, y, across, down)
            for y in offsets(height, down, self.stride)
            for x in offsets(width, across, self.stride)
        ]


def offsets(length: int, tile: int, stride: float) -> list[int]:
    """Where tiles begin along an axis."""
    found = list(range(0, max(1, length - tile + 1), math.ceil(tile * stride)))
    return found if found[-1] + tile >= length else [*found, length - tile]


def restored(
    pipeline: FaithDiffPipeline,
    picture: Picture,
    *,
    settings: RestoreSettings,
    precision: Precision,
    tap: Tap,
) -> Generator[TileProgress, None, Picture]:
    """Taps: lq_padded_u8, f_lq, prompt_embeds, pooled_prompt_embeds, noise, x0_lr (start from the picture),
    latents_init, init_noise_sigma, timesteps, sigmas, tile_idx, add_time_ids, gaussian, noise_pred_step0 (of all tiles)
    and model_input_step0_tile0, latents_steps, decoded, image_u8."""
    own = settings.own
    source = enlarged(picture, settings.output_scale)
    seen = fused(padded(source), float(own["hdr"]))
    tap("lq_padded_u8", torch.from_numpy(seen))
    x = as_input(seen, pipeline.device) * 2 - 1
    conditioning = pipeline.conditioned(settings=settings, magnification=1)
    tap("prompt_embeds", conditioning.prompts.embeddings)
    tap("pooled_prompt_embeds", conditioning.prompts.pooled)
    yield "encode", 0, 1
    tilings = encoder_tilings(pipeline, own, Size(seen.shape[1], seen.shape[0]))
    features = pipeline.features(x, precision=precision, tiling=tilings.lq)
    tap("f_lq", features)
    latent = _started(pipeline, x, conditioning, precision, tilings.vae, tap)
    yield "encode", 1, 1
    latent = yield from _diffused(
        pipeline, latent, features, AuthorsTiling.of(own), conditioning, precision, tap
    )
    yield "decode", 0, 1
    y = pipeline.decoded(latent, precision=precision, tiling=tilings.vae_latent)
    tap("decoded", y)
    whole = np.rint(as_rows((y / 2 + 0.5).clamp(0, 1)) * np.float32(255)).astype(np.uint8)
    tap("image_u8", torch.from_numpy(whole))
    return aligned(whole[: source.shape[0], : source.shape[1]], source, str(own["colour_fix"]))


def _started(
    pipeline: FaithDiffPipeline,
    x: torch.Tensor,
    conditioning: FaithDiffConditioning,
    precision: Precision,
    tiling: CrossfadeTiling | None,
    tap: Tap,
) -> torch.Tensor:
    """The first latents."""
    steps = conditioning.noise_steps
    generator = torch.Generator("cpu").manual_seed(conditioning.seed)
    shape = (1, steps.channels, x.shape[-2] // CELL_PX, x.shape[-1] // CELL_PX)
    noise = torch.randn(shape, generator=generator)
    tap("noise", noise)
    latent = noise.to(x.device) * steps.initial_sigma
    if conditioning.from_picture:
        clean = pipeline.clean_latent(x, precision=precision, tiling=tiling)
        tap("x0_lr", clean)
        latent = pipeline.noisy(clean, latent, conditioning)
    tap("latents_init", latent)
    for name, values in (
        ("init_noise_sigma", torch.tensor([steps.initial_sigma])),
        ("timesteps", steps.timesteps),
        ("sigmas", steps.sigmas),
    ):
        tap(name, values)
    return latent


def _diffused(
    pipeline: FaithDiffPipeline,
    latent: torch.Tensor,
    features: torch.Tensor,
    tiling: AuthorsTiling,
    conditioning: FaithDiffConditioning,
    precision: Precision,
    tap: Tap,
) -> Generator[TileProgress, None, torch.Tensor]:
    steps = conditioning.noise_steps
    height, width = latent.shape[-2:]
    boxes = tiling.boxes(height, width)
    picture = Size(width * CELL_PX, height * CELL_PX)
    ids = torch.cat([time_ids(picture, (box.x, box.y), tiling.tile) for box in boxes])
    weights = gaussian_weights(boxes[0].height, boxes[0].width)
    tap("tile_idx", torch.tensor([(box.y, box.x) for box in boxes]))
    tap("add_time_ids", ids)
    tap("gaussian", weights)
    weights = weights.float().to(latent.device)
    embeddings = [
        pipeline.embedding(features[..., *box.slices], conditioning=conditioning, precision=precision)
        for box in boxes
    ]
    canvas, after, first = steps.started(latent), [], []
    count = len(boxes) * len(steps.timesteps)
    for step in range(len(steps.timesteps)):
        seen = steps.scaled(canvas, step)
        total, weight = torch.zeros_like(seen), torch.zeros_like(seen)
        if step == 0:
            tap("model_input_step0_tile0", seen[..., *boxes[0].slices])
        for i, box in enumerate(boxes):
            rows, columns = box.slices
            branches = pipeline.branches(
                seen[..., rows, columns],
                step=step,
                embedding=embeddings[i],
                ids=ids[i : i + 1],
                conditioning=conditioning,
                precision=precision,
            )
            if step == 0:
                first.append(branches[:, 0])
            total[..., rows, columns] += guided(branches, conditioning.guidance) * weights
            weight[..., rows, columns] += weights
            yield "predict", step * len(boxes) + i + 1, count
        if step == 0:
            tap("noise_pred_step0", torch.stack(first))
        canvas = steps.stepped(canvas, total / weight, step)
        after.append(canvas[0, : steps.channels])
    tap("latents_steps", torch.stack(after))
    return canvas[:, : steps.channels]


@dataclass(frozen=True)
class EncoderTilings:
    """None: the network sees the whole plane."""

    lq: CrossfadeTiling | None
    vae: CrossfadeTiling | None
    vae_latent: CrossfadeTiling | None


def encoder_tilings(
    pipeline: FaithDiffPipeline, own: Mapping[str, SettingValue], size: Size
) -> EncoderTilings:
    """As the script's option, for a padded picture."""
    on = {"on": True, "off": False, "auto": size.long_side > AUTO_TILED_ABOVE_PX}[str(own["tiled_encoders"])]
    if not on:
        return EncoderTilings(None, None, None)
    lq_px = int(own["encode_tile"]) or LQ_TILE_PX
    lq = CrossfadeTiling(lq_px, _share(own["encode_overlap"], lq_px))
    vae_lat = pipeline.vae_tile_px // CELL_PX
    share = _share(own["decode_overlap"], vae_lat)
    vae = CrossfadeTiling(pipeline.vae_tile_px, share)
    return EncoderTilings(
        lq if size.long_side > lq_px // CELL_PX else None,
        vae if size.long_side > pipeline.vae_tile_px else None,
        CrossfadeTiling(vae_lat, share) if size.long_side // CELL_PX > vae_lat else None,
    )


def _share(overlap: SettingValue, tile: int) -> float:
    return int(overlap) / tile if int(overlap) >= 0 else ENCODER_OVERLAP


def enlarged(picture: Picture, scale: int) -> Picture:
    """By Pillow's Lanczos on 8-bit RGB."""
    image = Image.fromarray(picture)
    return np.array(image.resize((image.width * scale, image.height * scale), Image.Resampling.LANCZOS))


def padded(picture: Picture) -> Picture:
    """Right and below to multiples of 8, by repeating the edge."""
    height, width = picture.shape[:2]
    return np.pad(picture, ((0, -height % CELL_PX), (0, -width % CELL_PX), (0, 0)), mode="edge")
