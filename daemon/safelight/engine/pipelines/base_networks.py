"""UNet and VAE of a base folder, in one precision or several; installed checkpoints by their ids.

The decoding half of the VAE, which no pipeline here changes, is a part that pipelines with equal files share.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from torch import nn

from safelight.engine.checkpoints import store
from safelight.engine.checkpoints.layout import check_layout
from safelight.engine.checkpoints.official import Kind
from safelight.engine.checkpoints.weights import (
    Edit,
    called,
    configured,
    damaged,
    fill,
    loaded_bytes,
    numbers,
    read_config,
    unedited,
    weights_file,
)
from safelight.engine.parts import Part, PartKey, Parts
from safelight.engine.pipelines.base import Precision
from safelight.errors import InvalidRequest, NotReady

DTYPES: Mapping[Precision, torch.dtype] = {
    "fp32": torch.float32,
    "bf16": torch.bfloat16,
    "fp16": torch.float16,
}
ENCODING, DECODING = ("encoder.", "quant_conv."), ("decoder.", "post_quant_conv.")
"""The halves of a VAE by the names of their tensors."""
_OLD_ATTENTION = {"query": "to_q", "key": "to_k", "value": "to_v", "proj_attn": "to_out.0"}
"""Names that VAEs were saved with before diffusers 0.15."""
_UNIMPORTANT = re.compile(r"_.*|transformers_version|torch_dtype|dtype|architectures")
"""Of a configuration: who wrote it and how, nothing that a network is made of."""


@dataclass(frozen=True)
class Place:
    """Where networks are wanted, and in which precision."""

    device: torch.device
    precision: Precision

    @property
    def dtype(self) -> torch.dtype:
        return DTYPES[self.precision]


@dataclass(frozen=True)
class Networks:
    """UNet and VAE with a pipeline's weights in them, in one place."""

    unet: Any
    """UNet2DConditionModel; diffusers' classes carry no usable types."""
    vae: Any
    """AutoencoderKL."""
    shared: tuple[Part[Any], ...] = ()
    """Parts that they are made with."""

    @property
    def bytes(self) -> int:
        """Of what is not shared."""
        return loaded_bytes(self.unet, self.vae) - sum(part.bytes for part in self.shared)


class PrecisionSets:
    """Networks by precision: the one that stays, and for as long as a job needs it another. Owned by the worker's
    thread."""

    def __init__(
        self, load: Callable[[Place], Networks], device: torch.device, parts: Parts, *, first: Precision
    ) -> None:
        """`first` is loaded at once."""
        self._load, self._device, self._parts = load, device, parts
        self._sets: dict[Precision, Networks] = {first: load(Place(device, first))}
        self._numbers = self.bytes // DTYPES[first].itemsize

    def at(self, precision: Precision) -> Networks:
        """Two precisions at most, one where there is no room for two."""
        if precision not in self._sets:
            fits = self._parts.room(self._device, self._numbers * DTYPES[precision].itemsize)
            for other in list(self._sets)[1 if fits else 0 :]:
                del self._sets[other]
            self._sets[precision] = self._load(Place(self._device, precision))
        return self._sets[precision]

    def keep(self, precision: Precision | None) -> None:
        """Only this one stays, or, where it is not loaded, the one that was loaded first."""
        for other in list(self._sets)[0 if precision in self._sets else 1 :]:
            if other != precision:
                del self._sets[other]

    @property
    def bytes(self) -> int:
        return sum(networks.bytes for networks in self._sets.values())

    @property
    def shared(self) -> tuple[Part[Any], ...]:
        return tuple(part for networks in self._sets.values() for part in networks.shared)


def load_base(
    base: Path, place: Place, parts: Parts, *, edit_unet: Edit = unedited, edit_vae: Edit = unedited
) -> Networks:
    """Whatever it is stored in; the edits see each tensor of the UNet and of the VAE's encoding half as stored. Raises
    NotReady (CHECKPOINT_DAMAGED) when the folder is not a base."""
    unet = empty(UNet2DConditionModel, base / "unet")
    fill(unet, weights_file(base / "unet"), device=place.device, dtype=place.dtype, edit=edit_unet)
    vae = empty(AutoencoderKL, base / "vae")
    _fill_vae(vae, base, place, ENCODING, edit_vae)
    decoder = _shared_decoder(base, place, parts)
    halves = decoder.keep()
    vae.decoder, vae.post_quant_conv = halves["decoder"], halves["post_quant_conv"]
    return Networks(unet, vae, (decoder,))


def empty(network: Any, folder: Path) -> Any:
    """One of diffusers' networks without memory."""
    return configured(network.from_config, folder)


def _shared_decoder(base: Path, place: Place, parts: Parts) -> Part[nn.ModuleDict]:
    def load() -> nn.ModuleDict:
        vae = empty(AutoencoderKL, base / "vae")
        _fill_vae(vae, base, place, DECODING, unedited)
        return nn.ModuleDict({"decoder": vae.decoder, "post_quant_conv": vae.post_quant_conv})

    key = PartKey("VAE decoder", content_hash(base, "vae"), str(place.device), place.precision)
    expected = numbers(empty(AutoencoderKL, base / "vae"), DECODING) * place.dtype.itemsize
    return parts.shared(key, lambda: Part(parts, key, load, expected_bytes=expected))


def _fill_vae(vae: nn.Module, base: Path, place: Place, half: tuple[str, ...], edit: Edit) -> None:
    fill(
        vae,
        weights_file(base / "vae"),
        device=place.device,
        dtype=place.dtype,
        edit=edit,
        names=_vae_name,
        below=half,
    )


def _vae_name(stored: str) -> str:
    before, dot, last = stored.rpartition(".")
    holder, _, layer = before.rpartition(".")
    if ".attentions." in before and layer in _OLD_ATTENTION:
        return f"{holder}.{_OLD_ATTENTION[layer]}{dot}{last}"
    return stored


def require_layout(weights: Path, kind: Kind, base: Path | None) -> None:
    """Raises NotReady (CHECKPOINT_DAMAGED) where a converted file is not what its kind is on this base."""
    if base is not None:  # a configuration that makes no network is said to be one
        empty(UNet2DConditionModel, base / "unet")
        empty(AutoencoderKL, base / "vae")
    try:
        check_layout(weights, kind, base)
    except InvalidRequest as error:
        beside = f" {called(base)}" if base else ""
        raise NotReady(
            f"the checkpoint {called(weights)} does not fit its base{beside}: remove both and install them again, of "
            "the same version",
            "CHECKPOINT_DAMAGED",
            details={"error": error.message[:200]},
        ) from None


def content_hash(base: Path, folder: str) -> str:
    """Of the network in `base/folder`: its weights file's SHA-256 (as recorded when it was installed) and what matters
    in its configuration. Raises NotReady (CHECKPOINT_DAMAGED)."""
    config = read_config(base / folder / "config.json")
    made_of = {name: value for name, value in config.items() if not _UNIMPORTANT.fullmatch(name)}
    text = json.dumps(made_of, sort_keys=True) + recorded_sha256(base, weights_file(base / folder))
    return hashlib.sha256(text.encode()).hexdigest()


def recorded_sha256(content: Path, path: Path) -> str:
    """SHA-256 of a file below a checkpoint's content: from its record; of a folder outside the store, computed."""
    record = store.read_record(content.parent.name, content.parent.parent) if _in_store(content) else None
    name = path.relative_to(content).as_posix()
    found = {file.name: file.sha256 for file in record.files} if record else {}
    return found.get(name) or store.file_sha256(path)


def _in_store(content: Path) -> bool:
    return content.name == store.CONTENT_NAME and (content.parent / store.RECORD_NAME).is_file()


def stored(*catalogue_ids: str) -> tuple[list[Path], dict[str, str]]:
    """Paths of installed checkpoints, and the SHA-256 of their files by `id/name`. Raises NotReady
    (CHECKPOINT_MISSING; CHECKPOINT_DAMAGED for a file that is not as long as when it was installed)."""
    paths: list[Path] = []
    hashes: dict[str, str] = {}
    for name in catalogue_ids:
        path, record = store.installed_path(name), store.read_record(name)
        if path is None or record is None:
            raise NotReady(
                f"the checkpoint {name} is not installed: safelight models pull {name}", "CHECKPOINT_MISSING"
            )
        content = store.entry_dir(name) / store.CONTENT_NAME
        for file in record.files:
            if not (at := content / file.name).is_file() or at.stat().st_size != file.size_bytes:
                raise damaged(at, "is not what was installed")
        paths.append(path)
        hashes |= {f"{name}/{file.name}": file.sha256 for file in record.files}
    return paths, hashes


def tensors_below(tensors: Mapping[str, torch.Tensor], prefix: str) -> dict[str, torch.Tensor]:
    """Those whose key begins so, without it."""
    return {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}
