"""Networks filled from safetensors files, one tensor at a time: the network and one tensor are all that memory holds.

Files are opened anew for each tensor: a mapping that stays would count every page that was read as the process's own
memory, and would leave networks that break when their file is changed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import nn

from safelight.engine.checkpoints.layout import SHOWN, Shapes, read_header
from safelight.engine.checkpoints.store import CONTENT_NAME
from safelight.errors import NotReady

Edit = Callable[[str, torch.Tensor], torch.Tensor]
"""A tensor's name in the network and its value as stored, on the host, to the value that is kept."""
Names = Callable[[str], str]
Types = torch.dtype | Callable[[str], torch.dtype]
"""What tensors are kept in: one for all, or by their name in the network."""

_BUILDING = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    RuntimeError,
    TypeError,
    ValueError,
)
"""What libraries raise for a configuration that makes no sense."""


def same_name(name: str) -> str:
    return name


def unedited(name: str, tensor: torch.Tensor) -> torch.Tensor:
    return tensor


def layout(dtype: torch.dtype) -> torch.memory_format:
    """Channels last for reduced precision. Not for fp32: torch's group norm sums a channels-last plane less exactly,
    measured 8 times the error of the latent at 224x216 pixels."""
    return torch.contiguous_format if dtype == torch.float32 else torch.channels_last


def configured(make: Callable[[dict[str, Any]], nn.Module], folder: Path) -> nn.Module:
    """A network without memory (torch's meta device) from `folder/config.json`. Raises NotReady
    (CHECKPOINT_DAMAGED)."""
    path = folder / "config.json"
    config = read_config(path)
    try:
        with torch.device("meta"):
            return make(config).requires_grad_(False).eval()
    except _BUILDING as error:
        raise damaged(path, f"makes no network ({type(error).__name__})") from None


def read_config(path: Path) -> dict[str, Any]:
    """Raises NotReady (CHECKPOINT_DAMAGED)."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise damaged(path, "is missing or no JSON") from None
    if not isinstance(found, dict):
        raise damaged(path, "is no dictionary")
    return found


def weights_file(folder: Path) -> Path:
    """The safetensors file in `folder`; a half-precision one (`.fp16.`) only where there is no other. Raises
    NotReady (CHECKPOINT_DAMAGED)."""
    found = sorted(folder.glob("*.safetensors"), key=lambda path: (".fp16." in path.name, len(path.name)))
    if not found:
        raise damaged(folder, "holds no safetensors file")
    return found[0]


def fill(
    network: nn.Module,
    path: Path,
    *,
    device: torch.device,
    dtype: Types,
    edit: Edit = unedited,
    names: Names = same_name,
    below: tuple[str, ...] = ("",),
) -> None:
    """Gives a network on the meta device the file's tensors, edited, cast and placed one by one.

    `names` turns the file's names into the network's; an empty one leaves the tensor out. Only what begins with one
    of `below` is filled; the whole file is checked all the same. Raises NotReady (CHECKPOINT_DAMAGED) before any
    data is read when names or shapes differ from the network's.
    """
    check_shapes(network, path, names)
    for stored, tensor in tensors_of(path, lambda stored: names(stored).startswith(below)):
        if name := names(stored):
            holder, _, last = name.rpartition(".")
            owner = network.get_submodule(holder)
            kept = dtype if isinstance(dtype, torch.dtype) else dtype(name)
            value = placed(edit(name, tensor), device, kept)
            setattr(owner, last, nn.Parameter(value, requires_grad=False))


def check_shapes(network: nn.Module, path: Path, names: Names = same_name) -> None:
    """Raises NotReady (CHECKPOINT_DAMAGED) where the file does not hold exactly the network's tensors."""
    found = {name: shape for stored, shape in read_header(path)[0].items() if (name := names(stored))}
    wanted: Shapes = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    for what, differing in (
        ("lacks", sorted(set(wanted) - set(found))),
        ("has the unknown", sorted(set(found) - set(wanted))),
        ("has another shape of", sorted(n for n in set(wanted) & set(found) if wanted[n] != found[n])),
    ):
        if differing:
            raise damaged(path, f"{what} {', '.join(differing[:SHOWN])}")


def tensors_of(
    path: Path, wanted: Callable[[str], bool] = lambda name: True
) -> Iterator[tuple[str, torch.Tensor]]:
    """Each tensor of a safetensors file, on the host as stored. It lives in a mapping of the file: copy what is kept.
    Raises NotReady (CHECKPOINT_DAMAGED)."""
    for name in filter(wanted, read_header(path)[0]):
        try:
            with safe_open(path, framework="pt", device="cpu") as file:
                tensor = file.get_tensor(name)
        except (SafetensorError, OSError):
            raise damaged(path, "cannot be read any more") from None
        yield name, tensor
        del tensor  # and with it the mapping, before the next one


def numbers(network: nn.Module, below: tuple[str, ...] = ("",)) -> int:
    """How many numbers its tensors have."""
    return sum(t.numel() for name, t in network.state_dict().items() if name.startswith(below))


def loaded_bytes(*networks: nn.Module) -> int:
    """Of parameters that are not on the meta device; a tensor that two of them share counts once."""
    parameters = {id(p): p for network in networks for p in network.parameters() if not p.is_meta}
    return sum(p.numel() * p.element_size() for p in parameters.values())


def called(path: Path) -> str:
    """A path of a checkpoint for people: from the store's entry on, or its last three names."""
    parts = path.parts
    if CONTENT_NAME in parts:
        at = len(parts) - 1 - parts[::-1].index(CONTENT_NAME)
        return "/".join((parts[at - 1], *parts[at + 1 :]))
    return "/".join(parts[-3:])


def damaged(path: Path, what: str) -> NotReady:
    return NotReady(
        f"the checkpoint file {called(path)} {what}: remove that checkpoint and install it again",
        "CHECKPOINT_DAMAGED",
        details={"file": called(path)},
    )


def placed(tensor: torch.Tensor, device: torch.device, dtype: torch.dtype) -> torch.Tensor:
    """A copy of its own, in the precision's memory format."""
    kept = dtype if tensor.is_floating_point() else tensor.dtype
    format = layout(dtype) if tensor.ndim == 4 else torch.contiguous_format
    return tensor.to(device=device, dtype=kept, memory_format=format, copy=True)
