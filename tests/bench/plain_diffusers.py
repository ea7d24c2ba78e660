"""OSEDiff and S3Diff as one writes them with diffusers, transformers and peft, for comparison.

As the authors' scripts: stock AutoencoderKL, UNet2DConditionModel and CLIPTextModel in the precision that is asked
for, adapters left unmerged, the whole picture through the VAE up to the authors' tile sizes, the UNet in the authors'
latent tiles of 96 cells. S3Diff's layers multiply their low-rank middle in as its script does.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from diffusers import AutoencoderKL, DDPMScheduler, UNet2DConditionModel
from peft import LoraConfig
from transformers import CLIPTextModel, CLIPTokenizer

TIMESTEP = 999
TILE_LAT, OVERLAP_LAT = 96, 32
"""The authors' default latent tile and overlap."""


class PlainOSEDiff:
    """Loaded networks; called with a picture that is to keep its size."""

    def __init__(self, base: Path, weights: Path, *, device: torch.device, dtype: torch.dtype) -> None:
        self.device, self.dtype = device, dtype
        self.tokenizer = CLIPTokenizer.from_pretrained(base / "tokenizer")
        self.text_encoder = CLIPTextModel.from_pretrained(base / "text_encoder")
        self.scheduler = DDPMScheduler.from_pretrained(base / "scheduler")
        self.vae = AutoencoderKL.from_pretrained(base / "vae")
        self.unet = UNet2DConditionModel.from_pretrained(base / "unet")
        content = torch.load(weights, weights_only=True)
        for part in ("encoder", "decoder", "others"):
            modules = content[f"unet_lora_{part}_modules"]
            self._adapter(self.unet, f"default_{part}", modules, content["rank_unet"])
        self._adapter(self.vae, "default_encoder", content["vae_lora_encoder_modules"], content["rank_vae"])
        for network, name in ((self.unet, "state_dict_unet"), (self.vae, "state_dict_vae")):
            network.load_state_dict(content[name], strict=False)
        self.unet.set_adapters([f"default_{part}" for part in ("encoder", "decoder", "others")])
        for network in (self.text_encoder, self.vae, self.unet):
            network.requires_grad_(False).eval().to(device, dtype)

    @staticmethod
    def _adapter(network: Any, name: str, modules: list[str], rank: int) -> None:
        network.add_adapter(LoraConfig(r=rank, target_modules=modules, init_lora_weights="gaussian"), name)

    @torch.inference_mode()
    def __call__(self, picture: npt.NDArray[np.uint8], prompt: str = ", ,") -> npt.NDArray[np.uint8]:
        x = torch.from_numpy(picture).permute(2, 0, 1)[None].to(self.device, self.dtype) / 127.5 - 1
        tokens = self.tokenizer(
            prompt, max_length=self.tokenizer.model_max_length, padding="max_length", truncation=True,
            return_tensors="pt",
        )  # fmt: skip
        embeddings = self.text_encoder(tokens.input_ids.to(self.device))[0]
        latent = self.vae.encode(x).latent_dist.sample() * self.vae.config.scaling_factor
        prediction = self._predicted(latent, embeddings)
        alpha = self.scheduler.alphas_cumprod[TIMESTEP].to(self.device)
        clean = (latent - (1 - alpha).sqrt() * prediction) / alpha.sqrt()
        y = self.vae.decode(clean.to(self.dtype) / self.vae.config.scaling_factor).sample.clamp(-1, 1)
        rounded = ((y[0].float() / 2 + 0.5) * 255).round().permute(1, 2, 0)
        return rounded.to(torch.uint8).cpu().numpy()

    def _predicted(self, latent: torch.Tensor, embeddings: torch.Tensor) -> torch.Tensor:
        height, width = latent.shape[-2:]
        total, weights = torch.zeros_like(latent), torch.zeros_like(latent)
        for top in _starts(height):
            for left in _starts(width):
                tile = (..., slice(top, top + TILE_LAT), slice(left, left + TILE_LAT))
                here = self.unet(latent[tile], TIMESTEP, encoder_hidden_states=embeddings).sample
                weight = _gaussian(*here.shape[-2:]).to(here)
                total[tile] += here * weight
                weights[tile] += weight
        return total / weights


def _starts(length: int) -> list[int]:
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
