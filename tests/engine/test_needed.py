from dataclasses import replace

import numpy as np
import pytest

from safelight.engine.finish import result_bands
from safelight.engine.job_plan import plan_job
from safelight.engine.needed import feeding_tiles
from safelight.engine.out_of_memory import MemoryLadder
from safelight.engine.restore import restore
from tests.engine.jobs_at_hand import finished, photo, request_for
from tests.fakes import pipelines

LASSO = np.s_[300:380, 40:150]


def masked(pixels, spec, **changes):
    mask = np.zeros(pixels.shape[:2], np.uint8)
    mask[LASSO] = 255
    request = request_for(pixels, spec, feather=0.0, **changes.pop("values", {}))
    return replace(request, mask=mask, **changes)


def result_of(request, pipeline):
    restoration = finished(restore(request, pipeline, memory=MemoryLadder()))
    rows = [band.pixels for band in result_bands(restoration, rows_per_band=100)]
    return np.concatenate(rows), restoration.report["tiles"]


@pytest.mark.parametrize("detail", [1.0, 0.5], ids=["plain", "with the band filter"])
def test_a_masked_job_computes_fewer_tiles_and_gives_the_same_inside(detail):
    pixels = photo(512, 512)
    pipeline = pipelines.brighten(0.05)
    values = {"detail": detail, "colour": 1.0}
    whole, all_tiles = result_of(masked(pixels, pipeline.spec, layer=True, values=values), pipeline)
    inside, tiles = result_of(masked(pixels, pipeline.spec, values=values), pipeline)
    assert tiles["decode"] < all_tiles["decode"] / 2
    assert np.array_equal(inside[LASSO], whole[LASSO])
    assert (inside[LASSO] != pixels[LASSO]).any()


def test_grain_and_layers_need_every_tile():
    pixels = photo(256, 448)
    pipeline = pipelines.brighten(0.05)
    _, all_tiles = result_of(replace(masked(pixels, pipeline.spec), mask=None), pipeline)
    for request in (
        masked(pixels, pipeline.spec, layer=True),
        masked(pixels, pipeline.spec, values={"grain": 1.0}),
    ):
        assert result_of(request, pipeline)[1] == all_tiles


def test_stages_before_decoding_compute_only_what_feeds_the_decoded_tiles():
    pixels = photo(512, 512)
    request = replace(masked(pixels, pipelines.STAGED), layer=True)
    pipeline = ShiftingPipeline()
    whole, all_tiles = result_of(request, pipeline)
    inside, tiles = result_of(masked(pixels, pipeline.spec), pipeline)
    assert np.array_equal(inside[LASSO], whole[LASSO])
    assert (inside[LASSO] != pixels[LASSO]).any()
    assert tiles["decode"] < all_tiles["decode"] / 2
    assert all(tiles[stage] < 0.7 * all_tiles[stage] for stage in ("encode", "predict"))


class ShiftingPipeline(pipelines.StagedPipeline):
    """Each step takes something of the cells next to it, so that a tile too few in any step would show."""

    def predict(self, latent, **kwargs):
        beside = latent.roll(1, 2) + latent.roll(1, 3)
        return super().predict(latent, **kwargs) + 0.01 * (beside - 2 * latent)


def test_one_step_needs_fewer_tiles_than_two():
    plan = plan_job(masked(photo(512, 512), pipelines.STAGED), pipelines.STAGED)
    encoded, (predicted,) = feeding_tiles(plan.region, plan.wanted, 1)
    more_encoded, (first, last) = feeding_tiles(plan.region, plan.wanted, 2)
    assert last == predicted
    assert set(predicted) < set(first)
    assert set(encoded) <= set(more_encoded)


def test_a_one_stage_plan_has_nothing_to_feed():
    plan = plan_job(masked(photo(256, 512), pipelines.ONE_STAGE), pipelines.ONE_STAGE)
    assert feeding_tiles(plan.region, plan.wanted, 0) == ((), ())


def test_where_nothing_is_selected_one_tile_is_computed():
    pixels = photo(256, 512)
    request = replace(masked(pixels, pipelines.ONE_STAGE), mask=np.zeros((512, 256), np.uint8))
    result, tiles = result_of(request, pipelines.brighten(0.05))
    assert np.array_equal(result, pixels)
    assert tiles == {"decode": 1}
