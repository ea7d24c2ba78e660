"""What the one-step pipelines on Stable Diffusion share: the stages around the networks of their base.

Base: a folder in diffusers' layout (Stable Diffusion 2.1-base, arXiv 2112.10752, or SD-Turbo) with unet, vae,
text_encoder, tokenizer and scheduler, as safetensors. The classes of diffusers and transformers are used
unmodified.

One step at t = 999 on the degraded picture's own latent (`noise_schedule`).
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from safelight.engine.checkpoints.weights import layout
from safelight.engine.latent_noise import noise
from safelight.engine.networks.vae_tiling import decode_tiled, encode_tiled
from safelight.engine.parts import Part, Parts
from safelight.engine.pipelines.base import Conditioning, Origins, Pipeline, Precision
from safelight.engine.pipelines.noise_schedule import TIMESTEP, LastStep
from safelight.engine.pipelines.prompt_source import PromptReader
from safelight.engine.pipelines.text_encoder import PromptEncoder
from safelight.engine.pipelines.versions import Load, Versions
from safelight.geometry import Rect

LOG_VARIANCE_LEAST, LOG_VARIANCE_MOST = -30.0, 20.0  # as diffusers' DiagonalGaussianDistribution


@dataclass(frozen=True)
class OneStepConditioning(Conditioning):
    """Of a job: what its stages need besides pixels."""

    embeddings: torch.Tensor = field(default_factory=lambda: torch.empty(0))
    """Of the prompt, 1 77 C float32 on the pipeline's device."""
    sampled_seed: int | None = None
    """Seed of the sampled posterior; None: the posterior's mean."""


class OneStepPipeline(Pipeline):
    """Encode, predict, step and decode around a UNet that is asked once. What differs between papers is in
    `condition`, `prediction` and in the context their networks are called in."""

    def __init__(
        self,
        base: Path,
        device: torch.device,
        parts: Parts,
        *,
        unet: Load,
        vae: Load,
        first: Precision,
        checkpoint_hashes: Mapping[str, str],
    ) -> None:
        """`unet` and `vae` give these networks with the paper's weights in them; `first` is the precision that is
        loaded at once."""
        self.device = device
        self.checkpoint_hashes = checkpoint_hashes
        self.prompts = PromptEncoder(base, parts, device)
        self.reader = PromptReader(device, parts)
        self._last = LastStep.of(base).on(device)
        self._unets = Versions(unet, device, parts, first=first)
        self._vaes = Versions(vae, device, parts, first=first)
        self._scaling = float(self._vaes.at(first).config.scaling_factor)

    @property
    def weights_bytes(self) -> int:
        return self._unets.bytes + self._vaes.bytes

    @property
    def parts(self) -> tuple[Part[Any], ...]:
        return self.prompts.encoder, *self.reader.parts, *self._unets.shared, *self._vaes.shared

    def rest(self, precision: Precision | None) -> None:
        self._unets.keep(precision)
        self._vaes.keep(precision)

    @abstractmethod
    def prediction(
        self, latent: torch.Tensor, *, conditioning: Conditioning, precision: Precision
    ) -> torch.Tensor:
        """The noise that the UNet sees in scaled latents B 4 h w, float32."""

    def vae_context(self, conditioning: Conditioning) -> AbstractContextManager[None]:
        """What the VAE's encoder is called in."""
        return nullcontext()

    # -- stages ------------------------------------------------------------------------------------

    def encode(
        self, x: torch.Tensor, *, origins: Origins, conditioning: Conditioning, precision: Precision
    ) -> torch.Tensor:
        assert isinstance(conditioning, OneStepConditioning)
        mean, log_variance = self.posterior(x * 2 - 1, conditioning=conditioning, precision=precision)
        if conditioning.sampled_seed is not None:
            deviation = log_variance.clamp(LOG_VARIANCE_LEAST, LOG_VARIANCE_MOST).mul(0.5).exp()
            mean = mean + deviation * self._noise(mean, origins, conditioning.sampled_seed)
        return mean * self._scaling

    def predict(
        self,
        latent: torch.Tensor,
        *,
        step: int,
        origins: Origins,
        conditioning: Conditioning,
        precision: Precision,
    ) -> torch.Tensor:
        return self.prediction(latent, conditioning=conditioning, precision=precision)

    def step(
        self, latent: torch.Tensor, prediction: torch.Tensor, *, step: int, conditioning: Conditioning
    ) -> torch.Tensor:
        return self._last.clean(latent, prediction)

    def decode(
        self, tiles: torch.Tensor, *, conditioning: Conditioning, precision: Precision
    ) -> torch.Tensor:
        return self.decoded(tiles, precision=precision) / 2 + 0.5

    # -- parts, also for the authors' path ---------------------------------------------------------

    def posterior(
        self,
        x: torch.Tensor,
        *,
        conditioning: Conditioning,
        precision: Precision,
        tile_px: int | None = None,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean and log variance of x (B 3 H W in -1..1), unscaled, float32; `tile_px`: in the authors' tiles."""
        vae = self._vaes.at(precision)
        x = x.to(vae.dtype).contiguous(memory_format=layout(vae.dtype))
        with self.vae_context(conditioning):
            moments = vae.encoder(x) if tile_px is None else encode_tiled(vae.encoder, x, tile_px)
            mean, log_variance = vae.quant_conv(moments).float().chunk(2, dim=1)
        return mean, log_variance

    def scaled_mean(
        self, x: torch.Tensor, *, conditioning: Conditioning, precision: Precision, tile_px: int
    ) -> torch.Tensor:
        mean, _ = self.posterior(x, conditioning=conditioning, precision=precision, tile_px=tile_px)
        return mean * self._scaling

    def decoded(
        self, latent: torch.Tensor, *, precision: Precision, tile_lat: int | None = None
    ) -> torch.Tensor:
        """Scaled latents B 4 h w to B 3 8h 8w, -1..1, float32; `tile_lat`: in the authors' tiles."""
        vae = self._vaes.at(precision)
        z = (latent / self._scaling).to(vae.dtype).contiguous(memory_format=layout(vae.dtype))
        z = vae.post_quant_conv(z)
        y: torch.Tensor = vae.decoder(z) if tile_lat is None else decode_tiled(vae.decoder, z, tile_lat)
        return y.float().clamp(-1, 1)

    def unet(self, latent: torch.Tensor, embeddings: torch.Tensor, *, precision: Precision) -> torch.Tensor:
        """B 4 h w and B 77 C to the UNet's output, float32."""
        unet = self._unets.at(precision)
        latent = latent.to(unet.dtype).contiguous(memory_format=layout(unet.dtype))
        out: torch.Tensor = unet(latent, TIMESTEP, encoder_hidden_states=embeddings.to(unet.dtype)).sample
        return out.float()

    def _noise(self, mean: torch.Tensor, origins: Origins, seed: int) -> torch.Tensor:
        channels, height, width = mean.shape[1:]
        tiles = [noise(seed, Rect(x, y, width, height), channels) for x, y in origins]
        return torch.from_numpy(np.stack(tiles)).to(mean.device)
