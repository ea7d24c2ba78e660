"""Pipeline `faithdiff`: twenty steps of Stable Diffusion XL that look at the low-quality picture in every one.

Paper: "FaithDiff: Unleashing Diffusion Priors for Faithful Image Super-resolution" (CVPR 2025), arXiv 2411.18824.
Official: github.com/JyChen9811/FaithDiff (MIT); weights `FaithDiff.bin`, over RealVisXL V4.0's text encoders and
scheduler (CreativeML Open RAIL++-M) and the VAE `sdxl-vae-fp16-fix` (MIT).

Encode gives the first latents and the picture's features; these stay on the host (`features`), and what the UNet needs
of them is computed once per tile (`tile_embeddings`). Predict runs both guidance branches of its tiles in one batch.

Differences from the official code: noise is a function of the absolute latent cell; predictions are blended by
partitions of unity and one noise scheduler steps the whole canvas, which is the same but for rounding as their stepping
every tile (`noise_steps`); the posterior's mean stands for an unseeded sample; the region is enlarged in float, nothing
is rounded to 8 bits on the way; a guidance of 1 works and skips the negative prompt; overlaps are true ones. Kept: the
place of a tile in latent cells in the size conditioning, the scaled noise of the start from the picture, the encoded
empty negative prompt. With `authors_exact` all is theirs (`faithdiff_authors`).
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import torch

from safelight.engine.checkpoints.weights import layout, read_config
from safelight.engine.features import FeaturePlane
from safelight.engine.hdr import fused
from safelight.engine.latent_noise import noise
from safelight.engine.networks.crossfade_tiling import CrossfadeTiling, tiled
from safelight.engine.networks.faithdiff import aligned_with
from safelight.engine.parts import Part, Parts
from safelight.engine.pipelines import faithdiff_authors
from safelight.engine.pipelines.base import (
    Conditioning,
    Origins,
    Picture,
    Pipeline,
    Precision,
    RegionSource,
    Tap,
    TileProgress,
    no_tap,
)
from safelight.engine.pipelines.base_networks import stored
from safelight.engine.pipelines.faithdiff_networks import FaithDiffFiles, UNets
from safelight.engine.pipelines.faithdiff_spec import (
    BASE_ID,
    FAITHDIFF,
    LATENT_CHANNELS,
    VAE_ID,
    WEIGHTS_ID,
)
from safelight.engine.pipelines.noise_steps import NoiseSteps
from safelight.engine.pipelines.prompt_source import PromptReader, reported
from safelight.engine.pipelines.sdxl import NO_PROMPT, Prompt, PromptEncoders, guided, time_ids
from safelight.engine.pipelines.text_encoder import HOST
from safelight.engine.pipelines.tile_embeddings import TileEmbeddings
from safelight.engine.pipelines.versions import Place
from safelight.engine.precision import reduced_precision
from safelight.geometry import Rect, Size
from safelight.settings import RestoreSettings
from safelight.spec import PipelineSpec, SettingValue

SDXL_SCALING = 0.13025  # where the VAE's configuration does not say
SDXL_VAE_TILE_PX = 1024
NOISIEST = 999  # the last of 1000 training timesteps: where the picture is put into the noise


@dataclass(frozen=True)
class FaithDiffConditioning(Conditioning):
    """Of a job."""

    prompts: Prompt = NO_PROMPT
    """Of each guidance branch, on the pipeline's device: negative and positive, or the positive alone."""
    guidance: float = 1.0
    steps: NoiseSteps | None = None
    seed: int = 0
    from_picture: bool = True
    """False: the first latents are noise alone."""
    tile_px: int = 0
    """Side of a tile as asked for, which the size conditioning names also where the region is smaller."""
    weights: str = "auto"
    """How the UNet's are kept, a choice of the spec's."""
    fused: Picture | None = None
    """The region after the HDR effect, where that is on."""
    features: FeaturePlane | None = None
    embeddings: TileEmbeddings | None = None

    @property
    def noise_steps(self) -> NoiseSteps:
        assert self.steps is not None
        return self.steps


class FaithDiffPipeline(Pipeline):
    """See the module."""

    def __init__(
        self,
        base: Path,
        vae: Path,
        weights: Path,
        device: torch.device,
        parts: Parts,
        *,
        first: Precision,
        checkpoint_hashes: Mapping[str, str],
        spec: PipelineSpec = FAITHDIFF,
    ) -> None:
        """`base` and `vae` diffusers folders, `weights` the converted checkpoint; the UNet is loaded at once in the
        precision `first`, the rest when it is needed. Raises NotReady (CHECKPOINT_DAMAGED)."""
        self.spec, self.device, self.checkpoint_hashes = spec, device, checkpoint_hashes
        self.prompts = PromptEncoders(base, parts, device)
        self.reader = PromptReader(device, parts)
        self._schedule = read_config(base / "scheduler" / "scheduler_config.json")
        self._files = FaithDiffFiles(base, vae, weights, parts)
        config = read_config(vae / "config.json")
        self._scaling = float(config.get("scaling_factor", SDXL_SCALING))
        self.vae_tile_px = int(config.get("sample_size", SDXL_VAE_TILE_PX))
        """Of the authors' tiled VAE, which has the size of its configuration."""
        self._parts = parts
        self._unets = UNets(self._files, device, parts, first=first)

    @property
    def weights_bytes(self) -> int:
        return self._unets.bytes

    @property
    def parts(self) -> tuple[Part[Any], ...]:
        return (*self.prompts.parts, *self.reader.parts, *self._files.parts)

    def kept_as(self, precision: str) -> str:
        return f"{precision}, UNet in fp8" if self._unets.storage == "fp8" else precision

    def rest(self, precision: Precision | None) -> None:
        self._unets.keep(precision)

    # -- stages ------------------------------------------------------------------------------------

    def estimated(
        self, source: RegionSource, *, settings: RestoreSettings, enlarged: RegionSource | None = None
    ) -> Mapping[str, SettingValue]:
        return self.reader.found(settings, picture=source, enlarged=enlarged or source)

    def condition(
        self, region: torch.Tensor, *, settings: RestoreSettings, magnification: int
    ) -> FaithDiffConditioning:
        conditioned = self.conditioned(settings=settings, magnification=magnification)
        # the text encoders are idle now, and go where the host is short of room for what the job keeps there
        self._parts.room(HOST, self.spec.memory.host_bytes_per_px * region.shape[-2] * region.shape[-1])
        return replace(conditioned, fused=_fused(region, float(settings.own["hdr"])))

    def conditioned(self, *, settings: RestoreSettings, magnification: int) -> FaithDiffConditioning:
        """All but what is found in the picture."""
        own = settings.own
        prompt = str(own["prompt"]) if own["prompt_source"] == "text" else ""
        guidance = float(own["guidance_scale"])
        prompts = (str(own["negative_prompt"]), prompt) if guidance > 1 else (prompt,)
        return FaithDiffConditioning(
            magnification,
            {"prompt": prompt, "weights": self._unets.choice(str(own["weights"])), **reported(own)},
            self.encoded(*prompts),
            guidance,
            self.steps_of(settings),
            settings.seed,
            own["start"] == "picture",
            int(own["tile_size"]),
            str(own["weights"]),
        )

    def with_features(self, conditioning: Conditioning, features: FeaturePlane) -> FaithDiffConditioning:
        assert isinstance(conditioning, FaithDiffConditioning)
        return replace(conditioning, features=features, embeddings=TileEmbeddings())

    def encode(
        self, x: torch.Tensor, *, origins: Origins, conditioning: Conditioning, precision: Precision
    ) -> torch.Tensor:
        """Channels: the first latents, the noise scheduler's state, the features."""
        assert isinstance(conditioning, FaithDiffConditioning)
        assert conditioning.features is not None
        boxes = _boxes(origins, x, self.spec.latent_px)
        if conditioning.fused is not None:
            x = torch.cat([self._fused_tile(conditioning, box) for box in boxes])
        features = self.features(x * 2 - 1, precision=precision)
        drawn = np.stack([noise(conditioning.seed, box, LATENT_CHANNELS) for box in boxes])
        latent = torch.from_numpy(drawn).to(self.device) * conditioning.noise_steps.initial_sigma
        if conditioning.from_picture:
            latent = self.noisy(self.clean_latent(x * 2 - 1, precision=precision), latent, conditioning)
        return torch.cat([conditioning.noise_steps.started(latent), features], dim=1)

    def predict(
        self,
        latent: torch.Tensor,
        *,
        step: int,
        origins: Origins,
        conditioning: Conditioning,
        precision: Precision,
    ) -> torch.Tensor:
        assert isinstance(conditioning, FaithDiffConditioning)
        boxes = _boxes(origins, latent)
        plane = _plane(conditioning)
        picture = Size(plane.width * self.spec.latent_px, plane.height * self.spec.latent_px)
        target = Size(*(max(conditioning.tile_px, side * self.spec.latent_px) for side in boxes[0].size))
        ids = [time_ids(picture, (box.x - plane.x, box.y - plane.y), target) for box in boxes]
        embedding = torch.stack([self._embedding(conditioning, box, precision) for box in boxes])
        return guided(
            self.branches(
                conditioning.noise_steps.scaled(latent, step),
                step=step,
                embedding=embedding,
                ids=torch.cat(ids),
                conditioning=conditioning,
                precision=precision,
            ),
            conditioning.guidance,
        )

    def step(
        self, latent: torch.Tensor, prediction: torch.Tensor, *, step: int, conditioning: Conditioning
    ) -> torch.Tensor:
        assert isinstance(conditioning, FaithDiffConditioning)
        return conditioning.noise_steps.stepped(latent, prediction, step)

    def decode(
        self, tiles: torch.Tensor, *, conditioning: Conditioning, precision: Precision
    ) -> torch.Tensor:
        return self.decoded(tiles[:, :LATENT_CHANNELS], precision=precision) / 2 + 0.5

    # -- parts of stages, also for the authors' path -----------------------------------------------

    def steps_of(self, settings: RestoreSettings) -> NoiseSteps:
        own = settings.own
        return NoiseSteps(
            self._schedule,
            scheduler=str(own["scheduler"]),
            steps=int(own["steps"]),
            channels=LATENT_CHANNELS,
        )

    def encoded(self, *prompts: str) -> Prompt:
        """On the pipeline's device, B prompts."""
        return self.prompts.encoded(*prompts).to(self.device)

    def features(
        self, x: torch.Tensor, *, precision: Precision, tiling: CrossfadeTiling | None = None
    ) -> torch.Tensor:
        """B 3 H W in -1..1 to B 512 H/8 W/8, float32; `tiling`: in the authors' tiles."""
        place = Place(self.device, precision)
        with self._files.lq_encoder(place).held() as network:
            found: torch.Tensor = tiled(network, _as(x, place), tiling, Fraction(1, self.spec.latent_px))
        return found.float()

    def clean_latent(
        self, x: torch.Tensor, *, precision: Precision, tiling: CrossfadeTiling | None = None
    ) -> torch.Tensor:
        """B 3 H W in -1..1 to the posterior's mean, scaled, float32."""
        place = Place(self.device, precision)
        with self._files.vae(place).held() as vae:

            def moments(x: torch.Tensor) -> torch.Tensor:
                found: torch.Tensor = vae.quant_conv(vae.encoder(x))
                return found

            mean, _ = tiled(moments, _as(x, place), tiling, Fraction(1, self.spec.latent_px)).chunk(2, dim=1)
        return mean.float() * self._scaling

    def decoded(
        self, latent: torch.Tensor, *, precision: Precision, tiling: CrossfadeTiling | None = None
    ) -> torch.Tensor:
        """Scaled latents B 4 h w to B 3 8h 8w around -1..1, float32."""
        place = Place(self.device, precision)
        with self._files.vae(place).held() as vae:

            def picture(z: torch.Tensor) -> torch.Tensor:
                found: torch.Tensor = vae.decoder(vae.post_quant_conv(z))
                return found

            y = tiled(picture, _as(latent / self._scaling, place), tiling, Fraction(self.spec.latent_px))
        return y.float()

    def noisy(
        self, clean: torch.Tensor, noise: torch.Tensor, conditioning: FaithDiffConditioning
    ) -> torch.Tensor:
        """The first latents of the start from the picture; `noise` carries the initial sigma."""
        alpha = conditioning.noise_steps.alphas[NOISIEST].to(clean.device)
        return alpha.sqrt() * clean + (1 - alpha).sqrt() * noise

    def embedding(
        self, features: torch.Tensor, *, conditioning: FaithDiffConditioning, precision: Precision
    ) -> torch.Tensor:
        """e of tiles, B 512 h w to B C h w in the precision's own type."""
        unet = self._unets.at(precision, conditioning.weights)
        found: torch.Tensor = unet.conv_in.alignment.condition_embedding(
            _as(features, Place(self.device, precision))
        )
        return found

    def branches(
        self,
        latent: torch.Tensor,
        *,
        step: int,
        embedding: torch.Tensor,
        ids: torch.Tensor,
        conditioning: FaithDiffConditioning,
        precision: Precision,
    ) -> torch.Tensor:
        """What the UNet sees in scaled latents B 4 h w under each prompt, in one batch: P B 4 h w, float32. `ids` is
        B 6 (`time_ids`)."""
        unet = self._unets.at(precision, conditioning.weights)
        place, prompts = Place(self.device, precision), conditioning.prompts
        count, tiles = len(prompts.embeddings), len(latent)
        with aligned_with(embedding.to(self.device)):
            out: torch.Tensor = unet(
                _as(latent.repeat(count, 1, 1, 1), place),
                conditioning.noise_steps.timesteps[step],
                encoder_hidden_states=prompts.embeddings.to(place.dtype).repeat_interleave(tiles, dim=0),
                added_cond_kwargs={
                    "text_embeds": prompts.pooled.to(place.dtype).repeat_interleave(tiles, dim=0),
                    "time_ids": ids.to(self.device).repeat(count, 1),
                },
            ).sample
        return out.float().view(count, tiles, *out.shape[1:])

    def _embedding(
        self, conditioning: FaithDiffConditioning, box: Rect, precision: Precision
    ) -> torch.Tensor:
        assert conditioning.features is not None
        assert conditioning.embeddings is not None
        plane = conditioning.features

        def make() -> torch.Tensor:
            features = torch.from_numpy(plane.read(box))[None].to(self.device)
            return self.embedding(features, conditioning=conditioning, precision=precision)[0]

        dtype = Place(self.device, precision).dtype
        return conditioning.embeddings.of(box, dtype, make).to(self.device)

    def _fused_tile(self, conditioning: FaithDiffConditioning, box: Rect) -> torch.Tensor:
        assert conditioning.fused is not None
        plane = _plane(conditioning)
        rows = conditioning.fused[box.shifted(-plane.x, -plane.y).times(self.spec.latent_px).slices]
        return torch.from_numpy(rows.copy()).to(self.device).permute(2, 0, 1)[None].float() / 255

    def authors(
        self,
        picture: Picture,
        *,
        settings: RestoreSettings,
        precision: Precision,
        tap: Tap = no_tap,
    ) -> Generator[TileProgress, None, Picture]:
        """Taps: see `faithdiff_authors.restored`."""
        return faithdiff_authors.restored(self, picture, settings=settings, precision=precision, tap=tap)


def _fused(region: torch.Tensor, value: float) -> Picture | None:
    """The whole region after the HDR effect, 8 bit as the authors apply it."""
    if value == 0:
        return None
    rows = region[0].permute(1, 2, 0).numpy()
    return fused(np.rint(rows * np.float32(255)).astype(np.uint8), value)


def _boxes(origins: Origins, tiles: torch.Tensor, px: int = 1) -> list[Rect]:
    """Of tiles B C h w, in absolute cells of `px`."""
    height, width = tiles.shape[-2] // px, tiles.shape[-1] // px
    return [Rect(x, y, width, height) for x, y in origins]


def _plane(conditioning: FaithDiffConditioning) -> Rect:
    assert conditioning.features is not None
    return conditioning.features.box


def _as(tensor: torch.Tensor, place: Place) -> torch.Tensor:
    return tensor.to(place.device, place.dtype).contiguous(memory_format=layout(place.dtype))


def load(device: torch.device, parts: Parts) -> FaithDiffPipeline:
    """From the store. Raises NotReady."""
    (base, vae, weights), hashes = stored(BASE_ID, VAE_ID, WEIGHTS_ID)
    return FaithDiffPipeline(
        base,
        vae,
        weights,
        device,
        parts,
        first=reduced_precision(device, steps=FAITHDIFF.steps),
        checkpoint_hashes=hashes,
    )
