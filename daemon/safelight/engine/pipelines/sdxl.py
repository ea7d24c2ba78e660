"""What pipelines on Stable Diffusion XL (arXiv 2307.01952) have in common: its text and its size conditioning.

Base: a folder in diffusers' layout with text_encoder, text_encoder_2, tokenizer, tokenizer_2 and scheduler. A prompt is
the next to last hidden states of both encoders side by side, and the second one's pooled and projected output. The
empty prompt is encoded like any other.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import torch
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

from safelight.engine.checkpoints.weights import configured, fill, numbers, weights_file
from safelight.engine.parts import Part, PartKey, Parts
from safelight.engine.pipelines.base_networks import content_hash
from safelight.engine.pipelines.text_encoder import HOST, PROMPTS_KEPT, TOKENS, tokenizer_of
from safelight.geometry import Size

_PREFIX = "text_model."  # of every tensor in files of the first encoder
_POSITION_IDS = "embeddings.position_ids"  # a list of numbers that old files carry


class Prompt(NamedTuple):
    """One or several encoded prompts, float32."""

    embeddings: torch.Tensor
    """B 77 C."""
    pooled: torch.Tensor
    """B P."""

    def to(self, device: torch.device) -> Prompt:
        return Prompt(self.embeddings.to(device), self.pooled.to(device))


NO_PROMPT = Prompt(torch.empty(0), torch.empty(0))


class PromptEncoders:
    """Both tokenizers and text encoders of a base; remembers the last prompts. The encoders stay in float32 on the
    host, are held while they compute and no longer: a prompt costs them less than a step costs the UNet, every device
    gets the same embeddings, and no device needs room for them."""

    def __init__(self, base: Path, parts: Parts, device: torch.device) -> None:
        """Checks the files and loads nothing yet; where tiles are computed on the host too (`device`), the encoders do
        not even idle there. Raises NotReady (CHECKPOINT_DAMAGED)."""
        idles = device.type != HOST.type
        self._encoders = (
            _Encoder(base, "", CLIPTextModel, parts, idles=idles),
            _Encoder(base, "_2", CLIPTextModelWithProjection, parts, idles=idles),
        )
        self._known: OrderedDict[str, Prompt] = OrderedDict()

    @property
    def parts(self) -> tuple[Part[Any], ...]:
        return tuple(encoder.part for encoder in self._encoders)

    def encoded(self, *prompts: str) -> Prompt:
        """Of each, in one batch on the host. Cut after 77 tokens. Each encoder is held once for all of them, and not at
        all where all are known."""
        if unknown := [prompt for prompt in dict.fromkeys(prompts) if prompt not in self._known]:
            first, second = (encoder.encoded(unknown) for encoder in self._encoders)
            for prompt, (one, _), (two, pooled) in zip(unknown, first, second, strict=True):
                assert pooled is not None
                self._known[prompt] = Prompt(torch.cat([one, two], dim=-1), pooled)
        for prompt in prompts:
            self._known.move_to_end(prompt)
        found = [self._known[prompt] for prompt in prompts]
        while len(self._known) > PROMPTS_KEPT:
            self._known.popitem(last=False)
        return Prompt(*(torch.cat(tensors) for tensors in zip(*found, strict=True)))


class _Encoder:
    """One tokenizer with its text encoder."""

    def __init__(self, base: Path, suffix: str, kind: Any, parts: Parts, *, idles: bool) -> None:
        folder = base / f"text_encoder{suffix}"
        self._tokenizer = tokenizer_of(base / f"tokenizer{suffix}")
        key = PartKey(
            f"text encoder{suffix.replace('_', ' ')}", content_hash(base, folder.name), str(HOST), "fp32"
        )
        expected, load = 4 * numbers(_empty(kind, folder)), partial(_load, kind, folder)
        self.part: Part[Any] = parts.shared(
            key, lambda: Part(parts, key, load, expected_bytes=expected, idles=idles)
        )

    def encoded(self, prompts: Sequence[str]) -> list[tuple[torch.Tensor, torch.Tensor | None]]:
        """Of each, one by one: a batch of others must not change a bit."""
        length = min(self._tokenizer.model_max_length, TOKENS)
        results = []
        with self.part.held() as network, torch.inference_mode():
            for prompt in prompts:
                tokens = self._tokenizer(
                    prompt, max_length=length, padding="max_length", truncation=True, return_tensors="pt"
                )
                out = network(tokens.input_ids, output_hidden_states=True)
                results.append((out.hidden_states[-2], getattr(out, "text_embeds", None)))
        return results


def _empty(kind: Any, folder: Path) -> Any:
    return configured(lambda config: kind(CLIPTextConfig(**config)), folder)


def _load(kind: Any, folder: Path) -> Any:
    network = _empty(kind, folder)
    # CLIPTextModel has its tensors without the prefix since transformers 5
    bare = "" if hasattr(network, "text_model") else _PREFIX

    def name(stored: str) -> str:
        return "" if stored.endswith(_POSITION_IDS) else stored.removeprefix(bare)

    fill(network, weights_file(folder), device=HOST, dtype=torch.float32, names=name)
    text = getattr(network, "text_model", network)
    text.embeddings.position_ids = torch.arange(network.config.max_position_embeddings)[None]
    return network


def time_ids(picture: Size, corner: tuple[int, int], target: Size) -> torch.Tensor:
    """SDXL's size conditioning, 1 6: size of the picture, place of the crop (column, row), and size of the target,
    each with the vertical number first."""
    column, row = corner
    return torch.tensor(
        [[picture.height, picture.width, row, column, target.height, target.width]], dtype=torch.float32
    )


def guided(branches: torch.Tensor, guidance: float) -> torch.Tensor:
    """What a UNet sees under each prompt, P B C h w, to B C h w: away from the negative prompt, the first, where there
    is one."""
    if len(branches) == 1:
        return branches[0]
    negative, positive = branches.unbind()
    return negative + guidance * (positive - negative)
