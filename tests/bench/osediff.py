"""OSEDiff at its real size with random weights on the CPU, against the plain use of diffusers.

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
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import psutil
import torch
from PIL import Image

from safelight import runtime
from safelight.server.serve import serve
from tests.bench import full_size_job
from tests.bench.daemons import serving, settings, whole
from tests.bench.full_size import write_base, write_osediff
from tests.bench.pictures import Pixels, photo
from tests.bench.plain_diffusers import PlainOSEDiff
from tests.bench.tables import Cell, Effort, Table, verdict
from tests.fakes import golden
from tests.fakes.daemon import config

SCALE = 4
SIDES, TINY_SIDES = (512, 1024), (128,)
WARM_SIDE = 256
RUNS_MOST = 3  # a round of all kinds takes some minutes
REQUEST_TFLOP = {512: 4.44}
"""Encode, UNet and decode of one 512x512 tile, counted on meta tensors; a multiply-add is two."""
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


def run(effort: Effort) -> list[Table]:
    sides = TINY_SIDES if effort.tiny else SIDES
    runs = min(effort.runs, RUNS_MOST)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if not effort.tiny:
            _checkpoints(folder)
        peaks = {kind: _matrix_tflops(kind) for kind in ("bf16", "fp32")}
        return [_table(side, runs, folder, peaks, tiny=effort.tiny) for side in sides]


def _checkpoints(folder: Path) -> None:
    """Official files, and the store that the daemon loads from."""
    base = write_base(folder, "sd21-base")
    write_osediff(folder / "osediff.pkl", base)
    full_size_job.import_files(folder, ("sd21-base", "osediff"))


def _table(side: int, runs: int, folder: Path, peaks: dict[str, float], *, tiny: bool) -> Table:
    found = [{kind: _in_process(kind, side, folder, tiny=tiny) for kind in KINDS} for _ in range(runs)]
    table = Table(
        f"osediff: {side // SCALE}x{side // SCALE} to {side}x{side}, real size, random weights, {runs} paired runs",
        ("network", "seconds", "of plain", "CPU s", "peak RSS, GB", "of plain", "overhead, ms"),
    )
    for kind in KINDS:
        table.rows.append(_row(kind, found))
    for kind in KINDS[1:]:
        precision = kind.split()[1]
        share = statistics.median(r[kind].seconds / r[KINDS[0]].seconds for r in found)
        said = f"{kind}: {share:.2f} of plain's time, bar {TIME_BAR[precision]}: {verdict(share, TIME_BAR[precision])}"
        if side in REQUEST_TFLOP:
            rate = REQUEST_TFLOP[side] / statistics.median(r[kind].seconds for r in found)
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
        _in_process("ours fp16", side, folder, tiny=tiny)
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


def _in_process(kind: str, side: int, folder: Path, *, tiny: bool) -> Run:
    command = [
        sys.executable,
        "-m",
        "tests.bench.osediff",
        kind,
        str(side),
        str(folder),
        *(["tiny"] if tiny else []),
    ]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return Run(**json.loads(done.stdout.splitlines()[-1]))


def measure(kind: str, side: int, folder: Path, *, tiny: bool) -> Run:
    """One timed request; the picture goes to a file."""
    who, precision = kind.split()
    found, picture = (
        _plain(side, folder, tiny=tiny) if who == "plain" else _ours(precision, side, folder, tiny=tiny)
    )
    Image.fromarray(picture).save(_file(folder, kind, side))
    return found


def _plain(side: int, folder: Path, *, tiny: bool) -> tuple[Run, Pixels]:
    files = golden.DATA / "osediff" if tiny else folder
    base = files / ("base" if tiny else "sd21-base")
    network = PlainOSEDiff(base, files / "osediff.pkl", device=torch.device("cpu"), dtype=torch.float32)
    network(photo(WARM_SIDE, WARM_SIDE))
    small = Image.fromarray(photo(side // SCALE, side // SCALE))
    started, computing = time.perf_counter(), time.process_time()
    picture = network(np.array(small.resize((side, side), Image.Resampling.BICUBIC)))
    seconds, cpu = time.perf_counter() - started, time.process_time() - computing
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return Run(seconds, cpu, float(peak)), picture


def _ours(precision: str, side: int, folder: Path, *, tiny: bool) -> tuple[Run, Pixels]:
    os.environ |= {runtime.KEPT_VARIABLE: "0"}
    if not tiny:
        os.environ[full_size_job.store.CHECKPOINT_DIR_VARIABLE] = str(full_size_job.store_in(folder))
    program = [sys.executable, "-m", "tests.bench.osediff", "serve"] if tiny else full_size_job.DAEMON
    asked = replace(settings("osediff", SCALE), precision=precision)
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
    kind, side, folder, *tiny = sys.argv[1:]
    print(json.dumps(asdict(measure(kind, int(side), Path(folder), tiny=bool(tiny)))))
