"""The text encoder of a base folder: prompts to embeddings.

The network is a part that pipelines with equal files share, held while it computes and no longer. It stays in float32
on the host: a prompt costs it less than a tile costs the other networks, and every device gets the same embeddings.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import AttentionInterface, CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from safelight.engine.checkpoints.weights import configured, damaged, fill, numbers, weights_file
from safelight.engine.parts import Part, PartKey, Parts
from safelight.engine.pipelines.base_networks import content_hash

TOKENS = 77  # CLIP's text length
PROMPTS_KEPT = 16  # embeddings of 77 x 1024 floats, 315 kB each
HOST = torch.device("cpu")
_PREFIX = "text_model."  # of every tensor in files written by transformers before version 5
_ATTENTION = "safelight-clip"
_POSITION_IDS = "embeddings.position_ids"  # a list of numbers that old files carry


class TextEncoder(Part[CLIPTextModel]):
    """CLIP's text encoder; remembers what it made of the last prompts, whichever pipeline asked."""

    def __init__(self, parts: Parts, key: PartKey, folder: Path, *, idles: bool) -> None:
        """Checks the folder's files and loads nothing yet. Raises NotReady (CHECKPOINT_DAMAGED)."""
        expected = 4 * numbers(_empty(folder))
        super().__init__(parts, key, partial(_load, folder), expected_bytes=expected, idles=idles)
        self._known: OrderedDict[tuple[int, ...], torch.Tensor] = OrderedDict()

    def embeddings(self, prompts: Sequence[torch.Tensor]) -> list[torch.Tensor]:
        """1 x 77 token ids each to 1 x 77 x C, float32 on the host: the last hidden state after the final layer norm.
        The network is held once for all of them, and not at all where all are known."""
        by_ids = {tuple(ids[0].tolist()): ids for ids in prompts}
        if unknown := [key for key in by_ids if key not in self._known]:
            with self.held() as network, torch.inference_mode():
                self._known |= {key: network(by_ids[key]).last_hidden_state for key in unknown}
        for key in by_ids:
            self._known.move_to_end(key)
        found = [self._known[tuple(ids[0].tolist())] for ids in prompts]
        while len(self._known) > PROMPTS_KEPT:
            self._known.popitem(last=False)
        return found


class PromptEncoder:
    """A base's tokenizer and text encoder."""

    def __init__(self, base: Path, parts: Parts, device: torch.device) -> None:
        """`device` is the pipeline's. Where tiles are computed on the host too, the network does not idle there:
        loading it again takes a second, a tile takes ten, and it is as large as half the other networks.
        Raises NotReady (CHECKPOINT_DAMAGED)."""
        self._tokenizer = tokenizer_of(base / "tokenizer")
        folder = base / "text_encoder"
        key = PartKey("text encoder", content_hash(base, "text_encoder"), str(HOST), "fp32")
        self.encoder = parts.shared(
            key, lambda: TextEncoder(parts, key, folder, idles=device.type != HOST.type)
        )

    def ids(self, prompt: str) -> torch.Tensor:
        """1 x 77 token ids (fewer where the tokenizer's files say so), padded and cut."""
        length = min(self._tokenizer.model_max_length, TOKENS)
        tokens = self._tokenizer(
            prompt, max_length=length, padding="max_length", truncation=True, return_tensors="pt"
        )
        ids: torch.Tensor = tokens.input_ids
        return ids

    def embeddings(self, *prompts: str) -> list[torch.Tensor]:
        """1 x 77 x C each, float32 on the host."""
        return self.encoder.embeddings([self.ids(prompt) for prompt in prompts])


def tokenizer_of(folder: Path) -> CLIPTokenizer:
    try:
        tokenizer: CLIPTokenizer = CLIPTokenizer.from_pretrained(folder, local_files_only=True)
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise damaged(folder, f"is no tokenizer ({type(error).__name__})") from None
    return tokenizer


def attention(
    module: nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    *,
    scaling: float,
    **unused: object,
) -> tuple[torch.Tensor, None]:
    """Causal attention of B heads T C, as B T heads C; queries are scaled first, as transformers did before version 5.
    On a CPU like theirs the authors' embeddings come out bit by bit; in the library's own order they differ in the
    seventh digit, which the step at t = 999 and a colour fix can make visible."""
    tokens = query.shape[2]
    ahead = torch.full((tokens, tokens), torch.finfo(query.dtype).min, device=query.device).triu_(1)
    weights = torch.bmm((query * scaling).flatten(0, 1), key.flatten(0, 1).transpose(1, 2))
    weights = (weights.view(*query.shape[:2], tokens, tokens) + ahead).softmax(-1)
    mixed = torch.bmm(weights.flatten(0, 1), value.flatten(0, 1)).view_as(query)
    return mixed.transpose(1, 2).contiguous(), None


AttentionInterface.register(_ATTENTION, attention)


def _empty(folder: Path) -> CLIPTextModel:
    def build(config: dict[str, Any]) -> CLIPTextModel:
        return CLIPTextModel(CLIPTextConfig(**{**config, "attn_implementation": _ATTENTION}))

    network = configured(build, folder)
    assert isinstance(network, CLIPTextModel)
    return network


def _load(folder: Path) -> CLIPTextModel:
    network = _empty(folder)
    fill(network, weights_file(folder), device=HOST, dtype=torch.float32, names=_name)
    positions = torch.arange(network.config.max_position_embeddings)[None]
    network.embeddings.register_buffer("position_ids", positions, persistent=False)
    return network


def _name(stored: str) -> str:
    """In the network; empty for what it makes itself."""
    name = stored.removeprefix(_PREFIX)
    return "" if name == _POSITION_IDS else name
