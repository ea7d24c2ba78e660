"""Reference folders of the tagger: RAM with DAPE, small and at its real size.

A folder holds `images/NAME.png` and NAME.pre.safetensors (what the tagger sees), and sets of references, each a folder
with a manifest.json that lists the tensors of both official files: one with `cases.json` and the tensors of its cases,
or one with `expected.safetensors` and a check.json that names the image and the seed. Where a set brings no weights
they come from the rule (`tests.fakes.tagger_rule`). All are written as the authors' two files, converted, and read from
there.
"""

import hashlib
import json
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from safetensors import safe_open
from safetensors.torch import load_file

from safelight.engine.checkpoints.convert import convert_official
from safelight.engine.checkpoints.layout import check_layout
from safelight.engine.parts import Parts
from safelight.engine.pipelines.base import Picture, PictureSource
from safelight.engine.pipelines.osediff import network_picture, prompt_of
from safelight.engine.pipelines.tagger import (
    LIST,
    MEAN,
    STD,
    THRESHOLD_MOST,
    THRESHOLDS,
    Tagger,
    joined,
    network_input,
)
from tests.fakes import tagger_rule
from tests.parity.compare import Outcome, compare

CPU = torch.device("cpu")
PROCESS_SIZE, SCALE = 512, 4  # the authors' defaults
TOLERANCES = {
    "pre": 1e-6,
    **dict.fromkeys(("visual_tokens", "image_embeds", "label_queries", "head_out", "logits"), 1e-4),
}
EVERY = "_every"


def sets_in(folder: Path) -> list[Path]:
    """Folders with references of the tagger; empty where this is another kind of reference folder."""
    return [
        path.parent for path in sorted(folder.glob("*/manifest.json")) if _listed(path) >= {"ram", "dape"}
    ]


def _listed(manifest: Path) -> set[str]:
    try:
        found = json.loads(manifest.read_text("utf-8"))
    except ValueError:
        return set()
    return set(found) if isinstance(found, dict) else set()


def run(folder: Path) -> Iterator[tuple[str, list[Outcome]]]:
    """What the tagger sees of each image, then every case of every set."""
    for image in sorted((folder / "images").glob("*.png")):
        yield f"images/{image.stem}", list(seen(image))
    for found in sets_in(folder):
        with tempfile.TemporaryDirectory() as made:
            yield from _of_set(found, folder / "images", Path(made))


def upscaled(image: Path) -> Picture:
    return network_picture(np.asarray(Image.open(image).convert("RGB")), PROCESS_SIZE, SCALE)


def seen(image: Path) -> Iterator[Outcome]:
    """The enlarged picture by its hash, and the network's input."""
    with safe_open(image.with_suffix(".pre.safetensors"), framework="pt") as file:
        told = file.metadata()
    picture = upscaled(image)
    same = hashlib.sha256(picture.tobytes()).hexdigest() == told["upscaled_sha256"]
    yield Outcome("upscaled_sha256", same, note="identical")
    inputs = {"pre": _input(picture, antialias=False), "pre_antialias": _input(picture, antialias=True)}
    for name, tensor in load_file(image.with_suffix(".pre.safetensors")).items():
        whole = inputs[name.partition(EVERY)[0]]
        yield compare("pre", tensor, _thinned(name, whole, axes=(2, 3)), TOLERANCES)


def _input(picture: Picture, *, antialias: bool) -> torch.Tensor:
    """Ours; with antialias, which we never use, torch's own."""
    if not antialias:
        return network_input(PictureSource(picture))
    x = torch.from_numpy(picture.copy()).permute(2, 0, 1)[None].float() / 255
    x = F.interpolate(x, (384, 384), mode="bilinear", antialias=True)
    return (x - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(STD).view(3, 1, 1)


def _thinned(name: str, tensor: torch.Tensor, axes: tuple[int, ...]) -> torch.Tensor:
    """As the reference `name` holds it: NAME_everyN holds every Nth along some axes."""
    _, mark, step = name.partition(EVERY)
    for axis in axes if mark else ():
        tensor = tensor[(slice(None),) * axis + (slice(None, None, int(step)),)]
    return tensor


def _of_set(folder: Path, images: Path, made: Path) -> Iterator[tuple[str, list[Outcome]]]:
    """The taggers of a set, with DAPE and without, and what they make of its cases."""
    if (folder / "cases.json").is_file():
        official = _official(folder, _json(folder / "manifest.json").get("seed", 0))
        cases = _json(folder / "cases.json")
    else:
        check = _json(folder / "check.json")
        official = _official(folder, check["seed"])
        yield f"{folder.name}/weights", list(_checked(check, official))
        cases = [{"name": "expected", "image": check["image"]}]
    write_lists(folder, made, labels=len(official[0]["label_embed"]))
    tagger_rule.write_official(made / "official", *official)
    del official
    taggers = cache(lambda lora: load(made, lora=lora))
    for case in cases:
        yield f"{folder.name}/{case['name']}", tried(folder, images, taggers(case.get("lora", True)), case)


def _official(folder: Path, seed: int) -> tuple[tagger_rule.Tensors, tagger_rule.Tensors]:
    """The set's own weights, or those of the rule."""
    ram, lora = (sorted(folder.glob(f"{name}*.safetensors")) for name in ("ram", "dape"))
    if ram and lora:
        return load_file(ram[0]), load_file(lora[0])
    manifest = folder / "manifest.json"
    return tagger_rule.tensors(manifest, "ram", seed), tagger_rule.tensors(manifest, "dape", seed)


def _checked(check: dict[str, Any], official: tuple[tagger_rule.Tensors, ...]) -> Iterator[Outcome]:
    known = official[0] | official[1]
    for name, told in check["first_three_and_sum"].items():
        found = [*known[name].flatten()[:3].tolist(), float(known[name].double().sum())]
        worst = max(abs(a - b) for a, b in zip(found[:-1], told[:-1], strict=True))
        passed = worst < 1e-5 and abs(found[-1] - told[-1]) < 0.01 + 1e-5 * abs(told[-1])
        yield Outcome(name[-16:], passed, worst, note="first three values and sum")


def write_lists(folder: Path, made: Path, *, labels: int) -> None:
    """The set's own labels, or numbers with thresholds of a half."""
    names, thresholds = folder / "tags.txt", folder / "thresholds.txt"
    numbers = "\n".join(map(str, range(labels)))
    (made / LIST).write_text(names.read_text("utf-8") if names.is_file() else numbers, "utf-8")
    (made / THRESHOLDS).write_text(
        thresholds.read_text("utf-8") if thresholds.is_file() else "0.5\n" * labels, "utf-8"
    )


def load(made: Path, *, lora: bool) -> Tagger:
    """From the official files in `made`, converted there."""
    ram, dape = made / "ram.safetensors", made / "dape.safetensors"
    if not ram.is_file():
        convert_official(made / "official" / "ram_swin_large_14m.pth", ram, "ram")
        check_layout(ram, "ram", None)
        convert_official(made / "official" / "DAPE.pth", dape, "dape")
        check_layout(dape, "dape", ram)
    return Tagger(ram, dape if lora else None, made, CPU, Parts())


def tried(folder: Path, images: Path, tagger: Tagger, case: dict[str, Any]) -> list[Outcome]:
    """A case that cannot be run differs, and the next one is run."""
    try:
        return list(outcomes(folder, images, tagger, case))
    except Exception as error:
        return [Outcome("case", False, note=f"cannot be run: {type(error).__name__}: {error}")]


def outcomes(folder: Path, images: Path, tagger: Tagger, case: dict[str, Any]) -> Iterator[Outcome]:
    """Of every tensor that the case expects, its tags and its prompt."""
    x = _input(upscaled(images / f"{case['image']}.png"), antialias=case.get("antialias", False))
    found = {**inside(tagger, x), "logits": tagger.logits(x)[None]}
    expected = folder / "cases" / case["result"] if "result" in case else folder / "expected.safetensors"
    for name, tensor in load_file(expected).items():
        bare = name.partition(EVERY)[0]
        axes = (tensor.ndim - 2,) if tensor.ndim > 1 else ()
        yield compare(bare, tensor, _thinned(name, found[bare], axes), TOLERANCES)
    if "indices" not in case:
        return
    labels = _as_asked(tagger, case)
    indices = labels.chosen(found["logits"][0])
    indices = [i for i in indices if i not in case["options"].get("delete_tag_index", [])]
    tags = joined([labels.names[i] for i in indices])
    prompt = prompt_of(tags, case["user_prompt"])
    for name, value in {"indices": indices, "tags": tags, "prompt": prompt}.items():
        yield Outcome(name, value == case[name], note="identical")


def inside(tagger: Tagger, x: torch.Tensor) -> dict[str, torch.Tensor]:
    with tagger.part.held() as network, torch.inference_mode():
        tokens = network.tokens(x)
        embeds, queries = network.embeds(tokens), network.queries()
        return {
            "visual_tokens": tokens,
            "image_embeds": embeds,
            "label_queries": queries,
            "head_out": network.head(queries[None], embeds),
        }


def _as_asked(tagger: Tagger, case: dict[str, Any]) -> Any:
    """The labels with the thresholds that the official constructor would make for the case."""
    thresholds = tagger.list.thresholds
    if case["uniform_threshold"] is not None:
        thresholds = torch.full_like(thresholds, case["uniform_threshold"])
    more = case["options"].get("add_threthold", 0.0)
    raised = (thresholds.double() + more).clamp(max=THRESHOLD_MOST).float()
    return replace(tagger.list, thresholds=torch.where(thresholds > THRESHOLD_MOST, thresholds, raised))


def _json(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))
