"""Peak memory of one tile in each stage of OSEDiff and S3Diff at their real size, on the CPU.

python -m tests.bench.stage_memory FOLDER [PIPELINE PRECISION STAGE...]     FOLDER as for `full_size_job`

Each pipeline and precision has a process of its own. The peak is the kernel's (VmHWM, forgotten before each stage),
less what was resident before: activations, workspaces, input and output.
"""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import torch

from safelight.engine.device import CpuDevice
from safelight.engine.parts import Parts
from safelight.engine.pipelines.base import Conditioning, Origins, Pipeline, Precision
from safelight.engine.pipelines.registry import default_registry
from safelight.settings import RestoreSettings
from tests.bench.full_size_job import PIPELINES, import_all

STAGES = ("encode", "predict", "decode")
SIDES_PX = (512, 768)
ORIGINS: Origins = ((0, 0),)


def measure(name: str, precision: Precision, stages: Sequence[str]) -> None:
    """Prints a row per stage and side."""
    torch.manual_seed(0)
    pipeline = default_registry().load(name, torch.device("cpu"), Parts())
    settings = RestoreSettings(name).checked(pipeline.spec)
    own = (
        {**settings.own, "degradation_blur": 0.5, "degradation_noise": 0.5}
        if name == "s3diff"
        else settings.own
    )
    settings = RestoreSettings(name, own=own).checked(pipeline.spec)
    with torch.inference_mode():
        conditioning = pipeline.condition(torch.zeros(1, 3, 64, 64), settings=settings, magnification=1)
        for stage in stages:
            _run(pipeline, stage, 64, conditioning, precision)  # loads the precision's networks
        pipeline.rest(precision)
        for stage in stages:
            for side in SIDES_PX:
                peak, seconds = _peak(pipeline, stage, side, conditioning, precision)
                print(
                    f"| {name} | {precision} | {stage} | {side} | {peak / 1e6:.0f} | {peak / side**2:.0f} | "
                    f"{seconds:.1f} |",
                    flush=True,
                )


def _peak(
    pipeline: Pipeline, stage: str, side: int, conditioning: Conditioning, precision: Precision
) -> tuple[int, float]:
    gc.collect()
    CpuDevice().release_cache()
    Path("/proc/self/clear_refs").write_text("5")
    before, started = _status("VmRSS"), time.perf_counter()
    _run(pipeline, stage, side, conditioning, precision)
    return _status("VmHWM") - before, time.perf_counter() - started


def _run(pipeline: Pipeline, stage: str, side: int, conditioning: Conditioning, precision: Precision) -> None:
    cells = side // pipeline.spec.latent_px
    latent = torch.randn(1, 4, cells, cells)
    if stage == "encode":
        x = torch.rand(1, 3, side, side)
        pipeline.encode(x, origins=ORIGINS, conditioning=conditioning, precision=precision)
    elif stage == "predict":
        pipeline.predict(latent, step=0, origins=ORIGINS, conditioning=conditioning, precision=precision)
    else:
        pipeline.decode(latent, conditioning=conditioning, precision=precision)


def _status(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))


def main() -> None:
    import_all(Path(sys.argv[1]).absolute())
    if len(sys.argv) > 2:
        measure(sys.argv[2], sys.argv[3], sys.argv[4:] or STAGES)  # type: ignore[arg-type]
        return
    print(
        "| pipeline | precision | stage | tile, px | peak, MB | bytes per pixel | s |\n|---|---|---|---|---|---|---|"
    )
    for name in PIPELINES:
        for precision in ("bf16", "fp32"):
            command = [sys.executable, "-m", "tests.bench.stage_memory", sys.argv[1], name, precision]
            subprocess.run(command, check=True, env=dict(os.environ))


if __name__ == "__main__":
    main()
