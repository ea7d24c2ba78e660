"""Pipelines `osediff` and `osediff-face`: one step of Stable Diffusion 2.1 with low-rank adapters.

Paper: "One-Step Effective Diffusion Network for Real-World Image Super-Resolution" (NeurIPS 2024), arXiv 2406.08177.
Official: github.com/cswry/OSEDiff (Apache-2.0), `osediff.py` and `test_osediff.py`; weights `osediff.pkl` and
`osediff_face.pkl` of its `preset/models`, over Stable Diffusion 2.1-base (CreativeML Open RAIL++-M).

Differences from the official code: the adapters are merged into the weights once; the posterior's mean stands for a
random sample unless asked otherwise; encode, predict and decode have tiles of their own with true partitions of
unity; sizes are exact (no Lanczos shrink to multiples of 8); nothing is rounded to 8 bits on the way; colour
statistics are those of the whole region. With `authors_exact` all of these are the authors', slips
included (`authors`), except that a result whose size the script changes is brought to the size that was asked for,
which the script means to do and forgets.
"""

from __future__ import annotations

import json
from collections.abc import Generator, Mapping
from pathlib import Path

import numpy as np
import torch
from peft import LoraConfig, inject_adapter_in_model
from peft.tuners.lora import LoraLayer
from PIL import Image
from torch import nn

from safelight.engine.checkpoints.convert import read_converted
from safelight.engine.pipelines.authors import (
    AuthorsTiling,
    aligned,
    as_input,
    restored,
    to_picture,
)
from safelight.engine.pipelines.base import Conditioning, Picture, Precision, Tap, TileProgress, no_tap
from safelight.engine.pipelines.base_networks import (
    Networks,
    first_precision,
    load_base,
    stored,
    tensors_below,
)
from safelight.engine.pipelines.osediff_spec import (
    BASE_ID,
    FACE_WEIGHTS_ID,
    OSEDIFF,
    OSEDIFF_FACE,
    WEIGHTS_ID,
)
from safelight.engine.pipelines.stable_diffusion import OneStepConditioning, OneStepPipeline
from safelight.errors import NotReady
from safelight.settings import RestoreSettings
from safelight.spec import PipelineSpec

LORA_ALPHA = 8  # peft's default; the official file does not carry it
UNET_ADAPTERS = {
    "default_encoder": "unet_lora_encoder_modules",
    "default_decoder": "unet_lora_decoder_modules",
    "default_others": "unet_lora_others_modules",
}
VAE_ADAPTERS = {"default_encoder": "vae_lora_encoder_modules"}
WITHOUT_TAGS = ", ,"  # the official form "{tags}, {prompt}," with both empty


class OSEDiffPipeline(OneStepPipeline):
    """See the module."""

    def __init__(
        self,
        base: Path,
        weights: Path,
        device: torch.device,
        *,
        first: Precision,
        checkpoint_hashes: Mapping[str, str],
        spec: PipelineSpec = OSEDIFF,
    ) -> None:
        """`base` a diffusers folder, `weights` the converted checkpoint."""
        self.spec = spec
        super().__init__(
            lambda: merged_networks(base, weights),
            base,
            device,
            first=first,
            checkpoint_hashes=checkpoint_hashes,
        )

    def condition(
        self, region: torch.Tensor, *, settings: RestoreSettings, magnification: int
    ) -> OneStepConditioning:
        own = settings.own
        prompt = str(own["prompt"]) if own["prompt_source"] == "text" else WITHOUT_TAGS
        return OneStepConditioning(
            magnification,
            {"prompt": prompt},
            self.prompts.embeddings(prompt).to(self.device),
            settings.seed if own["posterior"] == "sampled" else None,
        )

    def prediction(
        self, latent: torch.Tensor, *, conditioning: Conditioning, precision: Precision
    ) -> torch.Tensor:
        assert isinstance(conditioning, OneStepConditioning)
        embeddings = conditioning.embeddings.expand(len(latent), -1, -1)
        return self.unet(latent, embeddings, precision=precision)

    def authors(
        self,
        picture: Picture,
        *,
        settings: RestoreSettings,
        precision: Precision,
        tap: Tap = no_tap,
    ) -> Generator[TileProgress, None, Picture]:
        """Taps: input_ids, prompt_embeds, lq_u8, those of `authors.restored`, pre_align."""
        source = network_picture(picture, int(settings.own["process_size"]), settings.output_scale)
        tap("lq_u8", torch.from_numpy(source))
        x = as_input(source, self.device)
        conditioning = self.condition(x, settings=settings, magnification=1)
        tap("input_ids", self.prompts.ids(str(conditioning.report["prompt"])))
        tap("prompt_embeds", conditioning.embeddings)
        y = yield from restored(
            self,
            x * 2 - 1,
            conditioning=conditioning,
            precision=precision,
            tiling=AuthorsTiling.of(settings.own),
            predict=lambda tile, i: self.prediction(tile, conditioning=conditioning, precision=precision),
            tap=tap,
        )
        before = to_picture(y)
        tap("pre_align", torch.from_numpy(before))
        return aligned(before, source, str(settings.own["colour_fix"]))


def network_picture(picture: Picture, process_size: int, scale: int) -> Picture:
    """The official resizes, all on 8-bit RGB by Pillow: small pictures up to the process size first (sides cut
    off, not rounded), then by `scale`, then down to multiples of 8."""
    image = Image.fromarray(picture)
    least = process_size // scale
    if min(image.size) < least:
        factor = least / min(image.size)
        image = image.resize((int(factor * image.width), int(factor * image.height)))
    image = image.resize((image.width * scale, image.height * scale))
    cut = image.width - image.width % 8, image.height - image.height % 8
    return np.array(image.resize(cut, Image.Resampling.LANCZOS))


def merged_networks(base: Path, weights: Path) -> Networks:
    """The base with the checkpoint in it, fp32 on the host. Raises NotReady (CHECKPOINT_DAMAGED) when the two
    do not fit."""
    networks = load_base(base)
    tensors, header = read_converted(weights)
    merge(networks.unet, tensors_below(tensors, "state_dict_unet/"), header, UNET_ADAPTERS, "rank_unet")
    merge(networks.vae, tensors_below(tensors, "state_dict_vae/"), header, VAE_ADAPTERS, "rank_vae")
    return networks


def merge(
    network: nn.Module,
    tensors: Mapping[str, torch.Tensor],
    header: Mapping[str, str],
    adapters: Mapping[str, str],
    rank: str,
) -> None:
    """Injects the adapters (name to the header's list of modules) with peft, loads and merges them. A whole
    trained layer under `base_layer` replaces the base's."""
    for adapter, modules in adapters.items():
        config = LoraConfig(
            r=int(json.loads(header[rank])),
            lora_alpha=LORA_ALPHA,
            target_modules=sorted(set(json.loads(header[modules]))),
            init_lora_weights=False,
        )
        inject_adapter_in_model(config, network, adapter)
        del network.peft_config  # adapters share no layer, so the next one need not know of this one
    _load_adapters(network, tensors)
    for name, layer in list(network.named_modules()):
        if isinstance(layer, LoraLayer):
            layer.merge(adapter_names=list(layer.lora_A))
            parent, _, child = name.rpartition(".")
            setattr(network.get_submodule(parent), child, layer.get_base_layer())


def _load_adapters(network: nn.Module, tensors: Mapping[str, torch.Tensor]) -> None:
    expected = {name for name, _ in network.named_parameters() if ".lora_" in name}
    found = {name for name in tensors if ".lora_" in name}
    try:
        unknown = network.load_state_dict(dict(tensors), strict=False).unexpected_keys
    except RuntimeError:
        unknown = ["shapes"]
    if unknown or expected != found:
        raise NotReady(
            "the checkpoint does not fit its base: install both again, of the same version",
            "CHECKPOINT_DAMAGED",
        )


def load(device: torch.device) -> OSEDiffPipeline:
    """From the store. Raises NotReady."""
    return _load(device, OSEDIFF, WEIGHTS_ID)


def load_face(device: torch.device) -> OSEDiffPipeline:
    return _load(device, OSEDIFF_FACE, FACE_WEIGHTS_ID)


def _load(device: torch.device, spec: PipelineSpec, weights_id: str) -> OSEDiffPipeline:
    (base, weights), hashes = stored(BASE_ID, weights_id)
    return OSEDiffPipeline(
        base, weights, device, first=first_precision(device), checkpoint_hashes=hashes, spec=spec
    )
