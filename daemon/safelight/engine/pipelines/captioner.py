"""Captions of a picture: LLaVA 1.5, as FaithDiff's authors ask it, and Florence-2, which is small.

LLaVA 1.5: arXiv 2310.03744, github.com/haotian-liu/LLaVA (Apache-2.0; weights under Llama 2's licence). Official use:
github.com/JyChen9811/FaithDiff (MIT), `llava/llm_agent.py` and `test.py`: the picture as it is given, before it is
enlarged; its short side brought to 336 pixels, its middle cut out; their question; an answer sampled token by token.
Florence-2: arXiv 2311.06242 (MIT), asked for its longest caption, by beam search.

Both run by the classes of transformers, from safetensors files; no code of a checkpoint is executed. Differences from
the official use: the sampling has the job's seed; the network that cleans the picture for LLaVA alone (BSRNet, an
option of the authors' script) is not here.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from PIL import Image
from tokenizers import Tokenizer
from torch import nn
from transformers import Florence2Config, Florence2ForConditionalGeneration, LlavaForConditionalGeneration
from transformers.utils.logging import disable_progress_bar

from safelight.engine.checkpoints.layout import SHOWN, read_header
from safelight.engine.checkpoints.weights import damaged, read_config
from safelight.engine.parts import Part, PartKey, Parts
from safelight.engine.pipelines.base import Picture, Precision, RegionSource
from safelight.engine.pipelines.base_networks import recorded_sha256
from safelight.engine.pipelines.caption_cut import cut
from safelight.engine.pipelines.squeezed import reduced
from safelight.engine.pipelines.versions import DTYPES

HOST = torch.device("cpu")
_LOADING = (OSError, ValueError, LookupError, TypeError, AttributeError, RuntimeError)
"""What transformers raises for files that make no network."""


@dataclass(frozen=True)
class Caption:
    """What a captioner said."""

    text: str
    """In its own words, on one line."""
    prompt: str
    """What diffusion pipelines are given of it."""


class Captioner(ABC):
    """See the module. Its network is a part, loaded when it is needed and held while it writes."""

    title = "captioner"
    kind: Any
    """A class of transformers."""
    host_precision: Precision = "fp32"
    mean: Sequence[float]
    std: Sequence[float]

    def __init__(self, folder: Path, device: torch.device, parts: Parts) -> None:
        """`folder` holds config.json, tokenizer.json and safetensors files. Raises NotReady (CHECKPOINT_DAMAGED)."""
        self.config = read_config(folder / "config.json")
        self._tokenizer = _tokenizer(folder / "tokenizer.json")
        files = sorted(folder.glob("*.safetensors"))
        if not files:
            raise damaged(folder, "holds no safetensors file")
        precision = self.host_precision if device.type == "cpu" else "fp16"
        self._device, self._dtype = device, DTYPES[precision]
        content = " ".join(recorded_sha256(folder, path) for path in files)
        key = PartKey(self.title, content, str(device), precision)
        load = partial(_load, self.kind, folder, device, self._dtype)
        self.bytes = expected_bytes(files, self._dtype)
        self.part: Part[Any] = parts.shared(key, lambda: Part(parts, key, load, expected_bytes=self.bytes))

    def caption(self, source: RegionSource, *, seed: int) -> Caption:
        """`source` is the picture at its own size; the same seed gives the same words on the same device."""
        picture = self.prepared(reduced(source, self.side))
        x = (picture.astype(np.float32) / 255 - np.asarray(self.mean, np.float32)) / np.asarray(
            self.std, np.float32
        )
        pixels = torch.from_numpy(x).permute(2, 0, 1)[None]
        ids = torch.tensor([self.question()])
        with self.part.held() as network, torch.inference_mode(), _seeded(seed, self._device):
            given = {
                "input_ids": ids.to(self._device),
                "attention_mask": torch.ones_like(ids).to(self._device),
                "pixel_values": pixels.to(self._device, self._dtype),
            }
            answer = self.answer(network, given)[0].tolist()
        text = " ".join(self._tokenizer.decode(answer, skip_special_tokens=True).split())
        return Caption(text, self.prompt(text))

    @property
    @abstractmethod
    def side(self) -> int:
        """Of the picture that the network sees, pixels."""

    @abstractmethod
    def prepared(self, picture: Picture) -> Picture:
        """At the size that the network sees."""

    @abstractmethod
    def question(self) -> list[int]:
        """Token ids, with places for the picture's."""

    @abstractmethod
    def answer(self, network: Any, given: dict[str, torch.Tensor]) -> torch.Tensor:
        """Token ids of the answer alone, B T."""

    def prompt(self, text: str) -> str:
        return text

    def _ids(self, text: str, *, special: bool = False) -> list[int]:
        found: list[int] = self._tokenizer.encode(text, add_special_tokens=special).ids
        return found


class Llava(Captioner):
    """LLaVA 1.5."""

    title = "captioner LLaVA"
    kind = LlavaForConditionalGeneration
    host_precision = "bf16"
    mean, std = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)  # CLIP's
    before = (
        "A chat between a curious user and an artificial intelligence assistant. The assistant gives helpful, "
        "detailed, and polite answers to the user's questions. USER: "
    )  # the conversation that LLaVA was trained with
    after = "\nDescribe this image and its style in a very detailed manner. ASSISTANT:"
    sampling: ClassVar[dict[str, Any]] = {
        "do_sample": True,
        "temperature": 0.2,
        "top_p": 0.7,
        "top_k": 50,
        "num_beams": 1,
        "max_new_tokens": 512,
    }
    """Official; top_k is the library's own default then."""

    @property
    def side(self) -> int:
        return int(self._vision("image_size", 336))

    def prepared(self, picture: Picture) -> Picture:
        """The short side at `side`, bicubic, then the middle square."""
        image = Image.fromarray(picture)
        short = min(image.size)
        size = tuple(max(self.side, int(self.side * length / short)) for length in image.size)
        image = image.resize((size[0], size[1]), Image.Resampling.BICUBIC)
        left, top = ((length - self.side) // 2 for length in image.size)
        return np.asarray(image.crop((left, top, left + self.side, top + self.side)))

    def question(self) -> list[int]:
        """As the authors do, both halves are tokenised by themselves, and the beginning is marked once."""
        patches = (self.side // int(self._vision("patch_size", 14))) ** 2
        whole = self.config.get("vision_feature_select_strategy", "default") == "full"
        places = [int(self.config.get("image_token_index", 32000))] * (patches + whole)
        first, second = self._ids(self.before, special=True), self._ids(self.after, special=True)
        shared = 1 if first[:1] == second[:1] else 0
        return [*first, *places, *second[shared:]]

    def answer(self, network: Any, given: dict[str, torch.Tensor]) -> torch.Tensor:
        written: torch.Tensor = network.generate(
            **given, **self.sampling, pad_token_id=network.config.text_config.eos_token_id
        )
        return written[:, given["input_ids"].shape[1] :]

    def prompt(self, text: str) -> str:
        """As the authors cut it; an answer too short for that stays."""
        try:
            return cut(text)
        except ValueError:
            return text

    def _vision(self, name: str, default: int) -> Any:
        return self.config.get("vision_config", {}).get(name, default)


class Florence(Captioner):
    """Florence-2."""

    title = "captioner Florence-2"
    kind = Florence2ForConditionalGeneration
    mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # ImageNet's
    side = 768  # official
    task = "Describe with a paragraph what is shown in the image."
    """What the official task `<MORE_DETAILED_CAPTION>` stands for."""
    search: ClassVar[dict[str, Any]] = {
        "do_sample": False, "num_beams": 3, "no_repeat_ngram_size": 3, "early_stopping": True, "max_new_tokens": 256,
    }  # fmt: skip
    """Official but for the length, 1024 there: a prompt is cut at 77 tokens."""

    def prepared(self, picture: Picture) -> Picture:
        """Squeezed to a square, bicubic."""
        return np.asarray(Image.fromarray(picture).resize((self.side, self.side), Image.Resampling.BICUBIC))

    def question(self) -> list[int]:
        text = self.config.get("text_config", {})
        places = [int(self.config.get("image_token_id", 51289))] * self._places()
        return [
            *places,
            int(text.get("bos_token_id", 0)),
            *self._ids(self.task),
            int(text.get("eos_token_id", 2)),
        ]

    def answer(self, network: Any, given: dict[str, torch.Tensor]) -> torch.Tensor:
        text = network.config.text_config
        written: torch.Tensor = network.generate(
            **given,
            **self.search,
            forced_bos_token_id=text.bos_token_id,
            forced_eos_token_id=text.eos_token_id,
            decoder_start_token_id=text.decoder_start_token_id,
            pad_token_id=text.pad_token_id,
        )
        return written

    def _places(self) -> int:
        """One for each cell of the last stage, and one for their mean."""
        config: Any = Florence2Config(**self.config).vision_config
        side = self.side
        for kernel, stride, padding in zip(
            config.patch_size, config.patch_stride, config.patch_padding, strict=True
        ):
            side = math.floor((side + 2 * padding - kernel) / stride) + 1
        return side**2 + 1


def expected_bytes(files: Sequence[Path], dtype: torch.dtype) -> int:
    """Of all their tensors in `dtype`."""
    shapes = (shape for path in files for shape in read_header(path)[0].values())
    return sum(math.prod(shape) for shape in shapes) * dtype.itemsize


def _tokenizer(path: Path) -> Tokenizer:
    try:
        return Tokenizer.from_file(str(path))
    except Exception:  # the library has no narrower one
        raise damaged(path, "is no tokenizer") from None


def _load(kind: Any, folder: Path, device: torch.device, dtype: torch.dtype) -> nn.Module:
    disable_progress_bar()
    try:
        network, found = kind.from_pretrained(
            folder, dtype=dtype, use_safetensors=True, local_files_only=True, output_loading_info=True
        )
    except _LOADING as error:
        raise damaged(folder, f"makes no captioner ({type(error).__name__})") from None
    for what in ("missing_keys", "unexpected_keys", "mismatched_keys"):
        if names := sorted(map(str, found.get(what, ()))):
            raise damaged(
                folder, f"does not fit its configuration: {what.replace('_', ' ')} {', '.join(names[:SHOWN])}"
            )
    loaded: nn.Module = network.requires_grad_(False).eval().to(device)
    return loaded


class _seeded:
    """Torch draws from `seed` inside, on the host and on `device`, and as before afterwards."""

    def __init__(self, seed: int, device: torch.device) -> None:
        devices = [] if device.type == "cpu" else [device]
        self._seed, self._fork = (
            seed,
            torch.random.fork_rng(devices, device_type=device.type if devices else "cuda"),
        )

    def __enter__(self) -> None:
        self._fork.__enter__()
        torch.manual_seed(self._seed)

    def __exit__(self, *exception: Any) -> None:
        self._fork.__exit__(*exception)
