"""Golden folders: what is in them, and which pipeline they are of."""

import json
import zipfile
import zlib
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file

from safelight.settings import RestoreSettings
from safelight.spec import PipelineSpec
from tests.parity import dape

CASE_FILES = ("case.json", "expected.safetensors", "input.png")
MARKS = {
    "osediff": b"unet_lora_encoder_modules",
    "s3diff": b"unet_lora_target_modules",
    "de_net": b"fc_degree.0.0.weight",
}
"""A name inside each of the authors' files that no other one holds."""
OFFICIAL_NAMES = {"osediff.pkl": "osediff", "s3diff.pkl": "s3diff", "de_net.pth": "de_net"}
AUTHORS_SCALE = 4
NOTHING = torch.empty(0, dtype=torch.uint8)


class NotGolden(Exception):
    """The folder holds no case that the runner knows."""


@dataclass(frozen=True)
class Case:
    folder: Path

    @cached_property
    def facts(self) -> dict[str, Any]:
        return json.loads((self.folder / "case.json").read_text("utf-8"))

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def settings(self) -> dict[str, Any]:
        return self.facts["settings"]

    @property
    def picture(self) -> np.ndarray:
        return np.asarray(Image.open(self.folder / "input.png").convert("RGB"))

    @cached_property
    def expected(self) -> dict[str, Any]:
        """Tensors by name; a network input left out is taken from the case that has the same."""
        tensors = load_file(self.folder / "expected.safetensors")
        same = self.facts.get("same_lq_as")
        if same and "lq_u8" not in tensors:
            other = self.folder.parent / same / "expected.safetensors"
            tensors["lq_u8"] = (
                load_file(other)["lq_u8"] if other.is_file() else NOTHING
            )  # agrees with no picture
        return tensors

    @property
    def tolerances(self) -> dict[str, Any]:
        if "tolerance" in self.facts:
            return self.facts["tolerance"]["per_tensor"]
        return self.facts["tolerance_suggestion_max_abs"]


def official_files(folder: Path) -> dict[str, Path]:
    """The authors' files in it by kind, whatever they are called; nothing in them is executed."""
    files = sorted(path for path in folder.glob("*.p*") if path.suffix in (".pkl", ".pth", ".pt"))
    kinds = {path: _kind_of(path) for path in files}
    return {kind: path for path, kind in reversed(kinds.items()) if kind}


def _kind_of(path: Path) -> str:
    """By the names that its pickle lists; a damaged file by its own name."""
    try:
        with zipfile.ZipFile(path) as archive:
            listed = b"".join(archive.read(n) for n in archive.namelist() if n.endswith("data.pkl"))
    except (OSError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError):
        return OFFICIAL_NAMES.get(path.name, "")
    return next((kind for kind, mark in MARKS.items() if mark in listed), "")


def method_of(folder: Path) -> str:
    """By what is in it: the authors' checkpoint says which pipeline it is."""
    if dape.sets_in(folder):
        return "dape"
    kinds = official_files(folder)
    for method in ("s3diff", "osediff"):
        if method in kinds:
            return method
    shapes = folder / "weights" / "shapes.json"
    if shapes.is_file() and "faithdiff" in json.loads(shapes.read_text("utf-8")):
        return "faithdiff"
    raise NotGolden(
        f"{folder} holds no checkpoint of OSEDiff or S3Diff, no shapes of faithdiff, and no tagger"
    )


def cases_in(folder: Path) -> list[Case]:
    """Also those that lack one of their files: they fail when they are run. None in folders of the tagger, which lists
    its cases otherwise."""
    if dape.sets_in(folder):
        return []
    found = [
        Case(path)
        for path in sorted(folder.glob("cases/*"))
        if any((path / name).is_file() for name in CASE_FILES)
    ]
    if not found:
        raise NotGolden(f"{folder} holds no cases/*/case.json")
    return found


def restore_settings(case: Case, spec: PipelineSpec) -> RestoreSettings:
    """The case as a person would set it in Safelight; what it leaves out is the authors' default."""
    given = case.settings
    names = {
        "latent_tiled_size": "predict_tile",
        "latent_tiled_overlap": "predict_overlap",
        "vae_encoder_tiled_size": "encode_tile",
        "vae_decoder_tiled_size": "decode_tile",
        "pos_prompt": "positive_prompt",
        "neg_prompt": "negative_prompt",
        "guidance_scale": "guidance_scale",
        "process_size": "process_size",
    }
    own = {ours: given[theirs] for theirs, ours in names.items() if theirs in given}
    own["authors_exact"] = True
    if "align_method" in given:
        own["colour_fix"] = {"nofix": "none"}.get(given["align_method"], given["align_method"])
    if spec.id == "osediff":
        own |= {"prompt_source": "text", "prompt": _prompt(case)}
    scale = given.get("sf" if spec.id == "s3diff" else "upscale", AUTHORS_SCALE)
    settings = RestoreSettings(spec.id, output_scale=scale, colour=1.0, precision="fp32", own=own)
    return settings.checked(any_value(spec))


def any_value(spec: PipelineSpec) -> PipelineSpec:
    """The authors' scripts have no ranges: cases may ask for more than people can."""
    settings = tuple(replace(s, minimum=None, maximum=None) for s in spec.settings)
    return replace(spec, settings=settings, output_scales=tuple(range(1, 9)))


def _prompt(case: Case) -> str:
    given = case.settings
    if "prompt_override" in given:
        return given["prompt_override"]
    return f"{given.get('caption', '')}, {given.get('user_prompt', '')},"
