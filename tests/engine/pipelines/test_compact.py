"""The pipeline `compact`, with its shipped weights and with random ones of the same layout."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch

from safelight.engine.networks.compact import CompactNetwork
from safelight.engine.parts import Parts
from safelight.engine.pipelines import compact
from safelight.engine.pipelines.base import Precision
from safelight.engine.pipelines.compact import CompactPipeline
from safelight.engine.pipelines.compact_spec import COMPACT, WEIGHTS_FILE
from safelight.engine.region_plan import plan_region
from safelight.errors import NotReady
from safelight.geometry import Rect
from tests.engine.jobs_at_hand import photo, residual_of, restored
from tests.engine.seams import seam_measure

CPU = torch.device("cpu")
LEVEL = 1 / 255


@cache
def shipped() -> CompactPipeline:
    return compact.load(CPU, Parts())


@cache
def random_weights() -> CompactPipeline:
    """The true depth and so the true receptive field, with a head that changes as much as a trained one."""
    networks = {}
    for scale in (1, 2, 4):
        networks[scale] = CompactNetwork(scale=scale, channels=16, convs=8)
        networks[scale].initialise(torch.Generator().manual_seed(scale))
        torch.nn.init.normal_(
            networks[scale].head.weight, std=1.5e-3, generator=torch.Generator().manual_seed(9)
        )
    return CompactPipeline(networks, CPU, checkpoint_hashes={})


def test_the_hash_for_the_record_is_that_of_the_file() -> None:
    digest = hashlib.sha256(WEIGHTS_FILE.read_bytes()).hexdigest()
    assert shipped().checkpoint_hashes == {WEIGHTS_FILE.name: digest}


def test_damaged_weights_are_a_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compact, "WEIGHTS_FILE", WEIGHTS_FILE.with_name("none.safetensors"))
    with pytest.raises(NotReady) as caught:
        compact.load(CPU, Parts())
    assert caught.value.reason == "CHECKPOINT_DAMAGED"


@pytest.mark.parametrize("scale", [1, 2, 4])
def test_it_changes_the_picture_and_passes_the_sentinel(scale: int) -> None:
    result = restored(photo(150, 97), shipped(), output_scale=scale)
    assert result.report["retries"] == []
    assert residual_of(result).shape == (result.box.height, result.box.width, 3)
    assert np.abs(residual_of(result)).mean() > 0.1 * LEVEL


def test_the_box_starts_on_whole_cells_wherever_the_region_is() -> None:
    for x in range(90, 94):
        plan = plan_region(COMPACT, region=Rect(x, 91, 60, 61), sent=Rect(0, 0, 300, 300), working_scale=1)
        assert plan.input_box.x % 2 == plan.input_box.y % 2 == 0


@pytest.mark.parametrize("pipeline", [shipped, random_weights], ids=["shipped", "random"])
@pytest.mark.parametrize("scale", [1, 2, 4])
def test_tiled_equals_untiled(pipeline: object, scale: int, monkeypatch: pytest.MonkeyPatch) -> None:
    network = pipeline()  # type: ignore[operator]
    whole, tiled = (replace(COMPACT.stages["decode"], tile=tile) for tile in (512, 96))
    pixels = photo(150, 110)
    results = []
    for tiling in (whole, tiled):
        monkeypatch.setattr(network, "spec", replace(COMPACT, stages={"decode": tiling}))
        results.append(residual_of(restored(pixels, network, output_scale=scale)))
    assert np.abs(results[0] - results[1]).max() <= LEVEL


def test_another_batch_size_changes_at_most_one_level() -> None:
    """The tiling law, in fp32."""
    batched = compact.load(
        torch.device("cpu:0"), Parts()
    )  # computes here, but is not named "cpu": gets batches
    small = replace(COMPACT, stages={"decode": replace(COMPACT.stages["decode"], tile=96)})
    results = []
    for pipeline in (shipped(), batched):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(pipeline, "spec", small)
            results.append(restored(photo(200, 150), pipeline, output_scale=2))
    assert [r.report["batch"] for r in results] == [{"decode": 1}, {"decode": 8}]
    assert np.abs(residual_of(results[0]) - residual_of(results[1])).max() <= LEVEL


def test_a_region_equals_the_same_part_of_the_whole_picture() -> None:
    pixels = photo(300, 260)
    everything = restored(pixels, shipped())
    region = restored(pixels, shipped(), region=Rect(100, 90, 80, 70))
    box = region.box
    inside = Rect(100, 90, 80, 70).shifted(-box.x, -box.y)
    part = residual_of(everything)[90:160, 100:180]
    assert np.abs(residual_of(region)[inside.slices] - part).max() <= LEVEL


def test_no_seams_on_a_photograph(monkeypatch: pytest.MonkeyPatch) -> None:
    tiling = replace(COMPACT.stages["decode"], tile=128)
    monkeypatch.setattr(shipped(), "spec", replace(COMPACT, stages={"decode": tiling}))
    result = restored(photo(300, 260), shipped())
    plan = plan_region(
        shipped().spec, region=Rect(0, 0, 300, 260), sent=Rect(0, 0, 300, 260), working_scale=1
    )
    assert seam_measure(result.network_input + residual_of(result), plan.stages[0].tiles) <= 1.25


def test_sharpness_reaches_the_network() -> None:
    faithful, crisp = (
        residual_of(restored(photo(80, 80), random_weights(), output_scale=2, sharpness=value))
        for value in (0.0, 1.0)
    )
    assert np.abs(faithful - crisp).max() > LEVEL


def test_the_crisp_preset_is_full_sharpness() -> None:
    assert COMPACT.presets["crisp"] == {"sharpness": 1.0, "strength": 1.0, "detail": 1.0}


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_reduced_precision_stays_near_fp32(precision: Precision) -> None:
    exact, reduced = (
        residual_of(restored(photo(96, 96), shipped(), output_scale=2, precision=p))
        for p in ("fp32", precision)
    )
    error = np.square(exact - reduced).mean()
    assert -10 * np.log10(error) > 55  # measured: 76 dB in bf16


def test_its_weights_are_counted() -> None:
    assert 1_000_000 < shipped().weights_bytes <= COMPACT.memory.weights_bytes
