"""Which arithmetic a pipeline runs in: as asked, or measured once per device and remembered.

On a CPU that multiplies bfloat16 itself the reduced precision has to be faster and has to give nearly the same numbers.
A pipeline that is small enough to be had twice is tried itself, on what the person will see. A large one is never
loaded a second time for this: layers like its own are tried in its place (`layer_sample`), and whether a whole picture
came out right is what the sentinel says of every tile; docs/figures.md has the measured distance from fp32. On
accelerators the reduced precision is taken until the sentinel objects.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import get_args

import torch

from safelight.engine.layer_sample import LayerSample
from safelight.engine.pipelines.base import Pipeline, Precision

SAFER: dict[Precision, tuple[Precision, ...]] = {"fp16": ("bf16", "fp32"), "bf16": ("fp32",), "fp32": ()}
"""What a tile that the sentinel refused is computed in again: bf16 has fp32's range, fp32 its digits too."""
WORTHWHILE = 0.9
"""Reduced precision must take at most this share of fp32's time: less is noise of the clock."""
RUNS = 2
"""Timed runs per precision: somebody waits for the first job."""
TWICE_AT_MOST_BYTES = 64 << 20
"""A pipeline with more weights is not loaded in a second precision to be tried."""
COMPUTING_CLOCK = time.process_time if os.name == "posix" else time.perf_counter
"""Processor time hardly changes when other programs want the cores; where its ticks are long, wall time.
Measured with five programs on two cores: bf16 takes 0.3 to 1.3 of fp32's wall time, and 0.57 to 0.59 of its
processor time when threads do not spin."""
LEAST_PSNR_DB = 50.0
"""Reduced precision farther from fp32 than this is refused: an error of 0.8 8-bit levels."""

Probe = Callable[[Precision], torch.Tensor]


@dataclass(frozen=True)
class Measured:
    """The outcome for one device and pipeline."""

    precision: Precision
    seconds: dict[str, float]
    """Of one tile, or of sample layers, by precision, on the table's clock; empty where nothing was timed."""
    psnr_db: float | None = None
    """Of the reduced precision against fp32 there, peak 1."""


class PrecisionTable:
    """Remembers what was measured, and what the sentinel objected to. Owned by the worker thread."""

    def __init__(
        self,
        *,
        clock: Callable[[], float] = COMPUTING_CLOCK,
        sample: Callable[[torch.device], Probe] = LayerSample,
    ) -> None:
        """`sample` gives layers on a device that can be run in any precision."""
        self._clock, self._sample = clock, sample
        self._measured: dict[tuple[str, str], Measured] = {}
        self._devices: dict[str, Measured] = {}

    def choose(self, pipeline: Pipeline, asked: str, probe: Probe) -> Measured:
        """`asked` is a precision or `auto`. `probe` runs one tile and waits until it is done."""
        for precision in get_args(Precision):
            if precision == asked:
                return Measured(precision, {})
        place = str(pipeline.device), pipeline.spec.id
        if place not in self._measured:
            self._measured[place] = self._measure(pipeline, probe)
        return self._measured[place]

    def objected(self, pipeline: Pipeline, precision: Precision) -> None:
        """The sentinel refused a tile in this precision: later `auto` jobs use the next safer one."""
        if SAFER[precision]:
            place = str(pipeline.device), pipeline.spec.id
            self._measured[place] = Measured(SAFER[precision][0], {})

    def _measure(self, pipeline: Pipeline, probe: Probe) -> Measured:
        reduced = reduced_precision(pipeline.device, steps=pipeline.spec.steps)
        if reduced == "fp32" or pipeline.device.type != "cpu":
            return Measured(reduced, {})
        if pipeline.spec.memory.weights_bytes <= TWICE_AT_MOST_BYTES and pipeline.spec.steps == 1:
            return self._tried(probe, reduced)
        place = str(pipeline.device)
        if place not in self._devices:
            self._devices[place] = self._tried(self._sample(pipeline.device), reduced)
        return self._devices[place]

    def _tried(self, probe: Probe, reduced: Precision) -> Measured:
        psnr_db = _psnr(probe("fp32"), probe(reduced))  # these first runs pay for the kernels' set-up
        seconds: dict[str, float] = {"fp32": math.inf, reduced: math.inf}
        for _ in range(RUNS):  # in turns, best of each: other programs slow both alike
            for precision in ("fp32", reduced):
                seconds[precision] = min(seconds[precision], self._timed(probe, precision))
        good = seconds[reduced] <= WORTHWHILE * seconds["fp32"] and psnr_db >= LEAST_PSNR_DB
        return Measured(reduced if good else "fp32", seconds, psnr_db)

    def _timed(self, probe: Probe, precision: Precision) -> float:
        started = self._clock()
        probe(precision)
        return self._clock() - started


def reduced_precision(device: torch.device, *, steps: int) -> Precision:
    """What may be used instead of fp32, by what the device computes natively, and what large pipelines are loaded in
    first; fp32 where nothing is."""
    if device.type == "cpu":
        return "bf16" if native_bf16_cpu() else "fp32"
    if steps == 1:
        return "fp16"
    old = device.type == "cuda" and torch.cuda.is_available()
    return "fp16" if old and not torch.cuda.is_bf16_supported(including_emulation=False) else "bf16"


def native_bf16_cpu() -> bool:
    """True where the CPU multiplies bf16 itself; elsewhere it is emulated and slower than fp32."""
    checks = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    return any(getattr(torch.cpu, name, lambda: False)() for name in checks)


def _psnr(exact: torch.Tensor, reduced: torch.Tensor) -> float:
    error = (exact.double() - reduced.double()).square().mean().item()
    if error != error:  # NaN
        return 0.0
    return 120.0 if error < 1e-12 else float(-10 * torch.log10(torch.tensor(error)))
