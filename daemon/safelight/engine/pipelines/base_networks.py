"""UNet and VAE of a base folder, in one precision or several; installed checkpoints by their ids."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from torch import nn

from safelight.engine.checkpoints.store import installed_path, read_record
from safelight.engine.pipelines.base import Precision
from safelight.engine.precision import native_bf16_cpu
from safelight.errors import NotReady

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
        variant=variant(base / folder),
        local_files_only=True,
        use_safetensors=True,
    )


def variant(folder: Path) -> str | None:
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
