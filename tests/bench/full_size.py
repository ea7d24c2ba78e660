"""Checkpoints of the real sizes in the authors' own formats, with random weights: for speed and memory, never looks.

python -m tests.bench.full_size FOLDER     writes sd21-base/, sd-turbo/, osediff.pkl, s3diff.pkl, de_net.pth

Configurations, keys and shapes are those of the manifests in tests/data; every layer is drawn as torch draws it for
training, from a fixed seed. The bases take 5.2 GB each in fp32 and share all but the UNet by hard links.
"""

from __future__ import annotations

import gzip
import json
import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from safetensors.torch import load_file
from transformers import CLIPTextConfig, CLIPTextModel

from tests.fakes.golden import DATA

SEED = 20240613
ADAPTER_B_STD = 0.01
"""With it an adapter moves its layer's weights by a twentieth, as trained ones do; peft's own start is zero."""
SCHEDULERS = {"sd21-base": "scheduler_sd21_base", "sd-turbo": "scheduler_sd_turbo"}


def manifest(name: str) -> Any:
    """Of one of the authors' files: what stands in it, with shapes in place of tensors."""
    path = next(DATA.glob(f"{name}.manifest.json*"))
    text = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return json.loads(text)


def write_base(folder: Path, name: str, *, like: Path | None = None) -> Path:
    """A diffusers folder `folder/name`; with `like` its VAE and text encoder are those of another base."""
    configs = manifest("osediff/full_size_sd21_base")["configs"]
    base = folder / name
    torch.manual_seed(SEED + len(name))
    _save(UNet2DConditionModel.from_config(configs["unet"]), base / "unet")
    for part, network in (("vae", AutoencoderKL), ("text_encoder", _text_encoder)):
        if like is None:
            make = network if part == "text_encoder" else network.from_config
            _save(make(configs[part]), base / part)
        else:
            shutil.copytree(like / part, base / part, copy_function=os.link, dirs_exist_ok=True)
    shutil.copytree(DATA / "osediff/base/tokenizer", base / "tokenizer", dirs_exist_ok=True)
    shutil.copyfile(DATA / "osediff/base/model_index.json", base / "model_index.json")
    (base / "scheduler").mkdir(exist_ok=True)
    (base / "scheduler/scheduler_config.json").write_text(json.dumps(configs[SCHEDULERS[name]]))
    return base


def _text_encoder(config: Mapping[str, Any]) -> CLIPTextModel:
    return CLIPTextModel(CLIPTextConfig(**config))


def _save(network: Any, folder: Path) -> None:
    network.save_pretrained(folder, safe_serialization=True, max_shard_size="10GB")


def write_osediff(path: Path, base: Path) -> Path:
    """In the format of the authors' `osediff.pkl`; the first convolution is the base's."""
    return _written(path, manifest("osediff/full_size_osediff.pkl")["content"], _first_convolution(base))


def write_s3diff(path: Path, base: Path) -> Path:
    return _written(path, manifest("s3diff/full_size_s3diff.pkl")["content"], _first_convolution(base))


def write_estimator(path: Path) -> Path:
    return _written(path, manifest("s3diff/full_size_de_net.pth")["content"], {})


def _first_convolution(base: Path) -> dict[str, torch.Tensor]:
    (file,) = (base / "unet").glob("*.safetensors")
    tensors = load_file(file)
    return {kind: tensors[f"conv_in.{kind}"].clone() for kind in ("weight", "bias")}


def _written(path: Path, content: Mapping[str, Any], first: Mapping[str, torch.Tensor]) -> Path:
    torch.manual_seed(SEED)
    torch.save({name: _drawn(name, value, first) for name, value in content.items()}, path)
    return path


def _drawn(name: str, entry: Any, first: Mapping[str, torch.Tensor]) -> Any:
    """A manifest's entry with tensors in place of shapes."""
    if not isinstance(entry, Mapping):
        return entry
    if "shape" not in entry:
        return {key: _drawn(key, value, first) for key, value in entry.items()}
    shape = entry["shape"]
    if name.startswith("conv_in.") and name.count(".lora_") == 0:
        return first[name.rpartition(".")[2]]
    if ".lora_B." in name:
        return ADAPTER_B_STD * torch.randn(shape)
    if len(shape) < 2:
        return torch.randn(shape) if name == "w" else torch.zeros(shape)
    fan_in = torch.Size(shape[1:]).numel()
    return torch.empty(shape).uniform_(-1, 1) / fan_in**0.5


def write_all(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    base = write_base(folder, "sd21-base")
    turbo = write_base(folder, "sd-turbo", like=base)
    write_osediff(folder / "osediff.pkl", base)
    write_s3diff(folder / "s3diff.pkl", turbo)
    write_estimator(folder / "de_net.pth")


if __name__ == "__main__":
    write_all(Path(sys.argv[1]))
