"""OSEDiff at its real size with random weights on a GPU, against the plain use of diffusers in the same precision.

Tiles of 512 px on loaded networks, encode to decode, in batches; a request from 128 to 512 px through a daemon; and a
picture of 4096 px by a daemon that may take no more than 7.0 GiB of the GPU. Without a GPU nothing is measured; the
smallest run takes the tiny networks on the CPU.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import numpy as np
import torch

from safelight import runtime
from safelight.engine.parts import Parts
from safelight.engine.pipelines.base import Pipeline, Precision
from safelight.engine.pipelines.registry import default_registry
from safelight.engine.pipelines.versions import DTYPES
from safelight.server.serve import serve
from safelight.settings import RestoreSettings
from tests.bench import full_size_job
from tests.bench.daemons import serving, settings, whole
from tests.bench.one_step import METHODS, REQUEST_TFLOP, SCALE, checkpoints
from tests.bench.pictures import photo
from tests.bench.plain_diffusers import PlainOSEDiff
from tests.bench.tables import Cell, Effort, Table, verdict
from tests.fakes import golden
from tests.fakes.daemon import config

BATCHES, TINY_BATCHES = (1, 4, 8), (2,)
PRECISIONS: tuple[Precision, ...] = ("fp16", "bf16")
SIDE, TINY_SIDE = 512, 64
WARM_RUNS = 2
MATRIX, TINY_MATRIX = 8192, 256
REQUEST_BAR_S, THROUGHPUT_BAR = 0.025, 4.0
CAP_BYTES = 7 << 30
CAPPED_SIDE = 4096
GB = 1e9

Call = Callable[[torch.Tensor], torch.Tensor]
"""Pictures B 3 h w in 0..1 to restored ones, float32 on the device."""


def run(effort: Effort) -> list[Table]:
    if effort.tiny:
        pipeline = golden.pipeline("osediff")
        files = golden.DATA / "osediff"
        return [_tiles(pipeline, files / "base", files / "osediff.pkl", torch.device("cpu"), effort)]
    if not torch.cuda.is_available():
        return [
            Table(
                "gpu: OSEDiff on a GPU",
                ("what",),
                [["nothing"]],
                ["there is no CUDA GPU: nothing was measured"],
            )
        ]
    device = torch.device("cuda")
    with tempfile.TemporaryDirectory() as name, mock.patch.dict(os.environ):
        folder = Path(name)
        checkpoints(METHODS["osediff"], folder)
        os.environ[full_size_job.store.CHECKPOINT_DIR_VARIABLE] = str(full_size_job.store_in(folder))
        pipeline = default_registry().load("osediff", device, Parts())
        tiles = _tiles(pipeline, folder / "sd21-base", folder / "osediff.pkl", device, effort)
        del pipeline
        torch.cuda.empty_cache()
        return [tiles, _request(effort), _capped()]


# -- tiles on loaded networks --------------------------------------------------------------------------


@dataclass(frozen=True)
class _Timed:
    seconds: float
    peak_bytes: int
    """0 where the device does not tell."""


def _tiles(pipeline: Pipeline, base: Path, weights: Path, device: torch.device, effort: Effort) -> Table:
    side, batches = (TINY_SIDE, TINY_BATCHES) if effort.tiny else (SIDE, BATCHES)
    table = Table(
        f"gpu: OSEDiff, tiles of {side}x{side} on {_title(device)}, {effort.runs} runs",
        ("network", "batch", "ms per tile", "tiles/s", "times plain", "peak, GB", "% of matrix product"),
    )
    pixels = torch.from_numpy(photo(side, side)).permute(2, 0, 1).float().to(device) / 255
    exact = _ours(pipeline, "fp32", side)(pixels[None])
    for precision in PRECISIONS[-1:] if effort.tiny else PRECISIONS:
        plain = _plain(PlainOSEDiff(base, weights, device=device, dtype=DTYPES[precision]))
        ours = _ours(pipeline, precision, side)
        limit = _matrix_tflops(device, precision, tiny=effort.tiny)
        for batch in batches:
            x = pixels.expand(batch, -1, -1, -1).contiguous()
            found = [(_timed(plain, x), _timed(ours, x)) for _ in range(effort.runs)]
            table.rows += _rows(precision, batch, found, limit, side)
        gain = max(float(row[4] or 0) for row in table.rows if row[0] == f"ours {precision}")
        table.notes += [
            f"ours {precision}: {gain:.1f} times plain's tiles/s at most, bar {THROUGHPUT_BAR:g}: "
            f"{verdict(gain, THROUGHPUT_BAR, at_least=True)}",
            f"ours {precision} against ours fp32: {_psnr(exact, ours(pixels[None])):.1f} dB",
        ]
        del plain
    return table


def _rows(
    precision: Precision, batch: int, found: list[tuple[_Timed, _Timed]], limit: float, side: int
) -> list[list[Cell]]:
    ratio = statistics.median(plain.seconds / ours.seconds for plain, ours in found)
    rows: list[list[Cell]] = []
    for name, which, gain in (("plain", 0, 1.0), ("ours", 1, ratio)):
        seconds = statistics.median(pair[which].seconds for pair in found)
        peak = max(pair[which].peak_bytes for pair in found)
        tflop = REQUEST_TFLOP.get(("osediff", side))
        share = None if tflop is None else 100 * batch * tflop / seconds / limit
        each = 1000 * seconds / batch
        rows.append([f"{name} {precision}", batch, each, 1000 / each, gain, peak / GB or None, share])
    return rows


def _ours(pipeline: Pipeline, precision: Precision, side: int) -> Call:
    asked = RestoreSettings(pipeline.spec.id).checked(pipeline.spec)
    with torch.inference_mode():
        region = torch.zeros(1, 3, side, side, device=pipeline.device)
        conditioning = pipeline.condition(region, settings=asked, magnification=1)

    @torch.inference_mode()
    def call(x: torch.Tensor) -> torch.Tensor:
        origins = ((0, 0),) * len(x)
        latent = pipeline.encode(x, origins=origins, conditioning=conditioning, precision=precision)
        noise = pipeline.predict(
            latent, step=0, origins=origins, conditioning=conditioning, precision=precision
        )
        clean = pipeline.step(latent, noise, step=0, conditioning=conditioning)
        return pipeline.decode(clean, conditioning=conditioning, precision=precision).float()

    return call


def _plain(network: PlainOSEDiff) -> Call:
    def call(x: torch.Tensor) -> torch.Tensor:
        return network.restored(x.to(network.dtype) * 2 - 1).float() / 2 + 0.5

    return call


def _timed(call: Call, x: torch.Tensor) -> _Timed:
    for _ in range(WARM_RUNS):
        call(x)
    on_gpu = x.device.type == "cuda"
    if on_gpu:
        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()
    started = time.perf_counter()
    call(x)
    if on_gpu:
        torch.cuda.synchronize()
    seconds = time.perf_counter() - started
    return _Timed(seconds, torch.cuda.max_memory_allocated() if on_gpu else 0)


def _matrix_tflops(device: torch.device, precision: Precision, *, tiny: bool) -> float:
    """What a large product of matrices reaches: the arithmetic limit that shares are taken of."""
    side = TINY_MATRIX if tiny else MATRIX
    a = torch.randn(side, side, device=device).to(DTYPES[precision])
    return 2 * side**3 / min(_timed(lambda b: b @ b, a).seconds for _ in range(3)) / 1e12


def _psnr(exact: torch.Tensor, other: torch.Tensor) -> float:
    error = (exact.double() - other.double()).square().mean().item()
    return float(-10 * np.log10(max(error, 1e-12)))


def _title(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "the CPU"


# -- through a daemon ----------------------------------------------------------------------------------


def _request(effort: Effort) -> Table:
    pixels = photo(SIDE // SCALE, SIDE // SCALE)
    with mock.patch.dict(os.environ, {runtime.KEPT_VARIABLE: "0"}), serving(full_size_job.DAEMON) as daemon:
        asked = settings("osediff", SCALE)
        for _ in range(1 + WARM_RUNS):
            daemon.client.restore(whole(pixels), asked)
        seconds = [
            daemon.client.restore(whole(pixels), asked).times_s["last_band"] for _ in range(effort.runs)
        ]
    median = statistics.median(seconds)
    return Table(
        f"gpu: a request through the daemon, {SIDE // SCALE}x{SIDE // SCALE} to {SIDE}x{SIDE}",
        ("request", "median, ms", "best, ms"),
        [["first byte to last band", 1000 * median, 1000 * min(seconds)]],
        [f"bar {1000 * REQUEST_BAR_S:.0f} ms: {verdict(median, REQUEST_BAR_S)}"],
    )


def _capped() -> Table:
    pixels = photo(CAPPED_SIDE // SCALE, CAPPED_SIDE // SCALE)
    with serving([sys.executable, "-m", "tests.bench.gpu"]) as daemon:
        restored = daemon.client.restore(whole(pixels), settings("osediff", SCALE))
    report = restored.report
    return Table(
        f"gpu: {CAPPED_SIDE}x{CAPPED_SIDE} within {CAP_BYTES / (1 << 30):.1f} GiB",
        ("seconds", "tiles", "batches", "steps down the memory ladder"),
        [[restored.times_s["last_band"], str(report["tiles"]), str(report["batch"]), len(report["ladder"])]],
    )


def serve_capped() -> int:
    """A daemon whose process cannot take more of the GPU."""
    torch.cuda.set_per_process_memory_fraction(CAP_BYTES / torch.cuda.get_device_properties(0).total_memory)
    return serve(config(runtime.runtime_dir()), full_size_job.lax_registry())


if __name__ == "__main__":
    sys.exit(serve_capped())
