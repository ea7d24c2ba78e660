"""Seconds per output megapixel of the pipeline `compact` beside plain Lanczos and a larger network.

All methods take turns in every run, on the same picture. "tiles" is the decode stage: network, sentinel and
blending of all tiles; "job" is everything from document samples to result samples, no files, no daemon.
"""

from __future__ import annotations

import resource
import statistics
import time
from collections.abc import Callable
from functools import partial

import numpy as np
import torch
from PIL import Image

from safelight.engine.finish import result_bands
from safelight.engine.out_of_memory import MemoryLadder
from safelight.engine.parts import Parts
from safelight.engine.pipelines.base import Pipeline
from safelight.engine.pipelines.compact import load
from safelight.engine.precision import PrecisionTable, native_bf16_cpu
from safelight.engine.restore import restore
from safelight.geometry import Size
from safelight.imaging.resample import resize
from tests.bench.networks import SrvggPipeline
from tests.bench.pictures import Pixels, photo
from tests.bench.tables import Effort, Table, best_and_median, verdict
from tests.engine.jobs_at_hand import finished, request_for

BAR_S = 0.5
THREADS = 2
SIDES = {1: 1024, 2: 512, 4: 256}
"""Input pixels a side by scale: one megapixel comes out."""

Times = tuple[float, float]
"""Of the tiles and of the job."""


def run(effort: Effort) -> list[Table]:
    threads = torch.get_num_threads()
    torch.set_num_threads(THREADS)
    try:
        table = PrecisionTable()
        return [*(_at_scale(scale, effort, table) for scale in SIDES), _chosen(table, effort)]
    finally:
        torch.set_num_threads(threads)


def _at_scale(scale: int, effort: Effort, precisions: PrecisionTable) -> Table:
    side = 64 if effort.tiny else SIDES[scale]
    pixels = photo(side, side)
    methods = _methods(pixels, scale, precisions)
    for method in methods.values():
        method()  # the first run of a shape pays for the kernels' set-up
    times: dict[str, list[Times]] = {name: [] for name in methods}
    for _ in range(effort.runs):
        for name, method in methods.items():
            times[name].append(method())
    return _table(scale, (side * scale) ** 2 / 1e6, times)


def _methods(pixels: Pixels, scale: int, precisions: PrecisionTable) -> dict[str, Callable[[], Times]]:
    kinds = ["fp32", *(["bf16"] if native_bf16_cpu() else [])]
    job = partial(_job, pixels=pixels, scale=scale, precisions=precisions)
    compact = load(torch.device("cpu"), Parts())
    methods = {f"compact {kind}": partial(job, compact, precision=kind) for kind in kinds}
    if scale == SrvggPipeline.spec.magnifications[0]:
        larger = SrvggPipeline()
        name = f"SRVGG {larger.parameters / 1e6:.1f} M random"
        methods |= {f"{name} {kind}": partial(job, larger, precision=kind) for kind in kinds}
    if scale > 1:
        methods["Lanczos, float rows"] = partial(_lanczos, pixels, scale)
        methods["Lanczos, Pillow 8 bit"] = partial(_pillow, pixels, scale)
    return methods


def _job(
    pipeline: Pipeline, *, pixels: Pixels, scale: int, precisions: PrecisionTable, precision: str
) -> Times:
    request = request_for(
        pixels, pipeline.spec, output_scale=scale, colour=1.0, monochrome="off", precision=precision
    )
    started = time.perf_counter()
    run = restore(request, pipeline, memory=MemoryLadder(), precisions=precisions, clock=time.perf_counter)
    restoration = finished(run)
    for _ in result_bands(restoration, rows_per_band=256):
        pass
    assert restoration.report["retries"] == []
    return restoration.report["stages_s"]["decode"], time.perf_counter() - started  # type: ignore[index]


def _lanczos(pixels: Pixels, scale: int) -> Times:
    started = time.perf_counter()
    resize(pixels.astype(np.float32), Size(pixels.shape[1] * scale, pixels.shape[0] * scale))
    return (time.perf_counter() - started,) * 2


def _pillow(pixels: Pixels, scale: int) -> Times:
    started = time.perf_counter()
    size = pixels.shape[1] * scale, pixels.shape[0] * scale
    Image.fromarray(pixels).resize(size, Image.Resampling.LANCZOS)
    return (time.perf_counter() - started,) * 2


def _table(scale: int, megapixels: float, times: dict[str, list[Times]]) -> Table:
    table = Table(
        f"compact, scale {scale}: seconds per output megapixel, {THREADS} threads, {megapixels:.2f} MP out",
        ("method", "tiles best", "tiles median", "job best", "job median", "x compact fp32"),
    )
    base = [tiles for tiles, _ in times["compact fp32"]]
    for name, runs in times.items():
        tiles, job = ([t / megapixels for t in column] for column in zip(*runs, strict=True))
        ratio = statistics.median(own[0] / other for own, other in zip(runs, base, strict=True))
        table.rows.append([name, *best_and_median(tiles), *best_and_median(job), ratio])
    best = min(min(r[0] for r in runs) for name, runs in times.items() if name.startswith("compact"))
    table.notes.append(
        f"bar: at most {BAR_S} s per output megapixel for the tiles: {verdict(best / megapixels, BAR_S)}; "
        "the last column is the median of paired ratios"
    )
    return table


def _chosen(precisions: PrecisionTable, effort: Effort) -> Table:
    """What `auto` measures on a first job, what that costs, and the memory of it all."""
    side = 64 if effort.tiny else SIDES[4]
    pipeline = load(torch.device("cpu"), Parts())
    request = request_for(photo(side, side), pipeline.spec, output_scale=4, precision="auto")
    rows = []
    for attempt in ("first job", "next job"):
        report = finished(
            restore(request, pipeline, memory=MemoryLadder(), precisions=precisions, clock=time.perf_counter)
        ).report
        timed = ", ".join(f"{name} {1e3 * s:.1f} ms" for name, s in report["precision_seconds"].items())  # type: ignore[attr-defined]
        measured = report["stages_s"]["measure"]  # type: ignore[index]
        rows.append([attempt, report["precision"], timed, report["precision_psnr_db"], measured])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Table(
        "compact: the precision that auto chooses",
        ("job", "chosen", "timed tile", "PSNR dB", "measuring s"),
        rows,
        [f"peak memory of this process after all of the above: {peak:.0f} MB"],
    )
