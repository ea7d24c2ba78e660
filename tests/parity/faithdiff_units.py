"""References of FaithDiff's single functions: `units/` of a reference folder."""

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file

from safelight.engine.hdr import fused
from safelight.engine.pipelines.authors import aligned, gaussian_weights
from safelight.engine.pipelines.caption_cut import cut
from safelight.engine.pipelines.faithdiff import FaithDiffPipeline
from safelight.engine.pipelines.faithdiff_authors import AuthorsTiling, padded
from safelight.engine.pipelines.noise_steps import NoiseSteps
from safelight.geometry import Size
from tests.fakes.fill_rule import FILES
from tests.parity.compare import Outcome, compare

ALIGNMENT, EXACT, BLEND = 3e-5, 0.0, 1e-5
SUMS = 1e-9
"""Largest differences: of two orders of the same float32 additions, of nothing, of a weighted mean of few tiles, and of
sums of weights."""


def outcomes(folder: Path, pipeline: FaithDiffPipeline) -> Iterator[Outcome]:
    """Of every reference in `folder`."""
    for unit, check in UNITS.items():
        if (path := folder / unit).is_file():
            content = (
                load_file(path) if path.suffix == ".safetensors" else json.loads(path.read_text("utf-8"))
            )
            for found in check(content, pipeline):
                yield Outcome(f"{path.stem}: {found.tensor}", *_rest(found))


def weights(checksums: Path, official: Path) -> Iterator[Outcome]:
    """What the fill rule gave, against the sums that the reference data have of it; a processor may round the last bit
    of a number another way, so they are not compared by hash."""
    sums = json.loads(checksums.read_text("utf-8"))["components"]
    for name, file in {**FILES, "faithdiff": "FaithDiff.bin"}.items():
        read = (
            load_file if file.endswith(".safetensors") else partial(torch.load, weights_only=True, mmap=True)
        )
        tensors = list(read(official / file).values())
        for kind, found in (
            ("sum", sum(float(t.double().sum()) for t in tensors)),
            ("abs_sum", sum(float(t.double().abs().sum()) for t in tensors)),
        ):
            wanted = sums[name][kind]
            good = abs(found - wanted) <= SUMS * sums[name]["abs_sum"]
            yield Outcome(f"{name}: {kind}", good, abs(found - wanted), note=f"at most {SUMS:g} of abs_sum")


def _rest(outcome: Outcome) -> tuple[Any, ...]:
    return outcome.passed, outcome.max_abs, outcome.relative, outcome.note


def _equal(name: str, expected: object, found: object) -> Outcome:
    same = expected == found
    return Outcome(name, same, note="identical" if same else f"{found!r:.60}, not {expected!r:.60}")


def _alignment(unit: dict[str, torch.Tensor], pipeline: FaithDiffPipeline) -> Iterator[Outcome]:
    alignment = pipeline._unets.at("fp32", "auto").conv_in.alignment
    h, e, same = unit["conv_in_out"], unit["cond_embedding"], unit["residual_batch2_identical"]
    with torch.inference_mode():
        found = {
            "cond_embedding": alignment.condition_embedding(unit["feat"]),
            "residual_each_alone": torch.cat([alignment(h[i : i + 1], e[i : i + 1]) for i in range(len(h))]),
            "residual_batch2_identical": alignment(h[:1], e[:1]).expand_as(same),
        }
    for name, tensor in found.items():
        yield compare(name, unit[name], tensor, {name: ALIGNMENT})


def _blending(unit: dict[str, torch.Tensor], pipeline: FaithDiffPipeline) -> Iterator[Outcome]:
    for name, weights in unit.items():
        if name.startswith("w_"):
            yield compare(name, weights, gaussian_weights(*weights.shape), {name: 1e-12})
    height, width = unit["blend_kernel"].tolist()
    x, tiles = unit["blend_x"], unit["blend_tiles"]
    boxes = AuthorsTiling(Size(8 * width, 8 * height), float(unit["blend_overlap"])).boxes(*x.shape[2:])
    weights = gaussian_weights(height, width).float()
    total, weight = torch.zeros_like(x), torch.zeros_like(x)
    for box, tile in zip(boxes, tiles, strict=True):
        total[..., *box.slices] += tile * weights
        weight[..., *box.slices] += weights
    yield compare("blend_out", unit["blend_out"], total / weight, {"blend_out": BLEND})


def _colour(unit: dict[str, torch.Tensor], pipeline: FaithDiffPipeline) -> Iterator[Outcome]:
    target, source = unit["target_u8"].numpy(), unit["source_u8"].numpy()
    for name, expected in unit.items():
        how, _, value = name.partition("_")
        if how == "hdr":
            found = fused(source, float(value))
        elif how in ("adain", "wavelet"):
            found = aligned(target, source, how)
        else:
            continue
        levels = {"max_levels": 0 if how == "hdr" else 1, "max_fraction_differing": 0.005}
        yield compare(name, expected, torch.from_numpy(np.ascontiguousarray(found)), {name: levels})


def _sizes(unit: list[Any], pipeline: FaithDiffPipeline) -> Iterator[Outcome]:
    for entry in unit:
        width, height = entry["size_wh"]
        found = padded(np.zeros((height, width, 3), np.uint8)).shape
        yield _equal(f"{width}x{height}", entry["padded_wh"], [found[1], found[0]])


def _grid(unit: list[Any], pipeline: FaithDiffPipeline) -> Iterator[Outcome]:
    for entry in unit:
        tiling = AuthorsTiling(Size(8 * entry["kw"], 8 * entry["kh"]), entry["overlap"])
        boxes = tiling.boxes(entry["h"], entry["w"])
        found = {
            "count": len(boxes),
            "tile_hw": [boxes[0].height, boxes[0].width],
            "rows": sorted({box.y for box in boxes}),
            "cols": sorted({box.x for box in boxes}),
            "order_first": [[box.y, box.x] for box in boxes[: len(entry["order_first"])]],
        }
        name = f"{entry['h']}x{entry['w']} by {entry['kh']}x{entry['kw']}, {entry['overlap']}"
        yield _equal(name, {key: entry[key] for key in found}, found)


def _scheduler(unit: dict[str, Any], pipeline: FaithDiffPipeline) -> Iterator[Outcome]:
    for steps, run in unit["runs"].items():
        made = NoiseSteps(unit["config"], scheduler="euler", steps=int(steps), channels=4)
        found = {
            "timesteps": made.timesteps,
            "sigmas": made.sigmas,
            "init_noise_sigma": torch.tensor(made.initial_sigma),
        }
        for name, tensor in found.items():
            yield compare(
                f"{name}, {steps} steps", torch.tensor(run[name]), tensor, {f"{name}, {steps} steps": 1e-5}
            )


def _caption(unit: list[Any], pipeline: FaithDiffPipeline) -> Iterator[Outcome]:
    for entry in unit:
        try:
            found: str | None = cut(entry["raw"])
        except ValueError:
            found = None
        yield _equal(entry["raw"][:24] or "(empty)", entry.get("cut"), found)


UNITS = {
    "alignment.safetensors": _alignment,
    "blending.safetensors": _blending,
    "colour.safetensors": _colour,
    "check_image_size.json": _sizes,
    "tile_grid.json": _grid,
    "scheduler.json": _scheduler,
    "caption_cut.json": _caption,
}
