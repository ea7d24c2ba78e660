"""OSEDiff and S3Diff as one writes them with diffusers, transformers and peft, for comparison.

As the authors' scripts: stock AutoencoderKL, UNet2DConditionModel and CLIPTextModel in the precision that is asked
for, adapters left unmerged, the whole picture through the VAE up to the authors' tile sizes, the UNet in the authors'
latent tiles of 96 cells. S3Diff's adapters multiply their matrix in with every call, and the UNet runs once for each
prompt; its two scores are given on both sides.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from diffusers import AutoencoderKL, DDPMScheduler, UNet2DConditionModel
from peft import LoraConfig
from peft.tuners.lora import LoraLayer
from transformers import CLIPTextModel, CLIPTokenizer

from safelight.engine.networks.s3diff_lora import ModulationHead, block_index, fourier_features
from safelight.engine.pipelines.s3diff_spec import GUIDANCE, NEGATIVE_PROMPT, POSITIVE_PROMPT

TIMESTEP, TOKENS = 999, 77
SCORE = 0.3
"""Blur and noise, in place of the estimator's."""
UNET_PARTS = ("encoder", "decoder", "others")
TILE_LAT, OVERLAP_LAT = 96, 32
"""The authors' default latent tile and overlap."""


class PlainOneStep:
    """Loaded networks; called with a picture that is to keep its size."""

    def __init__(self, base: Path, *, device: torch.device, dtype: torch.dtype) -> None:
        self.device, self.dtype = device, dtype
        self.tokenizer = CLIPTokenizer.from_pretrained(base / "tokenizer")
        self.text_encoder = CLIPTextModel.from_pretrained(base / "text_encoder")
        self.scheduler = DDPMScheduler.from_pretrained(base / "scheduler")
        self.vae = AutoencoderKL.from_pretrained(base / "vae")
        self.unet = UNet2DConditionModel.from_pretrained(base / "unet")

    def _place(self, *networks: Any) -> None:
        for network in (self.text_encoder, self.vae, self.unet, *networks):
            network.requires_grad_(False).eval().to(self.device, self.dtype)

    def __call__(self, picture: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        x = torch.from_numpy(picture).permute(2, 0, 1)[None].to(self.device, self.dtype) / 127.5 - 1
        rounded = ((self.restored(x)[0].float() / 2 + 0.5) * 255).round().permute(1, 2, 0)
        return rounded.to(torch.uint8).cpu().numpy()

    @torch.inference_mode()
    def restored(self, x: torch.Tensor) -> torch.Tensor:
        """B 3 h w in -1..1 on the device in its precision, as is the result."""
        latent = self.vae.encode(x).latent_dist.sample() * self.vae.config.scaling_factor
        prediction = self._predicted(latent)
        alpha = self.scheduler.alphas_cumprod[TIMESTEP].to(self.device)
        clean = (latent - (1 - alpha).sqrt() * prediction) / alpha.sqrt()
        y: torch.Tensor = self.vae.decode(clean.to(self.dtype) / self.vae.config.scaling_factor).sample
        return y.clamp(-1, 1)

    def _embedded(self, prompt: str) -> torch.Tensor:
        tokens = self.tokenizer(
            prompt, max_length=self.tokenizer.model_max_length, padding="max_length", truncation=True,
            return_tensors="pt",
        )  # fmt: skip
        embeddings: torch.Tensor = self.text_encoder(tokens.input_ids.to(self.device))[0]
        return embeddings

    def _predicted(self, latent: torch.Tensor) -> torch.Tensor:
        height, width = latent.shape[-2:]
        predict = self._predictor()
        total, weights = torch.zeros_like(latent), torch.zeros_like(latent)
        for top in tile_starts(height):
            for left in tile_starts(width):
                tile = (..., slice(top, top + TILE_LAT), slice(left, left + TILE_LAT))
                here = predict(latent[tile])
                weight = _gaussian(*here.shape[-2:]).to(here)
                total[tile] += here * weight
                weights[tile] += weight
        return total / weights

    def _predictor(self) -> Callable[[torch.Tensor], torch.Tensor]:
        """Latent tiles to noise."""
        raise NotImplementedError

    def _noise(self, latent: torch.Tensor, embeddings: torch.Tensor) -> torch.Tensor:
        noise: torch.Tensor = self.unet(
            latent, TIMESTEP, encoder_hidden_states=embeddings.expand(len(latent), -1, -1)
        ).sample
        return noise


class PlainOSEDiff(PlainOneStep):
    """See the module."""

    def __init__(self, base: Path, weights: Path, *, device: torch.device, dtype: torch.dtype) -> None:
        super().__init__(base, device=device, dtype=dtype)
        content = torch.load(weights, weights_only=True)
        for part in UNET_PARTS:
            modules = content[f"unet_lora_{part}_modules"]
            _adapter(self.unet, f"default_{part}", modules, content["rank_unet"])
        _adapter(self.vae, "default_encoder", content["vae_lora_encoder_modules"], content["rank_vae"])
        for network, name in ((self.unet, "state_dict_unet"), (self.vae, "state_dict_vae")):
            _fill(network, content[name])
        self.unet.set_adapters([f"default_{part}" for part in UNET_PARTS])
        self._place()

    def _predictor(self) -> Callable[[torch.Tensor], torch.Tensor]:
        embeddings = self._embedded(", ,")
        return lambda latent: self._noise(latent, embeddings)


class PlainS3Diff(PlainOneStep):
    """See the module."""

    def __init__(self, base: Path, weights: Path, *, device: torch.device, dtype: torch.dtype) -> None:
        super().__init__(base, device=device, dtype=dtype)
        content = torch.load(weights, weights_only=True)
        scores = torch.full((1, 2), SCORE)
        for network, name, adapter in ((self.unet, "unet", "default"), (self.vae, "vae", "vae_skip")):
            _adapter(network, adapter, content[f"{name}_lora_target_modules"], content[f"rank_{name}"])
            _fill(network, content[f"state_dict_{name}"])
            network.set_adapters([adapter]) if name == "unet" else None
            matrices = _matrices(content, name, scores).to(device, dtype)
            for layer_name, layer in network.named_modules():
                if isinstance(layer, LoraLayer):
                    matrix = matrices[:, block_index(layer_name)]
                    layer.forward = partial(_modulated, layer, adapter, matrix)
        self._place()

    def _predictor(self) -> Callable[[torch.Tensor], torch.Tensor]:
        wanted, unwanted = (self._embedded(prompt) for prompt in (POSITIVE_PROMPT, NEGATIVE_PROMPT))

        def predict(latent: torch.Tensor) -> torch.Tensor:
            positive, negative = (self._noise(latent, prompt) for prompt in (wanted, unwanted))
            return negative + GUIDANCE * (positive - negative)

        return predict


def _adapter(network: Any, name: str, modules: list[str] | str, rank: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a second adapter in one network
        network.add_adapter(LoraConfig(r=rank, target_modules=modules, init_lora_weights="gaussian"), name)


def _fill(network: Any, tensors: Mapping[str, torch.Tensor]) -> None:
    """Names of the first convolution differ between adapted and plain."""
    unknown = network.load_state_dict(tensors, strict=False).unexpected_keys
    assert not unknown, unknown


def _matrices(content: Mapping[str, Any], network: str, scores: torch.Tensor) -> torch.Tensor:
    tensors = {
        f"{name}/{key}" if key else name: tensor
        for name, part in content.items()
        if isinstance(part, Mapping)
        for key, tensor in _flat(part)
    }
    embeddings = tensors[f"state_embeddings/state_dict_{network}_block/weight"]
    head = ModulationHead(tensors, network=network, embeddings=embeddings, rank=content[f"rank_{network}"])
    matrices: torch.Tensor = head(fourier_features(scores, content["w"]))
    return matrices


def _flat(part: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, torch.Tensor]]:
    for key, value in part.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{key}/")
        else:
            yield f"{before}{key}", value


def _modulated(layer: Any, adapter: str, matrix: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """As the script replaces the forward of peft's layers: base(x) + s B(M A(x))."""
    low = layer.lora_A[adapter](x)
    form = "bkhw,bkr->brhw" if low.ndim == 4 else "blk,bkr->blr"
    low = torch.einsum(form, low, matrix.expand(len(low), -1, -1))
    out: torch.Tensor = layer.base_layer(x) + layer.lora_B[adapter](low) * layer.scaling[adapter]
    return out


def tile_starts(length: int) -> list[int]:
    if length <= TILE_LAT:
        return [0]
    step = TILE_LAT - OVERLAP_LAT
    return [*range(0, length - TILE_LAT, step), length - TILE_LAT]


def _gaussian(height: int, width: int) -> torch.Tensor:
    """The authors' weights within a tile."""
    profiles = []
    for length in (height, width):
        place = (torch.arange(length) - (length - 1) / 2) / length
        profiles.append(torch.exp(-place.square() / (2 * 0.01)))
    return profiles[0][:, None] * profiles[1]
