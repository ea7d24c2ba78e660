"""Pipeline `s3diff`: one step of SD-Turbo, its low-rank layers guided by how degraded the picture is.

Paper: "Degradation-Guided One-Step Image Super-Resolution with Diffusion Priors", arXiv 2409.17058.
Official: github.com/ArcticHare105/S3Diff (Apache-2.0), `inference_s3diff.py`, `s3diff_tile.py` and `de_net.py` in
`src`; weights `s3diff.pkl` and `de_net.pth` of that repository, over SD-Turbo (Stability AI Community License).

Differences from the official code: the matrices made from the scores travel with each call
(`networks/s3diff_lora`); both guidance branches run in one batch and guidance 1 skips the negative one; scores can
be given; they are estimated on the region with its context before it is enlarged, in strips where it is
large; the region is enlarged by Lanczos, not bilinearly; the posterior's mean stands for a random sample unless
asked otherwise; tiles, sizes, rounding and colour statistics as in `osediff`. With `authors_exact` all of these are
the authors', slips included (`authors`), down to the order of the low-rank products.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
import torch.nn.functional as F

from safelight.engine.checkpoints.convert import read_converted
from safelight.engine.checkpoints.weights import loaded_bytes, placed, tensors_of
from safelight.engine.color_fix import truncated
from safelight.engine.device import first_precision
from safelight.engine.networks.degradation import load_estimator
from safelight.engine.networks.s3diff_lora import (
    ModulationHead,
    fourier_features,
    modulate,
    modulation,
)
from safelight.engine.parts import Parts
from safelight.engine.pipelines.authors import (
    AuthorsTiling,
    aligned,
    as_input,
    as_rows,
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
    no_tap,
)
from safelight.engine.pipelines.base_networks import (
    load_unet,
    load_vae,
    require_layout,
    stored,
    tensors_below,
)
from safelight.engine.pipelines.prompt_settings import NONE, TEXT
from safelight.engine.pipelines.prompt_source import reported
from safelight.engine.pipelines.s3diff_spec import BASE_ID, ESTIMATE, ESTIMATOR_ID, S3DIFF, WEIGHTS_ID
from safelight.engine.pipelines.stable_diffusion import OneStepConditioning, OneStepPipeline
from safelight.engine.pipelines.versions import Loaded, Place
from safelight.errors import InvalidRequest
from safelight.settings import RestoreSettings
from safelight.spec import PipelineSpec, SettingValue

SIZE_MULTIPLE = 64  # the script pads right and below by reflection to this
SCORES = ("degradation_blur", "degradation_noise")
ADAPTED = ("state_dict_unet/", "state_dict_vae/")


@dataclass(frozen=True)
class S3DiffConditioning(OneStepConditioning):
    """Of a job; `embeddings` are the positive prompt's."""

    negative: torch.Tensor = field(default_factory=lambda: torch.empty(0))
    """The negative prompt's, 1 77 C."""
    guidance: float = 1.0
    vae_matrices: torch.Tensor = field(default_factory=lambda: torch.empty(0))
    """1 x 6 x r x r on the pipeline's device, float32."""
    unet_matrices: torch.Tensor = field(default_factory=lambda: torch.empty(0))
    """1 x 10 x r x r."""
    as_written: bool = False
    """Layers compute in the formula's own order (`networks/s3diff_lora`)."""


class S3DiffPipeline(OneStepPipeline):
    """See the module."""

    def __init__(
        self,
        base: Path,
        weights: Path,
        estimator: Path,
        device: torch.device,
        parts: Parts,
        *,
        first: Precision,
        checkpoint_hashes: Mapping[str, str],
        spec: PipelineSpec = S3DIFF,
    ) -> None:
        """`base` a diffusers folder, `weights` and `estimator` converted checkpoints. Raises NotReady
        (CHECKPOINT_DAMAGED) when they do not fit."""
        self.spec = spec
        require_layout(weights, "s3diff", base)
        require_layout(estimator, "de_net", None)
        super().__init__(
            base,
            device,
            parts,
            unet=lambda place: modulated_unet(base, weights, place),
            vae=lambda place: modulated_vae(base, weights, place, parts),
            first=first,
            checkpoint_hashes=checkpoint_hashes,
        )
        tensors = _copied(weights, lambda name: not name.startswith(ADAPTED))
        self.frequencies = tensors["w"].float().to(device)
        self.vae_head, self.unet_head = (_head(tensors, name).to(device) for name in ("vae", "unet"))
        self.estimator = load_estimator(_copied(estimator)).to(device)
        self._own_bytes = loaded_bytes(self.estimator, self.vae_head, self.unet_head)

    @property
    def weights_bytes(self) -> int:
        return super().weights_bytes + self._own_bytes

    def estimated(
        self, source: RegionSource, *, settings: RestoreSettings, enlarged: RegionSource | None = None
    ) -> Mapping[str, SettingValue]:
        read = self.reader.found(settings, picture=source, enlarged=enlarged or source)
        return read | self._scores(source, settings)

    def _scores(self, source: RegionSource, settings: RestoreSettings) -> dict[str, SettingValue]:
        asked = [name for name in SCORES if settings.own[name] == ESTIMATE]
        if not asked:
            return {}

        def rows(start: int, end: int) -> torch.Tensor:
            return torch.from_numpy(source.rows(start, end)).to(self.device).permute(2, 0, 1)[None]

        found = self.estimator.in_strips(rows, source.size)[0].tolist()
        return {name: found[SCORES.index(name)] for name in asked}

    def condition(
        self, region: torch.Tensor, *, settings: RestoreSettings, magnification: int
    ) -> S3DiffConditioning:
        own = settings.own
        scores = torch.tensor([[_given(own, name) for name in SCORES]], device=self.device)
        features = fourier_features(scores, self.frequencies)
        prompts = positive_prompt(own), str(own["negative_prompt"])
        positive, negative = (found.to(self.device) for found in self.prompts.embeddings(*prompts))
        return S3DiffConditioning(
            magnification,
            {name: round(float(score), 6) for name, score in zip(SCORES, scores[0], strict=True)}
            | _shown(own),
            positive,
            settings.seed if own["posterior"] == "sampled" else None,
            negative,
            float(own["guidance_scale"]),
            self.vae_head(features),
            self.unet_head(features),
        )

    def vae_context(self, conditioning: Conditioning) -> AbstractContextManager[None]:
        assert isinstance(conditioning, S3DiffConditioning)
        return modulation(conditioning.vae_matrices, as_written=conditioning.as_written)

    def prediction(
        self, latent: torch.Tensor, *, conditioning: Conditioning, precision: Precision
    ) -> torch.Tensor:
        assert isinstance(conditioning, S3DiffConditioning)
        if conditioning.guidance == 1:
            return self._modulated_unet(latent, (conditioning.embeddings,), conditioning, precision)[0]
        positive, negative = self.branches(latent, conditioning, precision)
        return negative + conditioning.guidance * (positive - negative)

    def branches(
        self, latent: torch.Tensor, conditioning: S3DiffConditioning, precision: Precision
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """What the UNet sees under the positive and under the negative prompt, in one batch."""
        prompts = conditioning.embeddings, conditioning.negative
        positive, negative = self._modulated_unet(latent, prompts, conditioning, precision)
        return positive, negative

    def _modulated_unet(
        self,
        latent: torch.Tensor,
        prompts: tuple[torch.Tensor, ...],
        conditioning: S3DiffConditioning,
        precision: Precision,
    ) -> tuple[torch.Tensor, ...]:
        """One prediction per prompt."""
        embeddings = torch.cat([prompt.expand(len(latent), -1, -1) for prompt in prompts])
        matrices = conditioning.unet_matrices
        if len(matrices) > 1:  # one per tile: once for each prompt
            matrices = matrices.repeat(len(prompts), 1, 1, 1)
        with modulation(matrices, as_written=conditioning.as_written):
            out = self.unet(latent.repeat(len(prompts), 1, 1, 1), embeddings, precision=precision)
        return out.chunk(len(prompts))

    def authors(
        self,
        picture: Picture,
        *,
        settings: RestoreSettings,
        precision: Precision,
        tap: Tap = no_tap,
    ) -> Generator[TileProgress, None, Picture]:
        """Taps: deg_score, deg_proj, vae_modulation, unet_modulation, pos_ids, neg_ids, pos_embeds, neg_embeds,
        lq, pos_pred and neg_pred (of the first tile: with _tile0), those of `authors.restored`, pre_align."""
        x = as_input(picture, self.device)
        settings = replace(
            settings, own={**settings.own, **self.estimated(PictureSource(picture), settings=settings)}
        )
        conditioning = self._authors_conditioning(x, settings, tap)
        enlarged = F.interpolate(x, scale_factor=settings.output_scale, mode="bilinear", align_corners=False)
        lq = padded((enlarged * 2 - 1).clamp(-1, 1))
        tap("lq", lq)
        tiling = AuthorsTiling.of(settings.own)
        tiled = "_tile0" if lq.shape[-1] * lq.shape[-2] > (8 * tiling.latent) ** 2 else ""

        def predict(tile: torch.Tensor, i: int) -> torch.Tensor:
            positive, negative = (
                self._modulated_unet(tile, (prompt,), conditioning, precision)[0]
                for prompt in (conditioning.embeddings, conditioning.negative)
            )
            if i == 0:
                tap(f"pos_pred{tiled}", positive)
                tap(f"neg_pred{tiled}", negative)
            return negative + conditioning.guidance * (positive - negative)

        y = yield from restored(
            self,
            lq,
            conditioning=conditioning,
            precision=precision,
            tiling=tiling,
            predict=predict,
            tap=tap,
        )
        height, width = enlarged.shape[-2:]
        before = to_picture(y[..., :height, :width])
        tap("pre_align", torch.from_numpy(before))
        return aligned(before, truncated(as_rows(enlarged)), str(settings.own["colour_fix"]))

    def _authors_conditioning(
        self, x: torch.Tensor, settings: RestoreSettings, tap: Tap
    ) -> S3DiffConditioning:
        own = settings.own
        conditioning = replace(self.condition(x, settings=settings, magnification=1), as_written=True)
        scores = torch.tensor([[float(own[name]) for name in SCORES]], device=self.device)
        tap("deg_score", scores)
        tap("deg_proj", fourier_features(scores, self.frequencies))
        tap("vae_modulation", conditioning.vae_matrices[0])
        tap("unet_modulation", conditioning.unet_matrices[0])
        tap("pos_ids", self.prompts.ids(positive_prompt(own)))
        tap("neg_ids", self.prompts.ids(str(own["negative_prompt"])))
        tap("pos_embeds", conditioning.embeddings)
        tap("neg_embeds", conditioning.negative)
        return conditioning


def positive_prompt(own: Mapping[str, SettingValue]) -> str:
    """How the result should look, as in training, and behind it what the picture shows, where that is known."""
    quality = str(own["positive_prompt"])
    return f"{quality} {own['prompt']}".strip() if own["prompt_source"] == TEXT else quality


def _shown(own: Mapping[str, SettingValue]) -> dict[str, SettingValue]:
    """What the report says of the prompt; nothing where there is none."""
    if own["prompt_source"] == NONE and "prompt_from" not in own:
        return {}
    return {"prompt": own["prompt"] if own["prompt_source"] == TEXT else "", **reported(own)}


def _given(own: Mapping[str, SettingValue], name: str) -> float:
    score = float(own[name])
    if not 0 <= score <= 1:
        raise InvalidRequest(
            f"the setting {name} is {score:g}: give 0 to 1, or -1 to have it estimated",
            "SETTING_OUT_OF_RANGE",
        )
    return score


def padded(x: torch.Tensor) -> torch.Tensor:
    """Right and below by reflection to multiples of 64; again where the picture is smaller than what is missing, and
    by repeating a single row or column, where the script would fail."""
    for _ in range(SIZE_MULTIPLE):
        height, width = x.shape[-2:]
        right, below = -width % SIZE_MULTIPLE, -height % SIZE_MULTIPLE
        if not right and not below:
            break
        x = _reflected(_reflected(x, right), below, rows=True)
    return x


def _reflected(x: torch.Tensor, more: int, *, rows: bool = False) -> torch.Tensor:
    length = x.shape[-2] if rows else x.shape[-1]
    more = min(more, max(1, length - 1))
    pad = (0, 0, 0, more) if rows else (0, more, 0, 0)
    return F.pad(x, pad, mode="reflect" if length > 1 else "replicate") if more else x


def modulated_unet(base: Path, weights: Path, place: Place) -> Loaded:
    tensors = tensors_below(read_converted(weights)[0], ADAPTED[0])
    whole = {f"conv_in.{last}": tensors.pop(f"conv_in.{last}") for last in ("weight", "bias")}
    loaded = load_unet(base, place, edit=lambda name, tensor: whole.get(name, tensor))
    return _modulated(loaded, tensors, "default", place)


def modulated_vae(base: Path, weights: Path, place: Place, parts: Parts) -> Loaded:
    tensors = tensors_below(read_converted(weights)[0], ADAPTED[1])
    loaded = load_vae(base, place, parts)
    return _modulated(loaded, tensors, "vae_skip", place)


def _modulated(loaded: Loaded, tensors: Mapping[str, torch.Tensor], adapter: str, place: Place) -> Loaded:
    """With the adapter's low-rank pairs in its layers."""
    pairs = {
        name: (placed(down, place.device, place.dtype), placed(up, place.device, place.dtype))
        for name, (down, up) in _pairs(tensors, adapter).items()
    }
    modulate(loaded.network, pairs)
    return loaded


def _pairs(tensors: Mapping[str, torch.Tensor], adapter: str) -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
    """Layer name to its A and B."""
    down = f".lora_A.{adapter}.weight"
    names = [key.removesuffix(down) for key in tensors if key.endswith(down)]
    return {name: (tensors[f"{name}{down}"], tensors[f"{name}.lora_B.{adapter}.weight"]) for name in names}


def _copied(path: Path, wanted: Callable[[str], bool] = lambda name: True) -> dict[str, torch.Tensor]:
    """Tensors of a small file that outlive it."""
    return {name: tensor.clone() for name, tensor in tensors_of(path, wanted)}


def _head(tensors: Mapping[str, torch.Tensor], network: str) -> ModulationHead:
    embeddings = tensors[f"state_embeddings/state_dict_{network}_block/weight"]
    rank = round(tensors[f"state_dict_{network}_fuse_mlp/bias"].numel() ** 0.5)
    return ModulationHead(tensors, network=network, embeddings=embeddings, rank=rank)


def load(device: torch.device, parts: Parts) -> S3DiffPipeline:
    """From the store. Raises NotReady."""
    (base, weights, estimator), hashes = stored(BASE_ID, WEIGHTS_ID, ESTIMATOR_ID)
    return S3DiffPipeline(
        base, weights, estimator, device, parts, first=first_precision(device), checkpoint_hashes=hashes
    )
