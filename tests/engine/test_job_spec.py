"""A spec as a job's own settings make it."""

import pytest

from safelight.engine.job_spec import job_spec
from safelight.engine.pipelines.faithdiff_spec import FAITHDIFF
from safelight.engine.region_plan import plan_region
from safelight.errors import InvalidRequest
from safelight.geometry import Rect
from safelight.settings import RestoreSettings
from tests.fakes.pipelines import ONE_STAGE


def changed(**values):
    return job_spec(FAITHDIFF, RestoreSettings("faithdiff").with_values(FAITHDIFF, values))


def test_a_spec_without_such_settings_stays_as_it_is():
    assert job_spec(ONE_STAGE, RestoreSettings(ONE_STAGE.id).checked(ONE_STAGE)) is ONE_STAGE


@pytest.mark.parametrize(
    ("tile_size", "overlap", "cells", "overlap_cells"),
    [(1024, 0.25, 128, 32), (1280, 0.5, 160, 80), (1056, 0.1, 132, 12), (1024, 0.9, 128, 116)],
)
def test_a_tile_in_pixels_and_a_share_of_it(tile_size, overlap, cells, overlap_cells):
    tiling = changed(tile_size=tile_size, overlap=overlap).stages["predict"]
    assert (tiling.tile, tiling.overlap) == (cells, overlap_cells)


def test_a_tile_between_cells_is_refused():
    with pytest.raises(InvalidRequest, match="tile_size is 1030: give a multiple of 32"):
        changed(tile_size=1030)


def test_2048_pixels_are_two_tiles_a_little_larger_than_one():
    stages = {stage.name: stage.tiles for stage in whole(2048).stages}
    assert {name: len(plan.tiles) for name, plan in stages.items()} == {
        "encode": 4,
        "predict": 4,
        "decode": 4,
    }
    assert stages["predict"].tile == (136, 136)


def test_1024_pixels_are_one_tile():
    assert [len(stage.tiles.tiles) for stage in whole(1024).stages] == [1, 1, 1]


def whole(side):
    area = Rect(0, 0, side, side)
    return plan_region(changed(), region=area, sent=area, working_scale=1)


def test_steps_are_a_setting():
    assert changed(steps=7).steps == 7
    assert changed().steps == 20


def test_other_stages_keep_their_settings():
    stages = changed(encode_tile=512, decode_tile=48, decode_overlap=8).stages
    assert (stages["encode"].tile, stages["encode"].overlap) == (512, 256)
    assert (stages["decode"].tile, stages["decode"].overlap) == (48, 8)
