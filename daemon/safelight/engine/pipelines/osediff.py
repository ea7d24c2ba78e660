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

from collections.abc import Generator, Mapping
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from safelight.engine.checkpoints.convert import read_converted
from safelight.engine.device import first_precision
from safelight.engine.parts import Parts
from safelight.engine.pipelines.authors import (
    AuthorsTiling,
    aligned,
    as_input,
    restored,
    to_picture,
)
from safelight.engine.pipelines.base import (
    Conditioning,
    Picture,
    PictureSource,
    Precision,
    RegionSource,
    Tap,
    TileProgress,
    as_picture,
    no_tap,
)
from safelight.engine.pipelines.base_networks import (
    load_unet,
    load_vae,
    require_layout,
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
from safelight.engine.pipelines.prompt_settings import TAGS
from safelight.engine.pipelines.prompt_source import reported
from safelight.engine.pipelines.stable_diffusion import OneStepConditioning, OneStepPipeline
from safelight.settings import RestoreSettings
from safelight.spec import PipelineSpec, SettingValue

LORA_ALPHA = 8  # peft's default; the official file does not carry it
DOWN, UP, WHOLE = ".lora_A.", ".lora_B.", ".base_layer."
WITHOUT_TAGS = ", ,"  # the official form "{tags}, {prompt}," with both empty


class OSEDiffPipeline(OneStepPipeline):
    """See the module."""

    def __init__(
        self,
        base: Path,
        weights: Path,
        device: torch.device,
        parts: Parts,
        *,
        first: Precision,
        checkpoint_hashes: Mapping[str, str],
        spec: PipelineSpec = OSEDIFF,
    ) -> None:
        """`base` a diffusers folder, `weights` the converted checkpoint. Raises NotReady (CHECKPOINT_DAMAGED) when
        the two do not fit."""
        self.spec = spec
        require_layout(weights, "osediff", base)
        super().__init__(
            base,
            device,
            parts,
            unet=lambda place: load_unet(base, place, edit=adapters(weights, "state_dict_unet/")),
            vae=lambda place: load_vae(base, place, parts, edit=adapters(weights, "state_dict_vae/")),
            first=first,
            checkpoint_hashes=checkpoint_hashes,
        )

    def estimated(
        self, source: RegionSource, *, settings: RestoreSettings, enlarged: RegionSource | None = None
    ) -> Mapping[str, SettingValue]:
        if enlarged is None and settings.own["prompt_source"] == TAGS:
            picture = as_picture(source)
            least = int(settings.own["process_size"])
            enlarged = PictureSource(network_picture(picture, least, settings.output_scale))
        return self.reader.found(settings, picture=source, enlarged=enlarged or source, form=prompt_of)

    def condition(
        self, region: torch.Tensor, *, settings: RestoreSettings, magnification: int
    ) -> OneStepConditioning:
        own = settings.own
        prompt = str(own["prompt"]) if own["prompt_source"] == "text" else WITHOUT_TAGS
        (embeddings,) = self.prompts.embeddings(prompt)
        return OneStepConditioning(
            magnification,
            {"prompt": prompt, **reported(own)},
            embeddings.to(self.device),
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


def prompt_of(tags: str, more: str = "") -> str:
    """The authors' form: tags, then what the person adds."""
    return f"{tags}, {more},"


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


def adapters(weights: Path, prefix: str) -> Adapters:
    """What the converted file changes in the network whose tensors begin so."""
    return Adapters(tensors_below(read_converted(weights)[0], prefix))


class Adapters:
    """What a checkpoint changes in one network: an edit of its tensors while they are loaded.

    An adapted layer's weight W becomes W + 8 / r * B A, in float32. A whole trained layer under `base_layer` replaces
    the base's.
    """

    def __init__(self, tensors: Mapping[str, torch.Tensor]) -> None:
        """Names as in the official file: `LAYER.lora_A.ADAPTER.weight`, `LAYER.base_layer.weight`."""
        self._whole = {name.replace(WHOLE, "."): t for name, t in tensors.items() if WHOLE in name}
        self._pairs = {
            name.partition(DOWN)[0]: (down, tensors[name.replace(DOWN, UP)])
            for name, down in tensors.items()
            if DOWN in name
        }

    def __call__(self, name: str, tensor: torch.Tensor) -> torch.Tensor:
        tensor = self._whole.get(name, tensor).float()
        layer, _, last = name.rpartition(".")
        if last != "weight" or layer not in self._pairs:
            return tensor
        down, up = (matrix.float().flatten(1) for matrix in self._pairs[layer])
        return tensor + ((up @ down) * (LORA_ALPHA / len(down))).view_as(tensor)


def load(device: torch.device, parts: Parts) -> OSEDiffPipeline:
    """From the store. Raises NotReady."""
    return _load(device, parts, OSEDIFF, WEIGHTS_ID)


def load_face(device: torch.device, parts: Parts) -> OSEDiffPipeline:
    return _load(device, parts, OSEDIFF_FACE, FACE_WEIGHTS_ID)


def _load(device: torch.device, parts: Parts, spec: PipelineSpec, weights_id: str) -> OSEDiffPipeline:
    (base, weights), hashes = stored(BASE_ID, weights_id)
    return OSEDiffPipeline(
        base, weights, device, parts, first=first_precision(device), checkpoint_hashes=hashes, spec=spec
    )
