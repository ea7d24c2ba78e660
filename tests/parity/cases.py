"""Golden folders: what is in them, and which pipeline they are of."""

import json
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from safetensors.torch import load_file

from safelight.settings import RestoreSettings
from safelight.spec import PipelineSpec

NOTHING = torch.empty(0, dtype=torch.uint8)


class NotGolden(Exception):
    """The folder holds no case that the runner knows."""


@dataclass(frozen=True)
class Case:
    folder: Path
    facts: dict[str, Any] = field(repr=False)

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


def method_of(folder: Path) -> str:
    """By the files in it: the authors' checkpoint says which pipeline it is."""
    for file, method in (("s3diff.pkl", "s3diff"), ("osediff.pkl", "osediff")):
        if (folder / file).is_file():
            return method
    shapes = folder / "weights" / "shapes.json"
    if shapes.is_file() and "faithdiff" in json.loads(shapes.read_text("utf-8")):
        return "faithdiff"
    raise NotGolden(f"{folder} holds neither osediff.pkl nor s3diff.pkl, and no shapes of faithdiff")


def cases_in(folder: Path) -> list[Case]:
    found = [
        Case(p.parent, json.loads(p.read_text("utf-8"))) for p in sorted(folder.glob("cases/*/case.json"))
    ]
    if not found:
        raise NotGolden(f"{folder} holds no cases/*/case.json")
    return found


def restore_settings(case: Case, spec: PipelineSpec) -> RestoreSettings:
    """The case as a person would set it in Safelight."""
    given = case.settings
    own = {
        "authors_exact": True,
        "colour_fix": {"nofix": "none"}.get(given["align_method"], given["align_method"]),
        "predict_tile": given["latent_tiled_size"],
        "predict_overlap": given["latent_tiled_overlap"],
        "encode_tile": given["vae_encoder_tiled_size"],
        "decode_tile": given["vae_decoder_tiled_size"],
    }
    if spec.id == "s3diff":
        own |= {
            "positive_prompt": given["pos_prompt"],
            "negative_prompt": given["neg_prompt"],
            "guidance_scale": given["guidance_scale"],
        }
    else:
        own |= {
            "process_size": given["process_size"],
            "prompt_source": "text",
            "prompt": _prompt(case),
        }
    scale = given["sf"] if spec.id == "s3diff" else given["upscale"]
    settings = RestoreSettings(spec.id, output_scale=scale, colour=1.0, precision="fp32", own=own)
    return settings.checked(spec)


def _prompt(case: Case) -> str:
    given = case.settings
    if "prompt_override" in given:
        return given["prompt_override"]
    return f"{given['caption']}, {given['user_prompt']},"
