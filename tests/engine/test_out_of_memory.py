"""Out of memory: the ladder's rungs, jobs that go on, and what is remembered."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import weakref
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from safelight.engine.canvas import RESIDUAL_ROUNDING
from safelight.engine.out_of_memory import MemoryLadder, Place, Rung, out_of_memory, unless_out_of_memory
from safelight.engine.pipelines.base import Precision
from safelight.errors import TooMuch
from safelight.spec import StageTiling
from tests.engine.jobs_at_hand import photo, residual_of, restored
from tests.fakes import pipelines as fakes

ROUNDING = 4 * RESIDUAL_ROUNDING + 1e-6
TILING = StageTiling(tile=512, overlap=64, batch=8, least_tile=128)
GPU = Place("cuda:0", "osediff", "decode", "fp16")
CPU = Place("cpu", "osediff", "decode", "fp32")


def test_rungs_from_top_to_bottom_on_an_accelerator() -> None:
    ladder = MemoryLadder()
    rungs = [ladder.rung(GPU, TILING)]
    rungs += [ladder.descend(GPU, TILING, running_tile=512, cpu_left=True) for _ in range(6)]
    assert rungs == [
        Rung(8, 512), Rung(4, 512), Rung(2, 512), Rung(1, 512), Rung(1, 256), Rung(1, 128), Rung(1, 128, on_cpu=True),
    ]  # fmt: skip


def test_the_cpu_has_no_batches_and_ends_in_a_clear_error() -> None:
    ladder = MemoryLadder()
    assert ladder.rung(CPU, TILING) == Rung(1, 512)
    ladder.descend(CPU, TILING, running_tile=512, cpu_left=False)
    ladder.descend(CPU, TILING, running_tile=512, cpu_left=False)
    with pytest.raises(TooMuch, match=r"osediff \(decode\) does not fit on cpu") as caught:
        ladder.descend(CPU, TILING, running_tile=512, cpu_left=False)
    assert caught.value.reason == "OUT_OF_MEMORY"


def test_tiles_of_small_pictures_are_halved_from_their_own_size() -> None:
    assert MemoryLadder().descend(CPU, TILING, running_tile=300, cpu_left=False) == Rung(1, 150)


def test_what_fitted_is_remembered_for_its_place_only() -> None:
    ladder = MemoryLadder()
    ladder.descend(GPU, TILING, running_tile=512, cpu_left=True)
    assert ladder.rung(GPU, TILING) == Rung(4, 512)
    assert ladder.rung(GPU._replace(stage="encode"), TILING) == Rung(8, 512)
    assert ladder.rung(GPU._replace(precision="fp32"), TILING) == Rung(8, 512)


ERRORS = {
    "torch's": (torch.OutOfMemoryError("CUDA out of memory"), True),
    "Python's": (MemoryError(), True),
    "torch's CPU allocator": (
        RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: not enough"),
        True,
    ),
    "cuBLAS's": (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate"), True),
    "another fault": (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False),
}


@pytest.mark.parametrize(("error", "expected"), ERRORS.values(), ids=ERRORS)
def test_errors_that_mean_out_of_memory(error: BaseException, expected: bool) -> None:
    assert out_of_memory(error) is expected


def test_what_the_failed_work_held_is_freed_before_the_next_try() -> None:
    held: list[weakref.ref[torch.Tensor]] = []

    def work() -> None:
        tensor = torch.zeros(1000)
        held.append(weakref.ref(tensor))
        raise torch.OutOfMemoryError("no room")

    assert unless_out_of_memory(work) is None
    assert held[0]() is None


def test_other_errors_pass() -> None:
    def work() -> None:
        raise RuntimeError("a bug")

    with pytest.raises(RuntimeError, match="a bug"):
        unless_out_of_memory(work)


class Shrinking(fakes.FakePipeline):
    """Brightens; its memory shrinks to `most_px` pixels after `after` calls."""

    def __init__(self, after: int, most_px: int) -> None:
        super().__init__(fakes.ONE_STAGE, self.changed)
        self.after, self.most_px = after, most_px

    def changed(self, tiles: torch.Tensor, precision: Precision) -> torch.Tensor:
        if len(self.calls) > self.after and tiles.shape[2] * tiles.shape[3] > self.most_px:
            raise torch.OutOfMemoryError("somebody else took it")
        return tiles + 0.05


@given(
    width=st.integers(1, 150),
    height=st.integers(1, 150),
    after=st.integers(0, 6),
    most_px=st.integers(16 * 16, 64 * 64),
)
@settings(max_examples=25, deadline=None)
def test_pictures_of_any_shape_come_out_the_same_when_memory_runs_out(
    width: int, height: int, after: int, most_px: int
) -> None:
    result = restored(photo(width, height), Shrinking(after, most_px))
    np.testing.assert_allclose(residual_of(result), 0.05, atol=9 * RESIDUAL_ROUNDING + 1e-6)


def test_running_out_in_the_middle_keeps_finished_tiles() -> None:
    pipeline = Shrinking(after=7, most_px=40 * 40)
    result = restored(photo(208, 160), pipeline)  # 4 x 3 tiles of 64 x 64
    np.testing.assert_allclose(residual_of(result), 0.05, atol=ROUNDING)
    whole = [shape for shape, _ in pipeline.calls if shape[-1] == 64]
    pieces = [shape for shape, _ in pipeline.calls if shape[-1] == 32]
    assert len(whole) == 7 + 1  # the eighth failed
    assert len(pieces) == 5 * 9  # the five tiles left, in 3 x 3 pieces with an overlap of 16
    assert result.report["ladder"] == [
        {"stage": "decode", "event": "out of memory", "to": "batch 1, tile 32"}
    ]


def test_what_is_idle_goes_before_tiles_get_smaller() -> None:
    pipeline = Shrinking(after=0, most_px=0)
    idle = ["a", "b"]

    def evict_idle() -> bool:
        if not idle:
            return False
        idle.pop()
        if not idle:
            pipeline.most_px = 64 * 64
        return True

    result = restored(photo(64, 64), pipeline, memory=MemoryLadder(evict_idle))
    assert [event["to"] for event in result.report["ladder"]] == ["evicting what is idle"] * 2
    assert [shape[-1] for shape, _ in pipeline.calls] == [64, 64, 64]


def test_the_next_job_starts_where_the_last_one_fitted() -> None:
    memory, pipeline = MemoryLadder(), fakes.oom_above(1200)
    restored(photo(100, 100), pipeline, memory=memory)
    pipeline.calls.clear()
    again = restored(photo(100, 100), pipeline, memory=memory)
    assert again.report["ladder"] == []
    assert all(shape[2] * shape[3] <= 1200 for shape, _ in pipeline.calls)


def test_when_nothing_fits_the_error_says_what_to_do() -> None:
    with pytest.raises(TooMuch, match="close other programs") as caught:
        restored(photo(100, 100), fakes.oom_above(10))
    assert caught.value.reason == "OUT_OF_MEMORY"


class OnMeta(fakes.FakePipeline):
    """An accelerator without any memory: torch's shapes-only device stands for it."""

    def __init__(self) -> None:
        def nothing(tiles: torch.Tensor, precision: Precision) -> torch.Tensor:
            raise torch.OutOfMemoryError("no memory at all")

        super().__init__(fakes.ONE_STAGE, nothing, device=torch.device("meta"))


def test_the_last_rung_is_the_cpu() -> None:
    result = restored(photo(100, 70), OnMeta(), on_cpu=lambda: fakes.brighten(0.05))
    np.testing.assert_allclose(residual_of(result), 0.05, atol=ROUNDING)
    events = [event["to"] for event in result.report["ladder"]]  # type: ignore[attr-defined]
    assert events == ["batch 1, tile 64", "batch 1, tile 32", "batch 1, tile 16", "CPU"]


def test_a_region_that_does_not_fit_the_conditioning_moves_to_the_cpu() -> None:
    class Blind(OnMeta):
        def condition(self, region: torch.Tensor, **kwargs: object) -> fakes.Conditioning:
            raise torch.OutOfMemoryError("no memory at all")

    result = restored(photo(100, 70), Blind(), on_cpu=lambda: fakes.brighten(0.05))
    np.testing.assert_allclose(residual_of(result), 0.05, atol=ROUNDING)
    assert result.report["device"] == "cpu"


def test_stages_of_a_staged_pipeline_shrink_on_their_own() -> None:
    class SmallDecoder(fakes.StagedPipeline):
        def decode(self, tiles: torch.Tensor, **kwargs: object) -> torch.Tensor:
            if tiles.shape[2] * tiles.shape[3] > 30:
                raise torch.OutOfMemoryError("no room")
            return torch.pixel_shuffle(tiles, 8)

    result = restored(photo(150, 110), SmallDecoder())
    np.testing.assert_allclose(residual_of(result), 0, atol=ROUNDING)
    assert {event["stage"] for event in result.report["ladder"]} == {"decode"}  # type: ignore[attr-defined]


def test_a_real_address_space_limit_is_survived() -> None:
    """A tile of 512 x 300 wants 315 MB where 200 MB are left: it is put together from pieces."""
    root = Path(__file__).parents[2]
    program = textwrap.dedent(
        """
        import resource
        import numpy as np
        import torch
        from dataclasses import replace
        from safelight.spec import StageTiling
        from tests.engine.jobs_at_hand import photo, residual_of, restored
        from tests.fakes import pipelines as fakes

        def hungry(tiles, precision):
            features = torch.zeros(tiles.shape[0], 512, *tiles.shape[2:])
            return tiles + 0.05 + features[:, :3]

        spec = replace(fakes.ONE_STAGE, stages={"decode": StageTiling(512, 32, least_tile=64)})
        pixels = photo(512, 300)
        used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + 200_000_000,) * 2)
        result = restored(pixels, fakes.fake(hungry, spec=spec))
        off = np.abs(residual_of(result) - 0.05).max()
        print(len(result.report["ladder"]), off < 2e-4)
        """
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=root, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    steps, good = done.stdout.split()
    assert int(steps) >= 1
    assert good == "True"


def test_a_batch_that_does_not_fit_is_halved_and_the_job_goes_on() -> None:
    spec = replace(fakes.ONE_STAGE, stages={"decode": StageTiling(64, 16, batch=8, least_tile=16)})
    accelerator = fakes.FakePipeline(spec, fakes.oom_above(2 * 64 * 64).arithmetic)
    accelerator.device = torch.device("cpu:0")  # computes here, but is not named "cpu": gets batches
    result = restored(photo(208, 160), accelerator)
    np.testing.assert_allclose(residual_of(result), 0.05, atol=ROUNDING)
    assert [shape[0] for shape, _ in accelerator.calls] == [8, 4, 2, 2, 2, 2, 2, 2]
    assert result.report["batch"] == {"decode": 2}
