"""RAM's tagger: which of a list of labels a picture shows.

Paper: "Recognize Anything: A Strong Image Tagging Model", arXiv 2306.03514; tuned for low-quality pictures as DAPE by
SeeSR, arXiv 2311.16518, and used so by OSEDiff. Official: github.com/xinyu1205/recognize-anything and cswry/OSEDiff
(Apache-2.0), `ram/models/ram_lora.py`; weights `ram_swin_large_14m.pth` and `DAPE.pth`.

    v   Swin(x), the mean of its tokens in front of them       145 x 1536, x 3 384 384 normalised as for ImageNet
    e   Linear(v)                                                                                145 x 512
    q   ReLU(Linear(label vectors))                                                           labels x 768
        twice: q = LN(q + Attention(q, e)), q = LN(q + MLP(q))
        Linear(q), one logit per label

Differences from the official code: the Swin is that of transformers; the two text networks that the file brings for
captions are not built; low-rank pairs are added to the weights once, in float32.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import nn
from transformers import SwinConfig, SwinModel

SIDE_PX = 384  # official
PATCH_PX = 4
HEADS = 4  # of the attention over labels; official, not to be seen in the file
SWIN_NORM_EPS, NORM_EPS = 1e-5, 1e-12  # of Swin, and of BERT
LORA_SCALE = 1 / 8  # official: alpha 1, rank 8

Shapes = Mapping[str, tuple[int, ...]]

_BLOCK = "visual_encoder.layers."
_SWIN_NAMES = (
    ("visual_encoder.embeddings.patch_embeddings.projection.", "visual_encoder.patch_embed.proj."),
    ("visual_encoder.embeddings.norm.", "visual_encoder.patch_embed.norm."),
    ("visual_encoder.encoder.layers.", _BLOCK),
    ("visual_encoder.layernorm.", "visual_encoder.norm."),
    (".layernorm_before.", ".norm1."),
    (".layernorm_after.", ".norm2."),
    (".attention.o_proj.", ".attn.proj."),
    (".attention.relative_position_bias.", ".attn."),
    *((f".attention.{third}_proj.", ".attn.qkv.") for third in "qkv"),
)
_HEAD_NAMES = (
    ("layers.", "tagging_head.encoder.layer."),
    (".query.", ".crossattention.self.query."),
    (".key.", ".crossattention.self.key."),
    (".value.", ".crossattention.self.value."),
    (".mixed.", ".crossattention.output.dense."),
    (".mixed_norm.", ".crossattention.output.LayerNorm."),
    (".wide.", ".intermediate.dense."),
    (".narrow.", ".output.dense."),
    (".norm.", ".output.LayerNorm."),
)
"""Ours to the official name, piece by piece."""


@dataclass(frozen=True)
class TaggerSizes:
    """What differs between the official network and smaller ones."""

    width: int
    """Of Swin's first stage; it doubles from stage to stage."""
    depths: tuple[int, ...]
    heads: tuple[int, ...]
    window: int
    labels: int
    label_width: int
    hidden: int
    """Of queries."""
    wide: int
    """Of the hidden layer in their MLP."""
    layers: int
    """Over labels."""

    @classmethod
    def of(cls, shapes: Shapes) -> TaggerSizes:
        """From the official names of a file. Raises LookupError or ValueError where they make no such network."""
        first = [
            shapes[f"{_BLOCK}{i}.blocks.0.attn.relative_position_bias_table"]
            for i in _counted(_BLOCK, shapes)
        ]
        depths = tuple(len(_counted(f"{_BLOCK}{i}.blocks.", shapes)) for i in range(len(first)))
        layers = len(_counted("tagging_head.encoder.layer.", shapes))
        window = (round(first[0][0] ** 0.5) + 1) // 2
        (labels, label_width), (hidden, _) = shapes["label_embed"], shapes["wordvec_proj.weight"]
        (wide, _), (width,) = (
            shapes["tagging_head.encoder.layer.0.intermediate.dense.weight"],
            shapes["visual_encoder.patch_embed.norm.weight"],
        )
        return cls(
            width,
            depths,
            tuple(heads for _, heads in first),
            window,
            labels,
            label_width,
            hidden,
            wide,
            layers,
        )


def _counted(prefix: str, shapes: Shapes) -> list[int]:
    """0, 1, ... for as long as a name goes on so."""
    return list(
        itertools.takewhile(lambda i: any(n.startswith(f"{prefix}{i}.") for n in shapes), itertools.count())
    )


class HeadLayer(nn.Module):
    """Queries look at the picture's tokens, and at nothing else; norms come after the sums."""

    def __init__(self, sizes: TaggerSizes) -> None:
        super().__init__()
        hidden, seen = sizes.hidden, sizes.label_width
        self.query, self.key, self.value = (
            nn.Linear(hidden, hidden),
            nn.Linear(seen, hidden),
            nn.Linear(seen, hidden),
        )
        self.mixed, self.mixed_norm = nn.Linear(hidden, hidden), nn.LayerNorm(hidden, NORM_EPS)
        self.wide, self.narrow = nn.Linear(hidden, sizes.wide), nn.Linear(sizes.wide, hidden)
        self.norm = nn.LayerNorm(hidden, NORM_EPS)

    def forward(self, queries: torch.Tensor, picture: torch.Tensor) -> torch.Tensor:
        """B L hidden and B T label_width to B L hidden."""
        mixed = F.scaled_dot_product_attention(
            _in_heads(self.query(queries)), _in_heads(self.key(picture)), _in_heads(self.value(picture))
        )
        queries = self.mixed_norm(queries + self.mixed(mixed.transpose(1, 2).flatten(2)))
        found: torch.Tensor = self.norm(queries + self.narrow(F.gelu(self.wide(queries))))
        return found


def _in_heads(tokens: torch.Tensor) -> torch.Tensor:
    """B T C to B heads T C/heads."""
    heads: torch.Tensor = tokens.unflatten(-1, (HEADS, -1))
    return heads.transpose(1, 2)


class TagNetwork(nn.Module):
    """See the module."""

    def __init__(self, sizes: TaggerSizes) -> None:
        super().__init__()
        config = SwinConfig(
            image_size=SIDE_PX,
            patch_size=PATCH_PX,
            embed_dim=sizes.width,
            depths=list(sizes.depths),
            num_heads=list(sizes.heads),
            window_size=sizes.window,
            layer_norm_eps=SWIN_NORM_EPS,
        )
        self.visual_encoder = SwinModel(config)
        self.image_proj = nn.Linear(sizes.width * 2 ** (len(sizes.depths) - 1), sizes.label_width)
        self.label_embed = nn.Parameter(torch.empty(sizes.labels, sizes.label_width))
        self.wordvec_proj = nn.Linear(sizes.label_width, sizes.hidden)
        self.layers = nn.ModuleList(HeadLayer(sizes) for _ in range(sizes.layers))
        self.fc = nn.Linear(sizes.hidden, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """B 3 384 384, normalised, in the network's type and on its device, to logits B labels."""
        picture = self.embeds(self.tokens(x))
        queries = self.queries().expand(len(x), -1, -1)
        logits: torch.Tensor = self.fc(self.head(queries, picture)).squeeze(-1)
        return logits

    def tokens(self, x: torch.Tensor) -> torch.Tensor:
        """B 145 C: the mean in front."""
        seen = self.visual_encoder(x)
        return torch.cat([seen.pooler_output[:, None], seen.last_hidden_state], dim=1)

    def embeds(self, tokens: torch.Tensor) -> torch.Tensor:
        """B 145 label_width."""
        found: torch.Tensor = self.image_proj(tokens)
        return found

    def queries(self) -> torch.Tensor:
        """labels hidden."""
        return F.relu(self.wordvec_proj(self.label_embed))

    def head(self, queries: torch.Tensor, picture: torch.Tensor) -> torch.Tensor:
        """B labels hidden, after all layers."""
        for layer in self.layers:
            queries = layer(queries, picture)
        return queries


def official_names(network: nn.Module) -> dict[str, list[str]]:
    """Official name of a tensor to ours; three where the official one is fused: query, key and value."""
    names: dict[str, list[str]] = {}
    for own in network.state_dict():
        names.setdefault(_official(own), []).append(own)
    return names


def _official(name: str) -> str:
    for ours, theirs in _SWIN_NAMES if name.startswith("visual_encoder.") else _HEAD_NAMES:
        name = name.replace(ours, theirs)
    return name


def official_shapes(sizes: TaggerSizes) -> dict[str, tuple[int, ...]]:
    """Every tensor of an official file that such a network takes."""
    with torch.device("meta"):
        network = TagNetwork(sizes)
    shapes = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    return {
        name: (len(own) * shapes[own[0]][0], *shapes[own[0]][1:])
        for name, own in official_names(network).items()
    }


def lora_shapes(shapes: Shapes, rank: int) -> dict[str, tuple[int, ...]]:
    """Every low-rank pair that DAPE has for a RAM file of these `shapes`: queries and values of Swin, queries and keys
    of the head."""
    pairs: dict[str, tuple[int, ...]] = {}
    for name, (out, into) in ((n, s) for n, s in shapes.items() if _adapted(n)):
        fused = 2 if name.endswith(".qkv.weight") else 1
        layer = name.removesuffix(".weight")
        pairs[f"{layer}.lora_A"] = (fused * rank, into)
        pairs[f"{layer}.lora_B"] = (out * fused // 3 if fused == 2 else out, rank)
    return pairs


def _adapted(name: str) -> bool:
    return bool(re.search(r"\.attn\.qkv\.weight$|\.crossattention\.self\.(query|key)\.weight$", name))


def merged(weight: torch.Tensor, down: torch.Tensor, up: torch.Tensor) -> torch.Tensor:
    """A weight with its low-rank pair in it, float32. In a fused one, rows of `down` and `up` are halves: for the query
    and for the value."""
    weight = weight.float().clone()
    width, rank = len(weight) // 3, up.shape[1]
    if len(down) == rank:
        return weight + (up.float() @ down.float()) * LORA_SCALE
    for rows, half in ((slice(0, width), 0), (slice(2 * width, 3 * width), 1)):
        pair = up[half * width :][:width].float() @ down[half * rank :][:rank].float()
        weight[rows] += pair * LORA_SCALE
    return weight


def position_index(window: int) -> torch.Tensor:
    """Swin's own table of relative places, which no file holds and a network without memory lacks."""
    twin = SwinModel(
        SwinConfig(
            image_size=PATCH_PX * window,
            patch_size=PATCH_PX,
            embed_dim=1,
            depths=[1],
            num_heads=[1],
            window_size=window,
        )
    )
    return next(buffer for name, buffer in twin.named_buffers() if name.endswith("relative_position_index"))
