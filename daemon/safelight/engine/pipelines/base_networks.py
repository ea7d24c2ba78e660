"""UNet and VAE of a base folder; installed checkpoints by their ids.

The decoding half of the VAE, which no pipeline here changes, is a part that pipelines with equal files share.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
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
    numbers,
    read_config,
    unedited,
    weights_file,
)
from safelight.engine.networks.vae_layers import lighten
from safelight.engine.parts import Part, PartKey, Parts
from safelight.engine.pipelines.versions import Loaded, Place
from safelight.errors import InvalidRequest, NotReady

ENCODING, DECODING = ("encoder.", "quant_conv."), ("decoder.", "post_quant_conv.")
"""The halves of a VAE by the names of their tensors."""
_OLD_ATTENTION = {"query": "to_q", "key": "to_k", "value": "to_v", "proj_attn": "to_out.0"}
"""Names that VAEs were saved with before diffusers 0.15."""
_UNIMPORTANT = re.compile(r"_.*|transformers_version|torch_dtype|dtype|architectures")
"""Of a configuration: who wrote it and how, nothing that a network is made of."""


def load_unet(base: Path, place: Place, *, edit: Edit = unedited) -> Loaded:
    """Whatever it is stored in; `edit` sees each tensor as stored. Raises NotReady (CHECKPOINT_DAMAGED)."""
    unet = empty(UNet2DConditionModel, base / "unet")
    fill(unet, weights_file(base / "unet"), device=place.device, dtype=place.dtype, edit=edit)
    return Loaded(unet)


def load_vae(base: Path, place: Place, parts: Parts, *, edit: Edit = unedited) -> Loaded:
    """The same; `edit` sees each tensor of the encoding half."""
    vae = empty(AutoencoderKL, base / "vae")
    _fill_vae(vae, base, place, ENCODING, edit)
    lighten(vae.encoder)
    decoder = _shared_decoder(base, place, parts)
    halves = decoder.keep()
    vae.decoder, vae.post_quant_conv = halves["decoder"], halves["post_quant_conv"]
    return Loaded(vae, (decoder,))


def empty(network: Any, folder: Path) -> Any:
    """One of diffusers' networks without memory."""
    return configured(network.from_config, folder)


def _shared_decoder(base: Path, place: Place, parts: Parts) -> Part[nn.ModuleDict]:
    def load() -> nn.ModuleDict:
        vae = empty(AutoencoderKL, base / "vae")
        _fill_vae(vae, base, place, DECODING, unedited)
        lighten(vae.decoder)
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
