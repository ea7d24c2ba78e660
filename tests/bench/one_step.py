"""OSEDiff and S3Diff at their real size with random weights on the CPU, against the plain use of diffusers.

Plain: stock classes, unmerged adapters, float32, the whole picture through the VAE and the UNet in the authors' tiles
(`plain_diffusers`), called on loaded networks. Ours: requests through a real daemon over its socket, from the first
byte to the last band; its first request loads, the second is counted. Runs alternate, each in a process of its own, so
that peak memory is that kind's. Both are asked for a small picture before anything is timed.

bf16 is timed where the CPU has units for it; how far bf16 and fp16 are from fp32 is told for a small picture anywhere.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from unittest import mock

import numpy as np
import psutil
import torch
from PIL import Image

from safelight import runtime
from safelight.engine.pipelines.base import Precision
from safelight.engine.pipelines.versions import DTYPES
from safelight.engine.precision import native_bf16_cpu
from safelight.server.serve import serve
from safelight.spec import SettingValue
from tests.bench import full_size_job
from tests.bench.daemons import serving, settings, whole
from tests.bench.full_size import write_base, write_estimator, write_osediff, write_s3diff
from tests.bench.pictures import Pixels, photo
from tests.bench.plain_diffusers import SCORE, PlainOSEDiff, PlainS3Diff
from tests.bench.tables import Cell, Effort, Table, verdict
from tests.fakes import golden
from tests.fakes.daemon import config

SCALE = 4
SIDES, TINY_SIDES = (512, 1024), (128,)
WARM_SIDE = 256
RUNS_MOST = 3  # a round of all kinds takes some minutes
REQUEST_TFLOP = {("osediff", 512): 4.44, ("s3diff", 512): 5.24}
"""Encode, UNet and decode of one 512x512 tile with the stock layers, counted on meta tensors; a multiply-add is two."""
MATRIX, TINY_MATRIX, MATRIX_RUNS = 4096, 256, 3
TIME_BAR: Mapping[Precision, float] = {"bf16": 0.40, "fp32": 0.90}
MEMORY_BAR = 0.60
OVERHEAD_BAR_S = 0.050
PLAIN = "plain fp32"
REDUCED: tuple[Precision, ...] = ("bf16", "fp16")
GB = 1e9


@dataclass(frozen=True)
class Run:
    """One request of one kind."""

    seconds: float
    cpu_seconds: float
    peak_bytes: float
    overhead_s: float = 0.0
    """Of ours: the request less its stages."""


@dataclass(frozen=True)
class Method:
    """What differs between the two."""

    name: str
    base: str
    plain: type[PlainOSEDiff | PlainS3Diff]
    write: Callable[[Path, Path], Path]
    others: Mapping[str, Callable[[Path], Path]] = field(default_factory=dict)
    """File name to what writes it, by catalogue id."""
    own: Mapping[str, SettingValue] = field(default_factory=dict)


METHODS = {
    method.name: method
    for method in (
        Method("osediff", "sd21-base", PlainOSEDiff, write_osediff),
        Method(
            "s3diff",
            "sd-turbo",
            PlainS3Diff,
            write_s3diff,
            {"de-net": lambda folder: write_estimator(folder / "de_net.pth")},
            {"degradation_blur": SCORE, "degradation_noise": SCORE},
        ),
    )
}


def measured(method: Method, effort: Effort) -> list[Table]:
    sides = TINY_SIDES if effort.tiny else SIDES
    precisions: list[Precision] = ["bf16", "fp32"] if native_bf16_cpu() and not effort.tiny else ["fp32"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if not effort.tiny:
            checkpoints(method, folder)
        peaks = {precision: _matrix_tflops(precision, tiny=effort.tiny) for precision in precisions}
        tables = [_table(method, side, effort, folder, peaks) for side in sides]
        return tables if effort.tiny else [*tables, _precisions(method, folder)]


def checkpoints(method: Method, folder: Path) -> None:
    """Official files, and the store that the daemon loads from."""
    base = write_base(folder, method.base)
    method.write(folder / f"{method.name}.pkl", base)
    for write in method.others.values():
        write(folder)
    full_size_job.import_files(folder, (method.base, method.name, *method.others))


def _table(
    method: Method, side: int, effort: Effort, folder: Path, peaks: Mapping[Precision, float]
) -> Table:
    """`peaks` are TFLOP/s by precision, of those that are timed."""
    runs = min(effort.runs, RUNS_MOST)
    kinds = [PLAIN, *(f"ours {precision}" for precision in peaks)]
    found = [
        {kind: _in_process(method, kind, side, folder, tiny=effort.tiny) for kind in kinds}
        for _ in range(runs)
    ]
    table = Table(
        f"{method.name}: {side // SCALE}x{side // SCALE} to {side}x{side}, real size, random weights, {runs} runs",
        ("network", "seconds", "of plain", "CPU s", "peak RSS, GB", "of plain", "overhead, ms"),
    )
    for kind in kinds:
        table.rows.append(_row(kind, found))
    for precision, peak in peaks.items():
        kind = f"ours {precision}"
        share = statistics.median(r[kind].seconds / r[PLAIN].seconds for r in found)
        said = f"{kind}: {share:.2f} of plain's time, bar {TIME_BAR[precision]}: {verdict(share, TIME_BAR[precision])}"
        if (method.name, side) in REQUEST_TFLOP:
            rate = REQUEST_TFLOP[method.name, side] / statistics.median(r[kind].seconds for r in found)
            said += f"; {rate / peak:.0%} of the {peak * 1000:.0f} GFLOP/s of a matrix product"
        table.notes.append(said)
    if "bf16" in peaks:
        memory = statistics.median(r["ours bf16"].peak_bytes / r[PLAIN].peak_bytes for r in found)
        table.notes.append(
            f"ours bf16: {memory:.2f} of plain's memory, bar {MEMORY_BAR}: {verdict(memory, MEMORY_BAR)}"
        )
    over = statistics.median(r[kinds[1]].overhead_s for r in found)
    table.notes.append(
        f"second request less its stages: {over * 1000:.0f} ms, bar {OVERHEAD_BAR_S * 1000:.0f}: "
        f"{verdict(over, OVERHEAD_BAR_S)}"
    )
    return table


def _precisions(method: Method, folder: Path) -> Table:
    """Results of one picture in all precisions."""
    for precision in ("fp32", *REDUCED):
        _in_process(method, f"ours {precision}", WARM_SIDE, folder, tiny=False)
    exact = _picture(folder, "ours fp32", WARM_SIDE)
    table = Table(
        f"{method.name}: {WARM_SIDE}x{WARM_SIDE} against fp32", ("precision", "PSNR, dB", "levels, most")
    )
    for precision in REDUCED:
        table.rows.append([precision, *_difference(exact, _picture(folder, f"ours {precision}", WARM_SIDE))])
    return table


def _row(kind: str, found: list[dict[str, Run]]) -> list[Cell]:
    seconds, cpu, peak, over = (
        statistics.median(values)
        for values in zip(
            *((r[kind].seconds, r[kind].cpu_seconds, r[kind].peak_bytes, r[kind].overhead_s) for r in found),
            strict=True,
        )
    )
    time_share = statistics.median(r[kind].seconds / r[PLAIN].seconds for r in found)
    memory_share = statistics.median(r[kind].peak_bytes / r[PLAIN].peak_bytes for r in found)
    return [kind, seconds, time_share, cpu, peak / GB, memory_share, None if kind == PLAIN else over * 1000]


def _matrix_tflops(precision: Precision, *, tiny: bool) -> float:
    """What a large product of matrices reaches here: the arithmetic limit that shares are taken of."""
    side = TINY_MATRIX if tiny else MATRIX
    a = torch.randn(side, side).to(DTYPES[precision])
    seconds = []
    for _ in range(MATRIX_RUNS):
        started = time.perf_counter()
        torch.mm(a, a)
        seconds.append(time.perf_counter() - started)
    return 2 * side**3 / min(seconds) / 1e12


def _difference(exact: Pixels, other: Pixels) -> tuple[float, int]:
    """PSNR in dB, 120 for equal pictures, and the largest difference in 8-bit levels."""
    error = float(np.mean((exact.astype(np.float64) - other) ** 2))
    most = int(np.abs(exact.astype(np.int16) - other).max())
    return min(120.0, float(10 * np.log10(255**2 / max(error, 1e-9)))), most


# -- one request ---------------------------------------------------------------------------------------


def _in_process(method: Method, kind: str, side: int, folder: Path, *, tiny: bool) -> Run:
    if tiny:
        return measure(method, kind, side, folder, tiny=True)
    command = [sys.executable, "-m", "tests.bench.one_step", method.name, kind, str(side), str(folder)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return Run(**json.loads(done.stdout.splitlines()[-1]))


def measure(method: Method, kind: str, side: int, folder: Path, *, tiny: bool) -> Run:
    """One timed request; the picture goes to a file."""
    who, precision = kind.split()
    found, picture = (
        _plain(method, side, folder, tiny=tiny)
        if who == "plain"
        else _ours(method, precision, side, folder, tiny=tiny)
    )
    Image.fromarray(picture).save(_file(folder, kind, side))
    return found


def _plain(method: Method, side: int, folder: Path, *, tiny: bool) -> tuple[Run, Pixels]:
    files = golden.DATA / method.name if tiny else folder
    base = files / ("base" if tiny else method.base)
    weights = files / f"{method.name}.pkl"
    network = method.plain(base, weights, device=torch.device("cpu"), dtype=torch.float32)
    warm = min(WARM_SIDE, side)
    network(photo(warm, warm))
    small = Image.fromarray(photo(side // SCALE, side // SCALE))
    started, computing = time.perf_counter(), time.process_time()
    picture = network(np.array(small.resize((side, side), Image.Resampling.BICUBIC)))
    seconds, cpu = time.perf_counter() - started, time.process_time() - computing
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return Run(seconds, cpu, float(peak)), picture


def _ours(method: Method, precision: str, side: int, folder: Path, *, tiny: bool) -> tuple[Run, Pixels]:
    environment = {runtime.KEPT_VARIABLE: "0"}
    if not tiny:
        environment[full_size_job.store.CHECKPOINT_DIR_VARIABLE] = str(full_size_job.store_in(folder))
    program = [sys.executable, "-m", "tests.bench.one_step", "serve"] if tiny else full_size_job.DAEMON
    asked = replace(settings(method.name, SCALE), precision=precision, own=dict(method.own))
    with mock.patch.dict(os.environ, environment), serving(program) as daemon:
        warm = min(WARM_SIDE, side) // SCALE
        daemon.client.restore(whole(photo(warm, warm)), asked)
        computing = _cpu_s(daemon.process)
        restored = daemon.client.restore(whole(photo(side // SCALE, side // SCALE)), asked)
        seconds = restored.times_s["last_band"]
        cpu = _cpu_s(daemon.process) - computing
        over = seconds - sum(restored.report["stages_s"].values())
        return Run(seconds, cpu, float(daemon.peak_bytes), over), restored.pixels


def _cpu_s(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _file(folder: Path, kind: str, side: int) -> Path:
    return folder / f"{kind} {side}.png"


def _picture(folder: Path, kind: str, side: int) -> Pixels:
    return np.asarray(Image.open(_file(folder, kind, side)))


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        sys.exit(serve(config(runtime.runtime_dir()), golden.registry()))
    name, kind, side, folder = sys.argv[1:]
    run = measure(METHODS[name], kind, int(side), Path(folder), tiny=False)
    print(json.dumps(asdict(run)))
