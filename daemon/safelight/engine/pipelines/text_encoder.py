"""The text encoder of a base folder: prompts to embeddings."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path

import torch
import transformers
from transformers import CLIPTextModel, CLIPTokenizer

from safelight.engine.pipelines.base_networks import variant

TOKENS = 77  # CLIP's text length
PROMPTS_KEPT = 16  # embeddings of 77 x 1024 floats, 315 kB each


class PromptEncoder:
    """CLIP's text encoder in fp32 on the host; remembers the last prompts, so that a repeated one costs nothing."""

    def __init__(self, base: Path) -> None:
        transformers.utils.logging.disable_progress_bar()  # nobody watches the daemon's standard error
        self._tokenizer = CLIPTokenizer.from_pretrained(base / "tokenizer", local_files_only=True)
        self._encoder = CLIPTextModel.from_pretrained(
            base / "text_encoder",
            dtype=torch.float32,
            variant=variant(base / "text_encoder"),
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
