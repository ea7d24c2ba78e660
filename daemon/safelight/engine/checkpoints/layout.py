"""Which tensors an official file must hold, derived from its base's configuration and its own ranks.

The base's networks are built on torch's meta device (no memory, no weights); the rules that pick the adapted layers are
those of the authors' training code. RAM has no base: its sizes are read off its own tensors, and all others follow from
them. For the real configurations the result equals the authors' files key by key.
Sources: github cswry/OSEDiff osediff.py, ram/models; ArcticHare105/S3Diff s3diff.py, de_net.py; adapter shapes as in
peft: A has the layer's kernel, B is 1x1.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safelight.engine.checkpoints.faithdiff_layout import faithdiff_shapes
from safelight.engine.checkpoints.official import FORMATS, MODEL, Kind
from safelight.errors import InvalidRequest, NotReady

if TYPE_CHECKING:
    from torch import nn

Shapes = dict[str, tuple[int, ...]]
LayerShapes = dict[str, tuple[int, ...]]
"""Weight shape of every linear and convolution layer, by module name."""

RANK_MOST = 1024  # a rank above a layer's width adds nothing
SHOWN = 3

BASELESS: tuple[Kind, ...] = ("de_net", "ram")
"""Kinds that are judged by themselves."""
TEXT_NETWORKS = ("tag_encoder.", "text_decoder.")
"""Of RAM, for captions: tags do without, but DAPE's file has their names too."""

OSEDIFF_UNET = (
    "to_k", "to_q", "to_v", "to_out.0", "conv", "conv1", "conv2", "conv_in", "conv_shortcut", "conv_out",
    "proj_out", "proj_in", "ff.net.2", "ff.net.0.proj",
)  # fmt: skip
OSEDIFF_VAE = (
    "conv1", "conv2", "conv_in", "conv_shortcut", "conv", "conv_out", "to_k", "to_q", "to_v", "to_out.0",
)  # fmt: skip

EMBEDDING = 64  # S3Diff: frequencies per score and width of a block's embedding
SCORES = 2
HIDDEN = 256
BLOCK_HIDDEN = 64
UNET_PLACES = (
    10  # four down blocks, the middle one, four up blocks, conv_out; so many where there are fewer blocks too
)
VAE_PLACES = 6  # the encoder's four down blocks, the middle one, all else

ESTIMATOR_WIDTHS = (64, 64, 64, 128)  # DEResNet of S3Diff
ESTIMATOR_BLOCKS = (2, 2, 2, 2)
ESTIMATOR_DOWNSCALES = (1, 1, 2, 1)
ESTIMATOR_HEAD = 512


def check_layout(
    path: Path, kind: Kind, base: Path | None, *, called: str = "", base_called: str = ""
) -> None:
    """Compares a converted file with what `kind` on `base` (a diffusers folder; for dape the converted RAM file or
    its folder; unused for BASELESS kinds) must hold. Reads headers only. The names are for messages; by default the
    paths' own.

    Raises InvalidRequest (CHECKPOINT_FOREIGN) naming what is missing, unknown or of another shape; NotReady
    (CHECKPOINT_DAMAGED) when a file cannot be read, also the base's.
    """
    shapes, values = read_header(path)
    sentence = f"{called or path.name} is not {FORMATS[kind].title}"
    if kind in ("ram", "dape"):
        _check_tagger(kind, shapes, base, sentence)
        return
    wanted = expected_shapes(kind, values, base)
    if base is not None:
        sentence += f" for {base_called or base.name}"
    compare(shapes, wanted, sentence)
    if base is not None and kind in ("osediff", "s3diff"):
        _check_lists(kind, values, base, sentence)


def _check_tagger(kind: Kind, shapes: Shapes, base: Path | None, sentence: str) -> None:
    from safelight.engine.networks.ram import lora_shapes

    if kind == "ram":
        found = _ram_shapes(shapes)
        compare(found, _official_ram_shapes(found, sentence), sentence)
        return
    if base is None:
        raise ValueError("a file of kind dape is judged by its RAM file")
    file = base if base.is_file() else next(base.glob("*.safetensors"), base)
    ram = _ram_shapes(read_header(file)[0])
    used = {name: shape for name, shape in shapes.items() if not name.startswith(TEXT_NETWORKS)}
    ranks = {shape[1] for name, shape in used.items() if name.endswith("lora_B") and len(shape) == 2}
    compare(used, lora_shapes(ram, min(ranks, default=1)), sentence)


def _ram_shapes(shapes: Shapes) -> Shapes:
    """Under the names that the official loader gives them."""
    return {
        name.removeprefix(MODEL).replace("vision_multi", "tagging_head"): shape
        for name, shape in shapes.items()
    }


def _official_ram_shapes(shapes: Shapes, sentence: str) -> Shapes:
    from safelight.engine.networks.ram import TaggerSizes, official_shapes

    try:
        return official_shapes(TaggerSizes.of(shapes))
    except (LookupError, ValueError, TypeError, ArithmeticError, RuntimeError):
        raise InvalidRequest(
            f"{sentence}: its tensors make no tagger; give the authors' own file", "CHECKPOINT_FOREIGN"
        ) from None


def read_header(path: Path) -> tuple[Shapes, dict[str, str]]:
    """Shapes and header strings of a safetensors file. Raises NotReady."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            names = list(file.keys())
            shapes = {name: tuple(file.get_slice(name).get_shape()) for name in names}
            return shapes, dict(file.metadata() or {})
    except (SafetensorError, OSError):
        raise NotReady(
            f"the checkpoint file {path.name} is damaged or cut short: install it again", "CHECKPOINT_DAMAGED"
        ) from None


def expected_shapes(kind: Kind, values: Mapping[str, str], base: Path | None) -> Shapes:
    """Every tensor of a converted file of `kind`; `values` are its header strings (for the ranks)."""
    if kind == "de_net":
        return estimator_shapes()
    if base is None:
        raise ValueError(f"a file of kind {kind} is judged by its base")
    if kind == "faithdiff":
        return faithdiff_shapes(_config(base, "unet"))
    unet, vae = base_layers(base)
    ranks = rank(values, "rank_unet"), rank(values, "rank_vae")
    if kind == "osediff":
        return osediff_shapes(unet, vae, *ranks)
    return s3diff_shapes(unet, vae, *ranks)


def rank(values: Mapping[str, str], name: str) -> int:
    """A rank from the header. Raises InvalidRequest (CHECKPOINT_FOREIGN)."""
    text = values.get(name, "")
    found = int(text) if text.isdecimal() and len(text) <= len(str(RANK_MOST)) else 0
    if not 1 <= found <= RANK_MOST:
        raise InvalidRequest(
            f"the checkpoint's {name} is {text[:20] or 'not given'}, not 1 to {RANK_MOST}: give the authors' file",
            "CHECKPOINT_FOREIGN",
        )
    return found


def compare(shapes: Shapes, wanted: Shapes, sentence: str) -> None:
    """Raises InvalidRequest (CHECKPOINT_FOREIGN): `sentence` and the first differences."""
    missing = sorted(set(wanted) - set(shapes))
    unknown = sorted(set(shapes) - set(wanted))
    other = sorted(name for name in set(wanted) & set(shapes) if wanted[name] != shapes[name])
    if not (missing or unknown or other):
        return
    if missing:
        because = f"it lacks {len(missing)} tensors such as {missing[0]}"
    elif unknown:
        because = f"it has {len(unknown)} unknown tensors such as {unknown[0]}"
    else:
        because = f"its {other[0]} is {_by(shapes[other[0]])}, not {_by(wanted[other[0]])}"
    raise InvalidRequest(
        f"{sentence}: {because}; give the authors' own file and its own base",
        "CHECKPOINT_FOREIGN",
        details={
            "missing": ", ".join(missing[:SHOWN]),
            "unknown": ", ".join(unknown[:SHOWN]),
            "other_shape": ", ".join(other[:SHOWN]),
        },
    )


def _by(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape)) or "one number"


def base_layers(base: Path) -> tuple[LayerShapes, LayerShapes]:
    """Linear and convolution layers of a base's UNet and VAE."""
    from diffusers import AutoencoderKL, UNet2DConditionModel

    return (
        _layers(UNet2DConditionModel, _config(base, "unet")),
        _layers(AutoencoderKL, _config(base, "vae")),
    )


def _layers(network: Any, config: Mapping[str, Any]) -> LayerShapes:
    import torch
    from torch import nn

    with torch.device("meta"):
        built: nn.Module = network.from_config(dict(config))
    return {
        name: tuple(module.weight.shape)
        for name, module in built.named_modules()
        if isinstance(module, nn.Linear | nn.Conv2d)
    }


def _config(base: Path, part: str) -> dict[str, Any]:
    path = base / part / "config.json"
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        found["block_out_channels"]
    except (OSError, ValueError, TypeError, KeyError):
        raise NotReady(
            f"the base {base.name} has no readable {part}/config.json: install it again", "CHECKPOINT_DAMAGED"
        ) from None
    return dict(found)


def _adapters(
    prefix: str, layers: LayerShapes, chosen: Callable[[str], str], lora_rank: int
) -> Iterator[tuple[str, tuple[int, ...]]]:
    """A and B of every layer for which `chosen` names an adapter."""
    for name, (out, into, *kernel) in layers.items():
        if adapter := chosen(name):
            yield f"{prefix}{name}.lora_A.{adapter}.weight", (lora_rank, into, *kernel)
            yield f"{prefix}{name}.lora_B.{adapter}.weight", (out, lora_rank, *(1 for _ in kernel))


def osediff_unet_adapter(name: str) -> str:
    """Adapter of a UNet layer of OSEDiff; empty: none."""
    if "norm" in name or not any(pattern in name for pattern in OSEDIFF_UNET):
        return ""
    if "down_blocks" in name or "conv_in" in name:
        return "default_encoder"
    return "default_decoder" if "up_blocks" in name or "conv_out" in name else "default_others"


def osediff_vae_adapter(name: str) -> str:
    """Adapter of a VAE layer of OSEDiff; empty: none. The encoder and its quant_conv."""
    if "norm" in name:
        return ""
    inside = name.startswith("encoder.") and any(pattern in name for pattern in OSEDIFF_VAE)
    return "default_encoder" if inside or name == "quant_conv" else ""


def osediff_shapes(unet: LayerShapes, vae: LayerShapes, rank_unet: int, rank_vae: int) -> Shapes:
    """Adapters of both networks, and the trained first convolution whole."""
    out, *rest = unet["conv_in"]
    return {
        "state_dict_unet/conv_in.base_layer.weight": (out, *rest),
        "state_dict_unet/conv_in.base_layer.bias": (out,),
        **dict(_adapters("state_dict_unet/", unet, osediff_unet_adapter, rank_unet)),
        **dict(_adapters("state_dict_vae/", vae, osediff_vae_adapter, rank_vae)),
    }


S3DIFF_UNET = (
    "to_k", "to_q", "to_v", "to_out.0", "conv", "conv1", "conv2", "conv_shortcut", "conv_out", "proj_in",
    "proj_out", "ff.net.2", "ff.net.0.proj",
)  # fmt: skip
S3DIFF_VAE = r"^encoder\..*(conv1|conv2|conv_in|conv_shortcut|conv|conv_out|to_k|to_q|to_v|to_out\.0)$"


def s3diff_unet_adapter(name: str) -> str:
    """Adapter of a UNet layer of S3Diff; empty: none. A layer counts when its name is or ends in a listed one."""
    return "default" if any(name == t or name.endswith("." + t) for t in S3DIFF_UNET) else ""


def s3diff_vae_adapter(name: str) -> str:
    """Adapter of a VAE layer of S3Diff; empty: none."""
    return "vae_skip" if re.fullmatch(S3DIFF_VAE, name) else ""


def s3diff_shapes(unet: LayerShapes, vae: LayerShapes, rank_unet: int, rank_vae: int) -> Shapes:
    """Adapters of both networks, the trained first convolution, and what turns two scores into r x r matrices."""
    out, *rest = unet["conv_in"]
    shapes: Shapes = {
        "w": (EMBEDDING,),
        "state_dict_unet/conv_in.weight": (out, *rest),
        "state_dict_unet/conv_in.bias": (out,),
        "state_embeddings/state_dict_unet_block/weight": (UNET_PLACES, EMBEDDING),
        "state_embeddings/state_dict_vae_block/weight": (VAE_PLACES, EMBEDDING),
        **dict(_adapters("state_dict_unet/", unet, s3diff_unet_adapter, rank_unet)),
        **dict(_adapters("state_dict_vae/", vae, s3diff_vae_adapter, rank_vae)),
    }
    for network, lora_rank in (("unet", rank_unet), ("vae", rank_vae)):
        name = f"state_dict_{network}"
        shapes |= _linear(f"{name}_de_mlp/0", HIDDEN, 2 * SCORES * EMBEDDING)
        shapes |= _linear(f"{name}_block_mlp/0", BLOCK_HIDDEN, EMBEDDING)
        shapes |= _linear(f"{name}_fuse_mlp/", lora_rank**2, HIDDEN + BLOCK_HIDDEN)
    return shapes


def _linear(name: str, out: int, into: int) -> Shapes:
    dot = "" if name.endswith("/") else "."
    return {f"{name}{dot}weight": (out, into), f"{name}{dot}bias": (out,)}


def estimator_shapes() -> Shapes:
    """DEResNet: per score a first convolution, a body of residual blocks, and a head of two linear layers."""
    shapes: Shapes = {}
    for score in range(SCORES):
        shapes |= _convolution(f"conv_first.{score}", ESTIMATOR_WIDTHS[0], 3)
        for index, part in enumerate(_body()):
            shapes |= {f"body.{score}.{index}.{key}": shape for key, shape in part.items()}
        shapes |= _linear(f"fc_degree.{score}.0", ESTIMATOR_HEAD, ESTIMATOR_WIDTHS[-1])
        shapes |= _linear(f"fc_degree.{score}.2", 1, ESTIMATOR_HEAD)
    return shapes


def _body() -> Iterator[Shapes]:
    """Residual blocks of each level; behind a level that shrinks, or before a wider one, one convolution."""
    following = (*ESTIMATOR_WIDTHS[1:], ESTIMATOR_WIDTHS[-1])
    for width, after, blocks, downscale in zip(
        ESTIMATOR_WIDTHS, following, ESTIMATOR_BLOCKS, ESTIMATOR_DOWNSCALES, strict=True
    ):
        for _ in range(blocks):
            yield {**_convolution("conv1", width, width), **_convolution("conv2", width, width)}
        if downscale != 1 or after != width:
            yield {"weight": (after, width, 3, 3), "bias": (after,)}


def _convolution(name: str, out: int, into: int) -> Shapes:
    return {f"{name}.weight": (out, into, 3, 3), f"{name}.bias": (out,)}


def _check_lists(kind: Kind, values: Mapping[str, str], base: Path, sentence: str) -> None:
    """The module lists in the file say the same as its tensors; the authors' VAE list names modules twice."""
    for name, wanted in _expected_lists(kind, *base_layers(base)).items():
        try:
            found = json.loads(values.get(name, ""))
        except ValueError:
            found = None
        same = set(found) == set(wanted) if isinstance(found, list) and isinstance(wanted, list) else None
        if not (found == wanted if same is None else same):
            raise InvalidRequest(
                f"{sentence}: its {name} names other layers; give the authors' own file and its own base",
                "CHECKPOINT_FOREIGN",
                details={"unknown": name},
            )


def _expected_lists(kind: Kind, unet: LayerShapes, vae: LayerShapes) -> dict[str, list[str] | str]:
    if kind == "s3diff":
        return {"unet_lora_target_modules": list(S3DIFF_UNET), "vae_lora_target_modules": S3DIFF_VAE}
    by_adapter = {
        f"unet_lora_{part}_modules": [n for n in unet if osediff_unet_adapter(n) == f"default_{part}"]
        for part in ("encoder", "decoder", "others")
    }
    return {**by_adapter, "vae_lora_encoder_modules": [n for n in vae if osediff_vae_adapter(n)]}
