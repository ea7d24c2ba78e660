"""RAM and DAPE without their authors' files: every tensor comes from a rule, by its name and shape.

The rule is that of the reference data of the tagger: standard normal from a generator seeded by the name, scaled so
that every layer's output stays alive and logits spread around zero.
"""

import json
import zlib
from pathlib import Path

import torch

Tensors = dict[str, torch.Tensor]


def filled(key: str, shape: tuple[int, ...], seed: int) -> torch.Tensor:
    """float32."""
    generator = torch.Generator().manual_seed((zlib.crc32(key.encode()) + seed) % 2**32)
    normal = torch.randn(tuple(shape), generator=generator)
    last = key.rpartition(".")[2]
    fan = max(1, normal[0].numel())
    if (".norm" in key or "LayerNorm" in key) and key.endswith("weight"):
        return 1 + 0.1 * normal
    if last == "bias":
        return 0.05 * normal
    if last == "relative_position_bias_table":
        return 0.5 * normal
    if key == "label_embed":
        return normal
    if last == "lora_A":
        return normal / normal.shape[1] ** 0.5
    if last == "lora_B":
        text = key.startswith(("tag_encoder.", "text_decoder."))
        return torch.zeros_like(normal) if text else 2 * normal / normal.shape[1] ** 0.5
    factor = 3 if key == "fc.weight" else 2 if key.endswith(("self.query.weight", "self.key.weight")) else 1
    return factor * normal / fan**0.5


def shapes_of(manifest: Path, name: str) -> dict[str, tuple[int, ...]]:
    """Of `ram` or `dape`: of a manifest that marks what tags need, only that."""
    listed = json.loads(manifest.read_text("utf-8"))[name]
    plain = {key: value for key, value in listed.items() if isinstance(value, list)}
    marked = {
        key: value["shape"] for key, value in listed.items() if not isinstance(value, list) and value["used"]
    }
    return {key: tuple(shape) for key, shape in (plain | marked).items()}


def tensors(manifest: Path, name: str, seed: int) -> Tensors:
    return {key: filled(key, shape, seed) for key, shape in shapes_of(manifest, name).items()}


def write_official(folder: Path, ram: Tensors, dape: Tensors) -> None:
    """As the authors' users have them."""
    folder.mkdir(parents=True, exist_ok=True)
    torch.save({"model": ram}, folder / "ram_swin_large_14m.pth")
    torch.save(dape, folder / "DAPE.pth")
