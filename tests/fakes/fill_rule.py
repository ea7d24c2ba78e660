"""FaithDiff's tiny reference networks: their weights come from a rule, not from a file.

The rule and the shapes are those of the reference data in tests/data/faithdiff: every tensor is standard normal from a
generator of its own, seeded by its name, and scaled by its fan-in; vectors lie around 1 (weights) and 0 (biases).
"""

import json
import math
import shutil
import zlib
from pathlib import Path

import torch
from safetensors.torch import save_file

REFERENCE = Path(__file__).parents[1] / "data" / "faithdiff"
Tensors = dict[str, torch.Tensor]
FILES = {
    "text_encoder": "sdxl/text_encoder/model.safetensors",
    "text_encoder_2": "sdxl/text_encoder_2/model.safetensors",
    "vae_fp16": "vae_fp16/diffusion_pytorch_model.safetensors",
}
"""Component to its file; the base's own UNet and VAE are not used."""


def filled(component: str, key: str, shape: tuple[int, ...], seed: int) -> torch.Tensor:
    """float32."""
    generator = torch.Generator().manual_seed(zlib.crc32(f"{component}/{key}".encode()) + seed)
    normal = torch.randn(shape, generator=generator)
    if len(shape) >= 2:
        return normal * (1 / math.sqrt(math.prod(shape[1:])))
    return 1 + 0.1 * normal if key.endswith(".weight") else 0.05 * normal


def component(weights: Path, name: str, seed: int) -> Tensors:
    """All tensors of one component of `weights/shapes.json`."""
    shapes = json.loads((weights / "shapes.json").read_text("utf-8"))[name]
    return {key: filled(name, key, tuple(shape), seed) for key, shape in shapes.items()}


def write_official(weights: Path, folder: Path, seed: int) -> None:
    """`weights` (configurations and shapes) as the authors' users have them: folder/sdxl, folder/vae_fp16 and
    folder/FaithDiff.bin."""
    write_folders(weights, folder, seed)
    torch.save(component(weights, "faithdiff", seed), folder / "FaithDiff.bin")


def write_folders(weights: Path, folder: Path, seed: int) -> None:
    """The small ones: folder/sdxl and folder/vae_fp16."""
    for name in ("sdxl", "vae_fp16"):
        shutil.copytree(weights / name, folder / name, copy_function=shutil.copyfile)
    for name, file in FILES.items():
        save_file(component(weights, name, seed), folder / file)
