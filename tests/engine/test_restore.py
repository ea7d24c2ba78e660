"""A whole job on pipelines of plain arithmetic."""

from __future__ import annotations

import gc
import weakref
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from safelight.engine import finished_tiles
from safelight.engine.canvas import RESIDUAL_ROUNDING, ResidualCanvas
from safelight.engine.out_of_memory import MemoryLadder
from safelight.engine.pipelines.base import Pipeline
from safelight.engine.request import Preview, Progress
from safelight.engine.residual import enlarged_tile
from safelight.engine.restore import restore
from safelight.engine.tiling import TilePlan
from safelight.errors import Unrestorable
from safelight.geometry import Rect, Size
from safelight.imaging.resample import resize
from tests.engine.jobs_at_hand import followed, photo, request_for, residual_of, restored
from tests.fakes import pipelines as fakes

ROUNDING = 4 * RESIDUAL_ROUNDING + 1e-6
MAGNIFYING = replace(fakes.ONE_STAGE, magnifications=(1, 2, 4))


@pytest.mark.parametrize("pipeline", [fakes.identity(), fakes.StagedPipeline()], ids=["one stage", "staged"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("region", [None, Rect(31, 17, 90, 75)], ids=["whole", "region"])
def test_a_pipeline_that_returns_its_input_leaves_exactly_nothing(
    pipeline: Pipeline, dtype: type[Any], region: Rect | None
) -> None:
    pixels = photo(181, 133).astype(dtype)
    if dtype == np.float32:
        pixels /= 255
    assert not residual_of(restored(pixels, pipeline, region=region)).any()


@pytest.mark.parametrize("factor", [2, 4])
def test_enlarged_by_lanczos_leaves_exactly_nothing(factor: int) -> None:
    """A network that returns the Lanczos enlargement of its tile, away from the tile's own edges."""

    class Lanczos(fakes.FakePipeline):
        def decode(self, tiles: torch.Tensor, **kwargs: Any) -> torch.Tensor:
            return torch.stack([_lanczos(tile, factor) for tile in tiles])

    pipeline = Lanczos(MAGNIFYING, lambda tiles, precision: tiles)
    residual = residual_of(restored(photo(64, 64), pipeline, output_scale=factor))
    assert residual.shape == (64 * factor, 64 * factor, 3)
    assert not residual.any()


def _lanczos(tile: torch.Tensor, factor: int) -> torch.Tensor:
    plane = np.ascontiguousarray(tile.permute(1, 2, 0).numpy())
    size = Size(plane.shape[1] * factor, plane.shape[0] * factor)
    return torch.from_numpy(resize(plane, size)).permute(2, 0, 1)


@pytest.mark.parametrize("factor", [1, 2, 4])
def test_an_enlarged_tile_is_a_part_of_the_enlarged_whole(factor: int) -> None:
    x = photo(90, 70).astype(np.float32) / 255
    whole = resize(x, Size(90 * factor, 70 * factor))
    for box in (Rect(0, 0, 32, 32), Rect(13, 21, 40, 30), Rect(58, 38, 32, 32)):
        assert np.array_equal(enlarged_tile(x, box, factor), whole[box.times(factor).slices])


@pytest.mark.parametrize(("width", "height"), [(64, 64), (65, 200), (301, 40), (7, 5), (1, 1)])
def test_tiles_add_up_to_the_restored_picture(width: int, height: int) -> None:
    residual = residual_of(restored(photo(width, height), fakes.brighten(0.05)))
    assert residual.shape == (height, width, 3)
    np.testing.assert_allclose(residual, 0.05, atol=ROUNDING)


def test_the_order_of_tiles_never_changes_a_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    pipeline = fakes.fake(lambda tiles, precision: tiles + 0.1 * (tiles.mean((1, 2, 3), keepdim=True) - 0.5))
    forward = residual_of(restored(photo(200, 150), pipeline))
    tiles = TilePlan.tiles.func  # type: ignore[attr-defined]
    monkeypatch.setattr(TilePlan, "tiles", property(lambda plan: tiles(plan)[::-1]))
    assert np.array_equal(forward, residual_of(restored(photo(200, 150), pipeline)))
    assert forward.any()


def test_a_staged_pipeline_runs_every_step_on_the_whole_canvas() -> None:
    pixels = (photo(150, 110) // 8 + 112).astype(
        np.uint8
    )  # flat, so that a change of gain passes the sentinel
    pipeline = fakes.StagedPipeline(gain=0.9375)
    result = restored(pixels, pipeline)
    expected = (0.9375**2 - 1) * result.network_input
    np.testing.assert_allclose(residual_of(result), expected, atol=9 * RESIDUAL_ROUNDING + 1e-6)
    assert result.report["tiles"] == {"encode": 6, "predict": 2 * 15, "decode": 6}


def test_stages_are_told_absolute_latent_cells() -> None:
    pipeline = fakes.StagedPipeline()
    restored(photo(300, 200), pipeline, region=Rect(160, 80, 60, 60))
    assert min(pipeline.origins["encode"]) == (18, 8)  # 160 px less 16 of context
    assert min(pipeline.origins["predict"]) == (18, 8)
    assert max(pipeline.origins["predict"]) == (24, 14)


def test_working_scale_above_one_without_magnification_resamples_the_input() -> None:
    result = restored(photo(100, 80), fakes.brighten(0.05), working_scale=2.0)
    assert result.working_scale == 2
    assert result.box == Rect(0, 0, 200, 160)
    assert result.network_input.shape == (160, 200, 3)
    np.testing.assert_allclose(residual_of(result), 0.05, atol=ROUNDING)


def test_the_region_is_covered_with_its_context() -> None:
    result = restored(photo(300, 200), fakes.identity(), region=Rect(100, 60, 100, 70))
    assert result.box == Rect(84, 44, 132, 102)
    assert result.covered == result.box


def test_progress_counts_tiles_and_ends_at_one() -> None:
    pipeline = fakes.StagedPipeline()
    run = restore(request_for(photo(150, 110), pipeline.spec), pipeline, memory=MemoryLadder())
    _, events = followed(run)
    progress = [e for e in events if isinstance(e, Progress)]
    stages = list(dict.fromkeys(p.stage for p in progress))
    assert stages == ["prepare", "condition", "encode", "predict", "decode"]
    assert [p.fraction for p in progress] == sorted(p.fraction for p in progress)
    assert progress[-1].fraction == pytest.approx(1)
    assert progress[-1].eta_s == pytest.approx(0)
    last_predict = [p for p in progress if p.stage == "predict"][-1]
    assert (last_predict.tiles_done, last_predict.tiles, last_predict.step, last_predict.steps) == (
        30,
        30,
        2,
        2,
    )


def test_eta_follows_the_clock() -> None:
    now = [0.0]

    def pass_time() -> None:
        now[0] += 10.0

    pipeline = fakes.slow(pass_time)
    request = request_for(photo(64, 208), pipeline.spec)  # four tiles
    run = restore(request, pipeline, memory=MemoryLadder(), clock=lambda: now[0])
    _, events = followed(run)
    etas = [e.eta_s for e in events if isinstance(e, Progress) and e.stage == "decode"]
    assert etas == pytest.approx([30, 20, 10, 0])


def test_previews_show_the_region_at_result_size_from_its_centre_outward() -> None:
    pixels = photo(300, 200)
    pipeline = fakes.identity(spec=MAGNIFYING)
    region = Rect(100, 60, 120, 90)
    request = request_for(pixels, pipeline.spec, region=region, output_scale=2)
    run = restore(request, pipeline, memory=MemoryLadder(), previews=True)
    _, events = followed(run)
    previews = [e for e in events if isinstance(e, Preview)]
    shown = np.zeros((180, 240), bool)
    for preview in previews:
        assert preview.pixels.shape == (preview.rect.height, preview.rect.width, 3)
        shown[preview.rect.slices] = True
        left, top = preview.rect.x // 2 + region.x, preview.rect.y // 2 + region.y
        assert np.array_equal(preview.pixels[0, 0], pixels[top, left])
    assert shown.all()
    centre = previews[0].rect
    assert abs(centre.x + centre.width / 2 - 120) < 60


def test_closing_a_run_frees_its_canvas() -> None:
    canvases: list[weakref.ref[ResidualCanvas]] = []

    class Watched(ResidualCanvas):
        def __init__(self, size: Size, **where: Any) -> None:
            super().__init__(size, **where)
            canvases.append(weakref.ref(self))

    pipeline = fakes.brighten(0.05)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(finished_tiles, "ResidualCanvas", Watched)
        run = restore(request_for(photo(300, 200), pipeline.spec), pipeline, memory=MemoryLadder())
        while not canvases:
            next(run)
    run.close()
    del run
    gc.collect()
    assert canvases[0]() is None
    assert len(pipeline.calls) < 24


def test_between_turns_the_caller_is_not_in_inference_mode() -> None:
    """Runs of several jobs are interleaved on one thread: none may leave its mode behind."""
    pipeline = fakes.brighten(0.05)
    run = restore(request_for(photo(100, 100), pipeline.spec), pipeline, memory=MemoryLadder())
    assert not any(torch.is_inference_mode_enabled() for _ in run)


def test_interleaved_jobs_do_not_change_each_other() -> None:
    pipeline = fakes.fake(lambda tiles, precision: tiles + 0.1 * (tiles.mean((1, 2, 3), keepdim=True) - 0.5))
    memory = MemoryLadder()
    alone = residual_of(restored(photo(150, 150), pipeline, memory=memory))
    first, second = (
        restore(request_for(photo(150, 150), pipeline.spec), pipeline, memory=memory) for _ in range(2)
    )
    for _ in range(5):
        next(first)
        next(second)
    for run in (first, second):
        assert np.array_equal(residual_of(followed(run)[0]), alone)


def test_the_report_says_what_was_done() -> None:
    report = restored(photo(120, 100), fakes.brighten(0.05)).report
    assert report["tiles"] == {"decode": 6}
    assert report["batch"] == {"decode": 1}
    assert report["precision"] == "fp32"
    assert report["device"] == "cpu"
    assert report["retries"] == report["ladder"] == []
    assert report["plan"]["box"] == [0, 0, 120, 100]  # type: ignore[index]
    assert set(report["stages_s"]) >= {"prepare", "condition", "decode"}  # type: ignore[call-overload]


# -- the sentinel at work ------------------------------------------------------------------------------


def test_nan_in_reduced_precision_is_computed_again_in_a_safer_one() -> None:
    result = restored(photo(100, 60), fakes.nan_in("fp16"), precision="fp16")
    np.testing.assert_allclose(residual_of(result), 0.05, atol=ROUNDING)
    retries = result.report["retries"]
    assert [(r["fault"], r["precision"], r["passed"]) for r in retries] == [("not finite", "bf16", True)] * 2  # type: ignore[attr-defined]


def test_nan_in_both_reduced_precisions_ends_in_fp32() -> None:
    result = restored(photo(64, 64), fakes.nan_in("fp16", "bf16"), precision="fp16")
    np.testing.assert_allclose(residual_of(result), 0.05, atol=ROUNDING)
    passed = [(r["precision"], r["passed"]) for r in result.report["retries"]]  # type: ignore[attr-defined]
    assert passed == [("bf16", False), ("fp32", True)]


def test_a_fault_of_large_tiles_ends_in_smaller_pieces() -> None:
    def only_small(tiles: torch.Tensor, precision: str) -> torch.Tensor:
        return tiles + 0.05 if tiles.shape[-1] <= 32 else tiles * float("nan")

    result = restored(photo(64, 64), fakes.fake(only_small))
    np.testing.assert_allclose(residual_of(result), 0.05, atol=ROUNDING)


REFUSED = {
    "NaN": (fakes.nan_in("fp32"), "not finite"),
    "constant": (fakes.fake(lambda tiles, precision: torch.full_like(tiles, 0.5)), "constant"),
    "brightness": (fakes.brighten(0.2), "another colour"),
    "mirrored": (fakes.fake(lambda tiles, precision: tiles.flip(-1)), "another picture"),
}


@pytest.mark.parametrize(("pipeline", "fault"), REFUSED.values(), ids=REFUSED)
def test_output_that_fails_every_check_is_never_delivered(pipeline: Pipeline, fault: str) -> None:
    with pytest.raises(Unrestorable, match="column 0, row 0") as caught:
        restored(photo(64, 64), pipeline)
    assert caught.value.reason == "OUTPUT_REFUSED"
    assert caught.value.details["fault"] == fault


def test_nan_in_latents_is_noticed() -> None:
    class Broken(fakes.StagedPipeline):
        def predict(self, latent: torch.Tensor, **kwargs: Any) -> torch.Tensor:
            return latent * float("nan")

    with pytest.raises(Unrestorable) as caught:
        restored(photo(64, 64), Broken())
    assert caught.value.details["stage"] == "predict"
