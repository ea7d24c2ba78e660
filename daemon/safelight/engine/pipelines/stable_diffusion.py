"""What the one-step pipelines on Stable Diffusion share: the base folder's networks and the stages around them.

Base: a folder in diffusers' layout (Stable Diffusion 2.1-base, arXiv 2112.10752, or SD-Turbo) with unet, vae,
text_encoder, tokenizer and scheduler, as safetensors. The classes of diffusers and transformers are used
unmodified.

One step at t = 999 on the degraded picture's own latent z: x0 = (z - sqrt(1 - a) eps) / sqrt(a), a the
cumulative alpha there, in float32. The factor 1 / sqrt(a) is 14.6: errors of eps grow by that much.
"""

from __future__ import annotations

import json
from abc import abstractmethod
from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from diffusers import AutoencoderKL, DDPMScheduler, UNet2DConditionModel
from torch import nn
from transformers import CLIPTextModel, CLIPTokenizer

from safelight.engine.checkpoints.store import installed_path, read_record
from safelight.engine.latent_noise import noise
from safelight.engine.networks.vae_tiling import decode_tiled, encode_tiled
from safelight.engine.pipelines.base import Conditioning, Origins, Pipeline, Precision
from safelight.engine.precision import native_bf16_cpu
from safelight.errors import NotReady
from safelight.geometry import Rect

TIMESTEP = 999  # the last of 1000: the authors start from the noisiest, with the picture in place of noise
TOKENS = 77  # CLIP's text length
PROMPTS_KEPT = 16  # embeddings of 77 x 1024 floats, 315 kB each
LOG_VARIANCE_LEAST, LOG_VARIANCE_MOST = -30.0, 20.0  # as diffusers' DiagonalGaussianDistribution
DTYPES: Mapping[Precision, torch.dtype] = {
    "fp32": torch.float32,
    "bf16": torch.bfloat16,
    "fp16": torch.float16,
}


def layout(dtype: torch.dtype) -> torch.memory_format:
    """Channels last for reduced precision. Not for fp32: torch's group norm sums a channels-last plane less exactly,
    measured 8 times the error of the latent at 224x216 pixels."""
    return torch.contiguous_format if dtype == torch.float32 else torch.channels_last


@dataclass(frozen=True)
class Networks:
    """UNet and VAE with a pipeline's weights in them, in one precision on one device."""

    unet: Any
    """UNet2DConditionModel; diffusers' classes carry no usable types."""
    vae: Any
    """AutoencoderKL."""

    def placed(self, device: torch.device, precision: Precision) -> Networks:
        """Moved there (the same modules), without gradients, in the precision's memory format."""
        for module in (self.unet, self.vae):
            nn.Module.to(  # diffusers' own `to` warns of modules kept in fp32, of which these have none
                module,
                device=device,
                dtype=DTYPES[precision],
                memory_format=layout(DTYPES[precision]),  # type: ignore[call-overload]
            )
            module.requires_grad_(False).eval()
        return self

    @property
    def bytes(self) -> int:
        return sum(p.numel() * p.element_size() for m in (self.unet, self.vae) for p in m.parameters())


class PrecisionSets:
    """Networks by precision. The one chosen first stays; another is loaded when it is asked for and replaces the
    other one before it. Owned by the worker's thread."""

    def __init__(self, load: Callable[[], Networks], device: torch.device, first: Precision) -> None:
        """`load` gives networks in fp32 on the host."""
        self._load, self._device = load, device
        self._sets: OrderedDict[Precision, Networks] = OrderedDict()
        self._first = first
        self.at(first)

    def at(self, precision: Precision) -> Networks:
        if precision not in self._sets:
            for other in [p for p in self._sets if p != self._first]:
                del self._sets[other]
            self._sets[precision] = self._load().placed(self._device, precision)
        return self._sets[precision]

    @property
    def bytes(self) -> int:
        return self._sets[self._first].bytes


class PromptEncoder:
    """CLIP's text encoder in fp32 on the host; remembers the last prompts, so that a repeated one costs nothing."""

    def __init__(self, base: Path) -> None:
        transformers.utils.logging.disable_progress_bar()  # nobody watches the daemon's standard error
        self._tokenizer = CLIPTokenizer.from_pretrained(base / "tokenizer", local_files_only=True)
        self._encoder = CLIPTextModel.from_pretrained(
            base / "text_encoder",
            dtype=torch.float32,
            variant=_variant(base / "text_encoder"),
            local_files_only=True,
            use_safetensors=True,
        )
        self._encoder.requires_grad_(False).eval()
        self._known: OrderedDict[str, torch.Tensor] = OrderedDict()

    def ids(self, prompt: str) -> torch.Tensor:
        """1 x 77 token ids, padded and cut as the tokenizer's files say."""
        tokens = self._tokenizer(
            prompt, max_length=TOKENS, padding="max_length", truncation=True, return_tensors="pt"
        )
        ids: torch.Tensor = tokens.input_ids
        return ids

    def embeddings(self, prompt: str) -> torch.Tensor:
        """1 x 77 x C, float32 on the host: the last hidden state after the final layer norm."""
        if prompt not in self._known:
            with torch.inference_mode():
                self._known[prompt] = self._encoder(self.ids(prompt)).last_hidden_state
            while len(self._known) > PROMPTS_KEPT:
                self._known.popitem(last=False)
        self._known.move_to_end(prompt)
        return self._known[prompt]


def load_base(base: Path) -> Networks:
    """fp32 on the host, whatever it is stored in. Raises NotReady (CHECKPOINT_DAMAGED) when the folder is not a
    base."""
    try:
        return Networks(*(_part(kind, base, folder) for kind, folder in _PARTS))
    except (OSError, ValueError) as error:
        raise NotReady(
            f"the base folder {base.name} lacks a network or holds a damaged one: install it again",
            "CHECKPOINT_DAMAGED",
            details={"base": base.name, "error": str(error)[:200]},
        ) from None


_PARTS = ((UNet2DConditionModel, "unet"), (AutoencoderKL, "vae"))


def _part(kind: Any, base: Path, folder: str) -> Any:
    return kind.from_pretrained(
        base / folder,
        torch_dtype=torch.float32,
        variant=_variant(base / folder),
        local_files_only=True,
        use_safetensors=True,
    )


def _variant(folder: Path) -> str | None:
    """`fp16` where only half-precision files are there; fp32 ones are preferred."""
    names = [path.name for path in folder.glob("*.safetensors")]
    return "fp16" if names and all(".fp16." in name for name in names) else None


def first_precision(device: torch.device) -> Precision:
    """What is loaded first and stays: what `auto` is likely to choose on this device."""
    if device.type != "cpu":
        return "fp16"
    return "bf16" if native_bf16_cpu() else "fp32"


def stored(*catalogue_ids: str) -> tuple[list[Path], dict[str, str]]:
    """Paths of installed checkpoints, and the SHA-256 of their files by `id/name`. Raises NotReady
    (CHECKPOINT_MISSING)."""
    paths: list[Path] = []
    hashes: dict[str, str] = {}
    for name in catalogue_ids:
        path, record = installed_path(name), read_record(name)
        if path is None or record is None:
            raise NotReady(
                f"the checkpoint {name} is not installed: safelight models pull {name}", "CHECKPOINT_MISSING"
            )
        paths.append(path)
        hashes |= {f"{name}/{file.name}": file.sha256 for file in record.files}
    return paths, hashes


def tensors_below(tensors: Mapping[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    """Those whose key begins so, without it."""
    return {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}


def last_alpha(base: Path) -> torch.Tensor:
    """Cumulative alpha at t = 999, a float32 scalar, from the base's noise schedule."""
    config: Mapping[str, Any] = json.loads((base / "scheduler/scheduler_config.json").read_text("utf-8"))
    names = ("num_train_timesteps", "beta_start", "beta_end", "beta_schedule")
    schedule: Any = DDPMScheduler(**{n: config[n] for n in names})
    alpha: torch.Tensor = schedule.alphas_cumprod[TIMESTEP]
    return alpha


def clean_latent(latent: torch.Tensor, prediction: torch.Tensor, alpha: torch.Tensor) -> torch.Tensor:
    """x0 = (z - sqrt(1 - a) eps) / sqrt(a), float32."""
    return (latent.float() - (1 - alpha).sqrt() * prediction.float()) / alpha.sqrt()


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
        load: Callable[[], Networks],
        base: Path,
        device: torch.device,
        *,
        first: Precision,
        checkpoint_hashes: Mapping[str, str],
    ) -> None:
        """`load` gives the networks with the paper's weights in them, fp32 on the host; `first` is the precision
        that stays loaded."""
        self.device = device
        self.checkpoint_hashes = checkpoint_hashes
        self.prompts = PromptEncoder(base)
        self._alpha = last_alpha(base).to(device)
        self._sets = PrecisionSets(load, device, first)
        self.weights_bytes = self._sets.bytes
        self._scaling = float(self._sets.at(first).vae.config.scaling_factor)

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
        return clean_latent(latent, prediction, self._alpha)

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
        vae = self._sets.at(precision).vae
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
        vae = self._sets.at(precision).vae
        z = (latent / self._scaling).to(vae.dtype).contiguous(memory_format=layout(vae.dtype))
        z = vae.post_quant_conv(z)
        y: torch.Tensor = vae.decoder(z) if tile_lat is None else decode_tiled(vae.decoder, z, tile_lat)
        return y.float().clamp(-1, 1)

    def unet(self, latent: torch.Tensor, embeddings: torch.Tensor, *, precision: Precision) -> torch.Tensor:
        """B 4 h w and B 77 C to the UNet's output, float32."""
        unet = self._sets.at(precision).unet
        latent = latent.to(unet.dtype).contiguous(memory_format=layout(unet.dtype))
        out: torch.Tensor = unet(latent, TIMESTEP, encoder_hidden_states=embeddings.to(unet.dtype)).sample
        return out.float()

    def _noise(self, mean: torch.Tensor, origins: Origins, seed: int) -> torch.Tensor:
        channels, height, width = mean.shape[1:]
        tiles = [noise(seed, Rect(x, y, width, height), channels) for x, y in origins]
        return torch.from_numpy(np.stack(tiles)).to(mean.device)
