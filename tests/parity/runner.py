"""Runs the cases of a golden folder through the pipelines' own classes."""

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from safelight.engine.checkpoints.convert import convert_official
from safelight.engine.checkpoints.layout import check_layout
from safelight.engine.parts import Parts
from safelight.engine.pipelines.osediff import OSEDiffPipeline
from safelight.engine.pipelines.s3diff import S3DiffPipeline
from safelight.engine.pipelines.stable_diffusion import OneStepPipeline
from tests.parity import dape, faithdiff
from tests.parity.cases import Case, official_files, restore_settings
from tests.parity.compare import Outcome, compare

CPU = torch.device("cpu")


def load(folder: Path, method: str, converted: Path, **changes: Any) -> OneStepPipeline:
    """From the authors' files in `folder`, converted into the folder `converted`."""
    weights, official = converted / f"{method}.safetensors", official_files(folder)
    convert_official(official[method], weights, method)
    check_layout(weights, method, folder / "base")
    if method == "osediff":
        return OSEDiffPipeline(
            folder / "base", weights, CPU, Parts(), first="fp32", checkpoint_hashes={}, **changes
        )
    estimator = converted / "de_net.safetensors"
    convert_official(official.get("de_net", folder / "de_net.pth"), estimator, "de_net")
    check_layout(estimator, "de_net", None)
    return S3DiffPipeline(
        folder / "base", weights, estimator, CPU, Parts(), first="fp32", checkpoint_hashes={}, **changes
    )


def computed(pipeline: OneStepPipeline, case: Case) -> dict[str, torch.Tensor]:
    """The final picture and every tensor that the pipeline tells on its way."""
    taps: dict[str, torch.Tensor] = {}
    settings = restore_settings(case, pipeline.spec)

    def tap(name: str, tensor: torch.Tensor) -> None:
        taps[name] = tensor.detach().cpu().clone()

    with torch.inference_mode():
        running = pipeline.authors(case.picture, settings=settings, precision="fp32", tap=tap)
        while True:
            try:
                next(running)
            except StopIteration as end:
                taps["final"] = torch.from_numpy(end.value.copy())
                return taps


def outcomes(pipeline: OneStepPipeline, case: Case) -> Iterator[Outcome]:
    """Of every tensor that the case expects, and of every one that it should."""
    found, expected = computed(pipeline, case), case.expected
    for name, tensor in expected.items():
        yield compare(name, tensor, found.get(name), case.tolerances)
    may_lack = {"lq"} | ({"pre_align"} if case.settings.get("align_method") == "nofix" else set())
    for name in found.keys() - expected.keys() - may_lack:
        yield Outcome(name, False, note="absent from expected.safetensors")


def run(folder: Path, method: str, cases: list[Case]) -> Iterator[tuple[str, list[Outcome]]]:
    """Outcomes by the name of a case, or of what else the folder has references for."""
    if method == "dape":
        yield from dape.run(folder)
        return
    if method == "faithdiff":
        yield from faithdiff.run(folder, cases)
        return
    with tempfile.TemporaryDirectory() as converted:
        pipeline = load(folder, method, Path(converted))
        for case in cases:
            yield case.name, tried(pipeline, case)


def tried(pipeline: OneStepPipeline, case: Case) -> list[Outcome]:
    """A case that cannot be run differs, and the next one is run."""
    try:
        return list(outcomes(pipeline, case))
    except Exception as error:
        return [Outcome("case", False, note=f"cannot be run: {type(error).__name__}: {error}")]
