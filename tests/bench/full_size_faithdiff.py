"""FaithDiff at its real size, with random weights: its files, and a whole job by the real commands and daemon.

python -m tests.bench.full_size_faithdiff FOLDER     prints the commands and what they say

FOLDER gets FaithDiff.bin (10.4 GB, float32, as the authors' training saves it), the folders that belong to it, and a
store into which they are imported; what is imported is deleted as soon as it is, so that 35 GB of room are enough. The
daemon has a registry of its own, of the same pipeline with sentinel thresholds that nothing exceeds: what random
weights draw is no restoration. The product has no such setting.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import AutoencoderKL
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

from safelight import runtime
from safelight.engine.checkpoints import store
from safelight.engine.checkpoints.faithdiff_layout import faithdiff_shapes
from safelight.engine.parts import Parts
from safelight.engine.pipelines import registry
from safelight.engine.pipelines.base import Pipeline
from safelight.server.serve import serve
from tests.bench.full_size_job import LAX
from tests.bench.transcript import command, daemon, photo_in, restore, status_mb
from tests.fakes import sdxl
from tests.fakes.daemon import config
from tests.fakes.fill_rule import REFERENCE

SEED = 20250310
DAEMON = [sys.executable, "-m", "tests.bench.full_size_faithdiff"]
FILES = {"realvisxl-v4": "sdxl", "sdxl-vae-fp16-fix": "vae", "faithdiff": "FaithDiff.bin"}
SIZE = (320, 320)
"""At output scale 2 one tile of 640 pixels."""
QUICK = ("--set", "steps=2")


def write_base(folder: Path) -> None:
    """Text encoders, tokenizers, scheduler and the UNet's configuration; the encoders in half precision."""
    torch.manual_seed(SEED)
    for name, kind, values in (
        ("text_encoder", CLIPTextModel, sdxl.TEXT_ENCODER),
        ("text_encoder_2", CLIPTextModelWithProjection, sdxl.TEXT_ENCODER_2),
    ):
        kind(CLIPTextConfig(**values)).half().save_pretrained(folder / name, max_shard_size="10GB")
    for name in ("tokenizer", "tokenizer_2", "scheduler", "model_index.json"):
        source = REFERENCE / "weights" / "sdxl" / name
        (shutil.copytree if source.is_dir() else shutil.copyfile)(source, folder / name)
    (folder / "unet").mkdir()
    (folder / "unet" / "config.json").write_text(json.dumps(sdxl.UNET))


def write_vae(folder: Path) -> None:
    torch.manual_seed(SEED + 1)
    vae: Any = AutoencoderKL.from_config(sdxl.VAE)
    vae.save_pretrained(folder)


def write_weights(path: Path) -> None:
    """Through a file of the same size, so that memory never holds them."""
    shapes = faithdiff_shapes(sdxl.UNET)
    total = sum(int(np.prod(shape)) for shape in shapes.values())
    torch.manual_seed(SEED + 2)
    with tempfile.TemporaryFile(dir=path.parent) as file:
        numbers = np.memmap(file, np.float32, "w+", shape=(total,))
        tensors, start = {}, 0
        for name, shape in shapes.items():
            count = int(np.prod(shape))
            tensors[name] = torch.from_numpy(numbers[start : start + count]).view(shape)
            start += count
            _draw(name, tensors[name])
        torch.save(tensors, path)


def _draw(name: str, tensor: torch.Tensor) -> None:
    if tensor.ndim < 2:
        tensor.fill_(1.0 if name.endswith(".weight") else 0.0)
    else:
        tensor.uniform_(-1, 1).div_(tensor[0].numel() ** 0.5)


def load_faithdiff(device: torch.device, parts: Parts) -> Pipeline:
    pipeline = registry.default_registry().load("faithdiff", device, parts)
    pipeline.spec = replace(pipeline.spec, sentinel=LAX)
    return pipeline


def lax_registry() -> registry.Registry:
    entry = registry.default_registry().entry("faithdiff")
    return registry.Registry([replace(entry, loader="tests.bench.full_size_faithdiff:load_faithdiff")])


def import_all(folder: Path) -> None:
    """Writes what is not installed, imports it and deletes it."""
    os.environ[store.CHECKPOINT_DIR_VARIABLE] = str(folder / "job-store")
    folder.mkdir(parents=True, exist_ok=True)
    for (name, file), write in zip(FILES.items(), (write_base, write_vae, write_weights), strict=True):
        if store.installed_path(name) is None:
            path = folder / file
            if file != "FaithDiff.bin":
                path.mkdir()
            write(path)
            command("models", "import", name, str(path), "--accept-licence")
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def show(folder: Path) -> None:
    """Everything from import to unload; prints as it goes."""
    import_all(folder)
    picture = photo_in(folder, SIZE)
    with daemon(DAEMON) as process_id:
        command("ps")
        restore(picture, "faithdiff.png", "faithdiff", *QUICK)
        command("ps")
        print(f"peak of the daemon: {status_mb(process_id, 'VmHWM')} MB\n")
        restore(picture, "cancelled.png", "faithdiff", *QUICK, interrupt_at=("predict", 1))
        command("ps")
        command("unload")
        command("ps")


if __name__ == "__main__":
    if len(sys.argv) > 1 and not sys.argv[1].startswith("-"):
        show(Path(sys.argv[1]).absolute())
    else:
        sys.exit(serve(config(runtime.runtime_dir()), lax_registry()))
