"""FaithDiff's reference folders: its files written by the fill rule, its cases, and references of single functions."""

import json
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from safelight.engine.checkpoints.convert import convert_official
from safelight.engine.checkpoints.layout import check_layout
from safelight.engine.parts import Parts
from safelight.engine.pipelines.caption_cut import cut
from safelight.engine.pipelines.faithdiff import FaithDiffPipeline
from safelight.engine.pipelines.faithdiff_spec import FAITHDIFF
from safelight.settings import RestoreSettings
from safelight.spec import PipelineSpec
from tests.fakes.fill_rule import write_official
from tests.parity import faithdiff_units
from tests.parity.cases import Case, any_value
from tests.parity.compare import Outcome, compare

CPU = torch.device("cpu")


DEFAULTS: dict[str, Any] = {
    "upscale": 4,
    "seed": 42,
    "scheduler": "euler",
    "negative_prompt": "",
    "num_inference_steps": 20,
    "guidance_scale": 5.0,
    "start_point": "lr",
    "overlap": 0.5,
    "target_size": (1024, 1024),
    "color_fix": "adain",
    "hdr": 0.0,
}
"""The authors', for what a case leaves out."""


def for_cases(spec: PipelineSpec) -> PipelineSpec:
    """The spec as the tiny networks need it: tiles of any size."""
    settings = tuple(replace(s, minimum=8) if s.name == "tile_size" else s for s in spec.settings)
    return replace(spec, settings=settings)


def seed_of(folder: Path) -> int:
    """Of the weights that the folder's references were made with: its cases say so, or its checksums."""
    told = {json.loads(path.read_text("utf-8"))["weights_seed"] for path in folder.glob("cases/*/case.json")}
    told = told or {json.loads(path.read_text("utf-8"))["seed"] for path in checksums(folder)}
    (seed,) = told
    return int(seed)


def checksums(folder: Path) -> list[Path]:
    return sorted((folder / "weights").glob("checksums_seed*.json"))


def load(folder: Path, seed: int, made: Path, spec: PipelineSpec = FAITHDIFF) -> FaithDiffPipeline:
    """From FaithDiff.bin and folders that the fill rule gives, written below `made` and converted there."""
    official, weights = made / "official", made / "faithdiff.safetensors"
    write_official(folder / "weights", official, seed)
    convert_official(official / "FaithDiff.bin", weights, "faithdiff")
    check_layout(weights, "faithdiff", official / "sdxl")
    return FaithDiffPipeline(
        official / "sdxl",
        official / "vae_fp16",
        weights,
        CPU,
        Parts(),
        first="fp32",
        checkpoint_hashes={},
        spec=for_cases(spec),
    )


def restore_settings(case: Case, spec: PipelineSpec) -> RestoreSettings:
    """The case as a person would set it in Safelight."""
    given = {**DEFAULTS, **case.settings}
    given.setdefault("prompt", cut(given["caption_raw"]) if given.get("caption_raw") else "")
    height, width = given["target_size"]
    own: dict[str, Any] = {
        "authors_exact": True,
        "prompt_source": "text",
        "prompt": given["prompt"],
        "negative_prompt": given["negative_prompt"],
        "steps": given["num_inference_steps"],
        "guidance_scale": given["guidance_scale"],
        "start": {"lr": "picture", "noise": "noise"}[given["start_point"]],
        "tile_size": width,
        "tile_height": height,
        "overlap": 1 - given["overlap"],
        "scheduler": given["scheduler"],
        "hdr": float(given["hdr"]),
        "colour_fix": {"nofix": "none"}.get(given["color_fix"], given["color_fix"]),
        "tiled_encoders": "off",
    }
    if tiling := given.get("vae_tiling"):
        own |= {
            "tiled_encoders": "on",
            "encode_tile": tiling["lq_tile"],
            "encode_overlap": round(tiling["lq_tile"] * tiling["lq_overlap"]),
            "decode_overlap": round(tiling["vae_tile_in_effect"] // 8 * tiling["vae_overlap"]),
        }
    settings = RestoreSettings(
        spec.id, output_scale=given["upscale"], seed=given["seed"], colour=1.0, precision="fp32", own=own
    )
    return settings.checked(any_value(spec))


def computed(pipeline: FaithDiffPipeline, case: Case) -> dict[str, torch.Tensor]:
    """The final picture, every tensor that the pipeline tells on its way, and what its first step saw inside."""
    taps: dict[str, torch.Tensor] = {}
    settings = restore_settings(case, pipeline.spec)

    def tap(name: str, tensor: torch.Tensor) -> None:
        taps[name] = tensor.detach().cpu().clone()

    with torch.inference_mode(), _watched(pipeline, taps):
        running = pipeline.authors(case.picture, settings=settings, precision="fp32", tap=tap)
        while True:
            try:
                next(running)
            except StopIteration as end:
                taps["final_u8"] = torch.from_numpy(end.value.copy())
                break
    aligned = taps.pop("aligned_all")
    chosen = case.expected.get("aligned_step0_tiles")
    if chosen is not None:
        taps |= {"aligned_step0_tiles": chosen, "aligned_step0": aligned[chosen.long()]}
    return taps


def _watched(pipeline: FaithDiffPipeline, taps: dict[str, torch.Tensor]) -> ExitStack:
    """Until it is closed, what the input of the UNet gives in calls of the first step is told."""
    entry = pipeline._unets.at("fp32", "auto").conv_in
    hooks = ExitStack()

    def first(name: str) -> Any:
        def hook(
            module: Any, args: Any, out: torch.Tensor
        ) -> None:  # a hook that returns something changes it
            taps.setdefault(name, out[:1].clone())

        return hook

    def every(module: Any, args: Any, out: torch.Tensor) -> None:
        if "noise_pred_step0" not in taps:
            seen = taps.get("aligned_all")
            taps["aligned_all"] = out[:1].clone() if seen is None else torch.cat([seen, out[:1]])

    for module, hook in (
        (entry.convolution, first("conv_in_step0_tile0")),
        (entry.alignment, first("alignment_residual_step0_tile0")),
        (entry.alignment.condition_embedding, first("cond_embedding_step0_tile0")),
        (entry, every),
    ):
        hooks.callback(module.register_forward_hook(hook).remove)
    return hooks


def outcomes(pipeline: FaithDiffPipeline, case: Case) -> Iterator[Outcome]:
    """Of every tensor that the case expects, and of every one that it should."""
    expected, found = case.expected, computed(pipeline, case)
    for name, tensor in expected.items():
        yield compare(name, tensor, found.get(name), case.tolerances)
    for name in case.facts.get("tensors", {}).keys() - expected.keys():
        yield Outcome(name, False, note="absent from expected.safetensors")


def tried(pipeline: FaithDiffPipeline, case: Case) -> list[Outcome]:
    """A case that cannot be run, or of other weights, differs, and the next one is run."""
    try:
        return list(outcomes(pipeline, case))
    except Exception as error:
        return [Outcome("case", False, note=f"cannot be run: {type(error).__name__}: {error}")]


def run(folder: Path, cases: list[Case]) -> Iterator[tuple[str, list[Outcome]]]:
    """The weights and the single functions first, then the cases."""
    with tempfile.TemporaryDirectory() as made:
        pipeline = load(folder, seed_of(folder), Path(made))
        for path in checksums(folder):
            yield "weights", list(faithdiff_units.weights(path, Path(made) / "official"))
        if (folder / "units").is_dir():
            yield "units", list(faithdiff_units.outcomes(folder / "units", pipeline))
        for case in cases:
            yield case.name, tried(pipeline, case)
