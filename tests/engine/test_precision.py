"""Which arithmetic is chosen."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from safelight.engine import precision as precision_module
from safelight.engine.layer_sample import LayerSample
from safelight.engine.pipelines.base import Precision
from safelight.engine.precision import PrecisionTable
from safelight.spec import MemoryModel
from tests.fakes import pipelines as fakes


class Clocked:
    """A probe whose runs take scripted times on its own clock, and a table that reads that clock."""

    def __init__(self, seconds: dict[str, float], error: float = 0.0) -> None:
        self.now, self.seconds, self.error = 0.0, seconds, error
        self.runs = self.sampled = 0
        self.table = PrecisionTable(clock=lambda: self.now, sample=lambda device: self.layers)

    def probe(self, precision: Precision) -> torch.Tensor:
        self.runs += 1
        self.now += self.seconds[precision]
        return torch.full((3, 8, 8), 0.5 + (self.error if precision == "bf16" else 0.0))

    def layers(self, precision: Precision) -> torch.Tensor:
        self.sampled += 1
        self.now += self.seconds[precision]
        return torch.full((1, 4, 8, 8), 0.5 + (self.error if precision == "bf16" else 0.0))


def large(steps: int = 1) -> fakes.FakePipeline:
    """With more weights than are loaded twice."""
    spec = replace(
        fakes.ONE_STAGE, steps=steps, memory=MemoryModel(weights_bytes=1 << 30, bytes_per_tile_px=1)
    )
    return fakes.identity(spec=spec)


@pytest.fixture(autouse=True)
def _native(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision_module, "native_bf16_cpu", lambda: True)


CASES = {
    "much faster": ({"fp32": 1.0, "bf16": 0.5}, 0.001, "bf16"),
    "hardly faster": ({"fp32": 1.0, "bf16": 0.95}, 0.001, "fp32"),
    "faster but too coarse": ({"fp32": 1.0, "bf16": 0.5}, 0.01, "fp32"),
    "faster but NaN": ({"fp32": 1.0, "bf16": 0.5}, float("nan"), "fp32"),
}


@pytest.mark.parametrize(("seconds", "error", "expected"), CASES.values(), ids=CASES)
def test_a_cpu_with_native_bf16_is_measured(seconds: dict[str, float], error: float, expected: str) -> None:
    clocked = Clocked(seconds, error)
    measured = clocked.table.choose(fakes.identity(), "auto", clocked.probe)
    assert measured.precision == expected
    assert measured.seconds == pytest.approx(seconds)


def test_it_is_measured_once_per_device_and_pipeline() -> None:
    clocked = Clocked({"fp32": 1.0, "bf16": 0.5})
    clocked.table.choose(fakes.identity(), "auto", clocked.probe)
    runs = clocked.runs
    clocked.table.choose(fakes.identity(), "auto", clocked.probe)
    assert clocked.runs == runs
    other = fakes.identity(spec=replace(fakes.ONE_STAGE, id="other"))
    clocked.table.choose(other, "auto", clocked.probe)
    assert clocked.runs == 2 * runs


@pytest.mark.parametrize("steps", [1, 20])
@pytest.mark.parametrize(("seconds", "error", "expected"), CASES.values(), ids=CASES)
def test_sample_layers_stand_for_a_pipeline_that_is_too_large_to_load_twice(
    seconds: dict[str, float], error: float, expected: str, steps: int
) -> None:
    clocked = Clocked(seconds, error)
    measured = clocked.table.choose(large(steps), "auto", clocked.probe)
    assert (measured.precision, measured.seconds) == (expected, pytest.approx(seconds))
    assert clocked.runs == 0


def test_sample_layers_are_timed_once_per_device() -> None:
    clocked = Clocked({"fp32": 1.0, "bf16": 0.5})
    clocked.table.choose(large(), "auto", clocked.probe)
    sampled = clocked.sampled
    clocked.table.choose(large(steps=20), "auto", clocked.probe)
    assert clocked.sampled == sampled > 0


def test_real_sample_layers_give_nearly_the_same_numbers_in_every_precision() -> None:
    layers = LayerSample(torch.device("cpu"))
    exact = layers("fp32")
    assert 0.1 < exact.std() < 0.15
    for precision in ("bf16", "fp16"):
        error = (layers(precision) - exact).square().mean().sqrt()
        assert 0 < error < 1e-3


def test_what_is_asked_for_is_taken_unmeasured() -> None:
    clocked = Clocked({})
    assert clocked.table.choose(fakes.identity(), "fp16", clocked.probe).precision == "fp16"
    assert clocked.runs == 0


def test_a_cpu_without_native_bf16_stays_in_fp32(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(precision_module, "native_bf16_cpu", lambda: False)
    for pipeline in (fakes.identity(), large(), large(steps=20)):
        assert PrecisionTable().choose(pipeline, "auto", Clocked({}).probe).precision == "fp32"


@pytest.mark.parametrize(("steps", "expected"), [(1, "fp16"), (20, "bf16")])
def test_accelerators_run_one_step_pipelines_in_fp16(steps: int, expected: str) -> None:
    gpu = fakes.identity(spec=replace(fakes.ONE_STAGE, steps=steps))
    gpu.device = torch.device("cuda:0")
    assert PrecisionTable().choose(gpu, "auto", Clocked({}).probe).precision == expected


def test_what_the_sentinel_objected_to_is_avoided_later() -> None:
    gpu = fakes.identity()
    gpu.device = torch.device("cuda:0")
    table = PrecisionTable()
    table.objected(gpu, "fp16")
    assert table.choose(gpu, "auto", Clocked({}).probe).precision == "bf16"
    table.objected(gpu, "bf16")
    assert table.choose(gpu, "auto", Clocked({}).probe).precision == "fp32"
