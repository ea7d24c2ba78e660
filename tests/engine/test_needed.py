from dataclasses import replace

import numpy as np
import pytest

from safelight.engine.finish import result_bands
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
    return np.concatenate(rows), restoration.report["tiles"]["decode"]


@pytest.mark.parametrize("detail", [1.0, 0.5], ids=["plain", "with the band filter"])
def test_a_masked_job_computes_fewer_tiles_and_gives_the_same_inside(detail):
    pixels = photo(512, 512)
    pipeline = pipelines.brighten(0.05)
    values = {"detail": detail, "colour": 1.0}
    whole, all_tiles = result_of(masked(pixels, pipeline.spec, layer=True, values=values), pipeline)
    inside, tiles = result_of(masked(pixels, pipeline.spec, values=values), pipeline)
    assert tiles < all_tiles / 2
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


def test_a_staged_pipeline_skips_only_decoding():
    pixels = photo(256, 512)
    pipeline = pipelines.StagedPipeline()
    request = masked(pixels, pipeline.spec)
    restoration = finished(restore(request, pipeline, memory=MemoryLadder()))
    plan, tiles = restoration.report["plan"]["stages"], restoration.report["tiles"]
    counts = {name: int(np.prod(stage["grid"])) for name, stage in plan.items()}
    assert tiles["encode"] == counts["encode"]
    assert tiles["decode"] < counts["decode"]
