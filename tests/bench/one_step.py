"""OSEDiff and S3Diff at their real size with random weights on the CPU, against the plain use of diffusers.

Plain: stock classes, unmerged adapters, float32, the whole picture through the VAE and the UNet in the authors' tiles
(`plain_diffusers`), called on loaded networks. Ours: requests through a real daemon over its socket, from the first
byte to the last band; its first request loads, the second is counted. Runs alternate, each in a process of its own, so
that peak memory is that kind's. Both are asked for a small picture before anything is timed.
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

import numpy as np
import psutil
import torch
from PIL import Image

from safelight import runtime
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
MATRIX, MATRIX_RUNS = 4096, 3
TIME_BAR = {"bf16": 0.40, "fp32": 0.90}
MEMORY_BAR = 0.60
OVERHEAD_BAR_S = 0.050
KINDS = ("plain fp32", "ours bf16", "ours fp32")
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
    runs = min(effort.runs, RUNS_MOST)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if not effort.tiny:
            _checkpoints(method, folder)
        peaks = {kind: _matrix_tflops(kind) for kind in ("bf16", "fp32")}
        return [_table(method, side, runs, folder, peaks, tiny=effort.tiny) for side in sides]


def _checkpoints(method: Method, folder: Path) -> None:
    """Official files, and the store that the daemon loads from."""
    base = write_base(folder, method.base)
    method.write(folder / f"{method.name}.pkl", base)
    for write in method.others.values():
        write(folder)
    full_size_job.import_files(folder, (method.base, method.name, *method.others))


def _table(
    method: Method, side: int, runs: int, folder: Path, peaks: dict[str, float], *, tiny: bool
) -> Table:
    def once(kind: str) -> Run:
        return _in_process(method, kind, side, folder, tiny=tiny)

    found = [{kind: once(kind) for kind in KINDS} for _ in range(runs)]
    table = Table(
        f"{method.name}: {side // SCALE}x{side // SCALE} to {side}x{side}, real size, random weights, {runs} runs",
        ("network", "seconds", "of plain", "CPU s", "peak RSS, GB", "of plain", "overhead, ms"),
    )
    for kind in KINDS:
        table.rows.append(_row(kind, found))
    for kind in KINDS[1:]:
        precision = kind.split()[1]
        share = statistics.median(r[kind].seconds / r[KINDS[0]].seconds for r in found)
        said = f"{kind}: {share:.2f} of plain's time, bar {TIME_BAR[precision]}: {verdict(share, TIME_BAR[precision])}"
        if (method.name, side) in REQUEST_TFLOP:
            rate = REQUEST_TFLOP[method.name, side] / statistics.median(r[kind].seconds for r in found)
            said += f"; {rate / peaks[precision]:.0%} of the {peaks[precision] * 1000:.0f} GFLOP/s of a matrix product"
        table.notes.append(said)
    memory = statistics.median(r["ours bf16"].peak_bytes / r[KINDS[0]].peak_bytes for r in found)
    table.notes.append(
        f"ours bf16: {memory:.2f} of plain's memory, bar {MEMORY_BAR}: {verdict(memory, MEMORY_BAR)}"
    )
    over = statistics.median(r["ours bf16"].overhead_s for r in found)
    table.notes.append(
        f"second request less its stages: {over * 1000:.0f} ms, bar {OVERHEAD_BAR_S * 1000:.0f}: "
        f"{verdict(over, OVERHEAD_BAR_S)}"
    )
    exact = _picture(folder, "ours fp32", side)
    others = ["ours bf16"]
    if side == min(SIDES):  # slow: no CPU here computes in fp16 itself
        once("ours fp16")
        others.append("ours fp16")
    table.notes += [
        f"{kind} against ours fp32: {_psnr(exact, _picture(folder, kind, side))}" for kind in others
    ]
    return table


def _row(kind: str, found: list[dict[str, Run]]) -> list[Cell]:
    plain = KINDS[0]
    seconds, cpu, peak, over = (
        statistics.median(values)
        for values in zip(
            *((r[kind].seconds, r[kind].cpu_seconds, r[kind].peak_bytes, r[kind].overhead_s) for r in found),
            strict=True,
        )
    )
    time_share = statistics.median(r[kind].seconds / r[plain].seconds for r in found)
    memory_share = statistics.median(r[kind].peak_bytes / r[plain].peak_bytes for r in found)
    return [kind, seconds, time_share, cpu, peak / GB, memory_share, None if kind == plain else over * 1000]


def _matrix_tflops(precision: str) -> float:
    """What a large product of matrices reaches here: the arithmetic limit that shares are taken of."""
    a = torch.randn(MATRIX, MATRIX).to(torch.bfloat16 if precision == "bf16" else torch.float32)
    seconds = []
    for _ in range(MATRIX_RUNS):
        started = time.perf_counter()
        torch.mm(a, a)
        seconds.append(time.perf_counter() - started)
    return 2 * MATRIX**3 / min(seconds) / 1e12


def _psnr(exact: Pixels, other: Pixels) -> str:
    error = float(np.mean((exact.astype(np.float64) - other) ** 2))
    most = int(np.abs(exact.astype(np.int16) - other).max())
    return f"{10 * np.log10(255**2 / error):.1f} dB, at most {most} levels" if error else "identical"


# -- one request ---------------------------------------------------------------------------------------


def _in_process(method: Method, kind: str, side: int, folder: Path, *, tiny: bool) -> Run:
    command = [
        sys.executable,
        "-m",
        "tests.bench.one_step",
        method.name,
        kind,
        str(side),
        str(folder),
        *(["tiny"] if tiny else []),
    ]
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
    network(photo(WARM_SIDE, WARM_SIDE))
    small = Image.fromarray(photo(side // SCALE, side // SCALE))
    started, computing = time.perf_counter(), time.process_time()
    picture = network(np.array(small.resize((side, side), Image.Resampling.BICUBIC)))
    seconds, cpu = time.perf_counter() - started, time.process_time() - computing
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return Run(seconds, cpu, float(peak)), picture


def _ours(method: Method, precision: str, side: int, folder: Path, *, tiny: bool) -> tuple[Run, Pixels]:
    os.environ |= {runtime.KEPT_VARIABLE: "0"}
    if not tiny:
        os.environ[full_size_job.store.CHECKPOINT_DIR_VARIABLE] = str(full_size_job.store_in(folder))
    program = [sys.executable, "-m", "tests.bench.one_step", "serve"] if tiny else full_size_job.DAEMON
    asked = replace(settings(method.name, SCALE), precision=precision, own=dict(method.own))
    with serving(program) as daemon:
        daemon.client.restore(whole(photo(WARM_SIDE // SCALE, WARM_SIDE // SCALE)), asked)
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
    name, kind, side, folder, *tiny = sys.argv[1:]
    run = measure(METHODS[name], kind, int(side), Path(folder), tiny=bool(tiny))
    print(json.dumps(asdict(run)))
