"""Tags of a picture: RAM with DAPE in it (`networks.ram`), as OSEDiff's authors run it.

Official: github.com/cswry/OSEDiff (Apache-2.0), `test_osediff.py` and `ram/models/ram_lora.py`. The network is a part
that pipelines share, held while it computes; in fp16 on an accelerator, as theirs is, and in fp32 on the host.

Differences from the official code: none in what is computed; a file that is not whole is refused.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import nn

from safelight.engine.checkpoints.layout import TEXT_NETWORKS, check_layout, read_header
from safelight.engine.checkpoints.official import MODEL
from safelight.engine.checkpoints.weights import damaged, numbers, placed, tensors_of
from safelight.engine.networks.ram import (
    SIDE_PX,
    TaggerSizes,
    TagNetwork,
    merged,
    official_names,
    position_index,
)
from safelight.engine.parts import Part, PartKey, Parts
from safelight.engine.pipelines.base import Precision, RegionSource
from safelight.engine.pipelines.base_networks import recorded_sha256
from safelight.engine.pipelines.squeezed import squeezed
from safelight.errors import InvalidRequest
from safelight.geometry import Size

log = logging.getLogger(__name__)

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # official; ImageNet's
THRESHOLD_MOST = 0.9  # official: what is added to thresholds brings none above it
LIST, THRESHOLDS = "ram_tag_list.txt", "ram_tag_list_threshold.txt"
UP = ".lora_B"


@dataclass(frozen=True)
class TagList:
    """Labels in the network's order, and how sure it must be of each."""

    names: tuple[str, ...]
    thresholds: torch.Tensor
    """float32."""

    @classmethod
    def read(cls, folder: Path) -> TagList:
        """Raises NotReady (CHECKPOINT_DAMAGED)."""
        names = tuple(_lines(folder / LIST))
        try:
            thresholds = [float(line) for line in _lines(folder / THRESHOLDS)]
        except ValueError:
            raise damaged(folder / THRESHOLDS, "holds a line that is no number") from None
        if len(thresholds) != len(names):
            raise damaged(folder / THRESHOLDS, f"has {len(thresholds)} lines for {len(names)} tags")
        return cls(names, torch.tensor(thresholds))

    def chosen(self, logits: torch.Tensor) -> list[int]:
        """Indices, from logits of one picture."""
        sure = torch.sigmoid(logits.detach().cpu()) > self.thresholds
        found: list[int] = sure.nonzero().flatten().tolist()
        return found


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise damaged(path, "is missing or no text") from None


class Tagger:
    """See the module. Its network is loaded when it is needed."""

    def __init__(self, ram: Path, dape: Path | None, lists: Path, device: torch.device, parts: Parts) -> None:
        """`ram` and `dape` converted files, `lists` a folder with the labels. Without `dape` it is RAM as it is. Raises
        NotReady (CHECKPOINT_DAMAGED)."""
        self.list = TagList.read(lists)
        _require_layouts(ram, dape)
        sizes = _sizes(ram)
        if sizes.labels != len(self.list.names):
            raise damaged(
                lists / LIST, f"has {len(self.list.names)} lines for {sizes.labels} labels of the tagger"
            )
        precision: Precision = "fp32" if device.type == "cpu" else "fp16"
        files = [path for path in (ram, dape) if path is not None]
        content = " ".join(recorded_sha256(path.parent, path) for path in files)
        key = PartKey("tagger", content, str(device), precision)
        dtype = torch.float32 if precision == "fp32" else torch.float16
        load = partial(_load, ram, dape, device, dtype)
        expected = numbers(_empty(sizes)) * dtype.itemsize
        self.part: Part[TagNetwork] = parts.shared(
            key, lambda: Part(parts, key, load, expected_bytes=expected)
        )
        self._device, self._dtype = device, dtype

    def tags(self, source: RegionSource) -> list[str]:
        """In the list's order; none where it is sure of nothing."""
        return [self.list.names[i] for i in self.list.chosen(self.logits(network_input(source)))]

    def logits(self, x: torch.Tensor) -> torch.Tensor:
        """1 3 384 384 as `network_input` gives it to one logit per label, on the host."""
        with self.part.held() as network, torch.inference_mode():
            found: torch.Tensor = network(x.to(self._device, self._dtype))[0].cpu()
        return found


def network_input(source: RegionSource) -> torch.Tensor:
    """1 3 384 384, float32, normalised. `source` is the picture at the size that the diffusion network sees."""
    mean, std = (np.asarray(three, np.float32) for three in (MEAN, STD))
    x = (squeezed(source, Size(SIDE_PX, SIDE_PX)) - mean) / std
    return torch.from_numpy(x).permute(2, 0, 1)[None].contiguous()


def joined(tags: Sequence[str]) -> str:
    """As the authors write them."""
    return ", ".join(tags)


def _require_layouts(ram: Path, dape: Path | None) -> None:
    try:
        check_layout(ram, "ram", None)
        if dape is not None:
            check_layout(dape, "dape", ram)
    except InvalidRequest as error:
        raise damaged(
            ram if dape is None else dape, f"is not what was installed ({error.message[:200]})"
        ) from None


def _sizes(ram: Path) -> TaggerSizes:
    return TaggerSizes.of({_bare(name): shape for name, shape in read_header(ram)[0].items()})


def _bare(name: str) -> str:
    return name.removeprefix(MODEL).replace("vision_multi", "tagging_head")


def _empty(sizes: TaggerSizes) -> TagNetwork:
    with torch.device("meta"):
        network = TagNetwork(sizes)
    return network.requires_grad_(False).eval()


def _load(ram: Path, dape: Path | None, device: torch.device, dtype: torch.dtype) -> TagNetwork:
    sizes = _sizes(ram)
    network = _empty(sizes)
    names = official_names(network)
    pairs = {} if dape is None else dict(tensors_of(dape))
    if any(
        bool(tensor.any())
        for name, tensor in pairs.items()
        if name.startswith(TEXT_NETWORKS) and name.endswith(UP)
    ):
        log.warning("%s changes the text networks too, which tags do without: is it the authors' file?", dape)
    for stored, tensor in tensors_of(ram):
        name = _bare(stored)
        layer = name.removesuffix(".weight")
        if f"{layer}{UP}" in pairs:
            tensor = merged(tensor, pairs[f"{layer}.lora_A"], pairs[f"{layer}{UP}"])
        for own, part in zip(names[name], tensor.chunk(len(names[name])), strict=True):
            holder, _, last = own.rpartition(".")
            setattr(
                network.get_submodule(holder),
                last,
                nn.Parameter(placed(part, device, dtype), requires_grad=False),
            )
    index = position_index(sizes.window).to(device)
    for module in network.modules():
        if hasattr(module, "relative_position_index"):
            module.relative_position_index = nn.Buffer(index, persistent=False)
    return network
