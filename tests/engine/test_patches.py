"""A preview patch is the part of the whole result that it shows, and costs only its tiles."""

from dataclasses import replace

import numpy as np
import pytest

from safelight.engine.finish import result_bands
from safelight.engine.out_of_memory import MemoryLadder
from safelight.engine.region_plan import covered_document
from safelight.engine.request import Preview
from safelight.engine.restore import restore
from safelight.geometry import Rect
from tests.engine.jobs_at_hand import finished, followed, photo, request_for
from tests.fakes import pipelines
from tests.fakes.pipelines import ONE_STAGE, STAGED

PIXELS = photo(448, 384)
MAGNIFYING = replace(ONE_STAGE, magnifications=(1, 2, 4))
REGION = Rect(16, 8, 400, 360)
PATCHES = {
    "middle": Rect(180, 150, 64, 48),
    "corner": Rect(16, 8, 40, 40),
    "a row": Rect(16, 200, 400, 1),
    "region": REGION,
}


def uneven(tiles, precision):
    """Depends on the whole tile, so that a tile of another plan would show."""
    return tiles + 0.1 * (tiles.flip(-1) - 0.5) * tiles.mean((1, 2, 3), keepdim=True)


def delivered(request, pipeline):
    restoration = finished(restore(request, pipeline, memory=MemoryLadder()))
    bands = [band.pixels for band in result_bands(restoration, rows_per_band=50)]
    return np.concatenate(bands), restoration.report


def part(whole, patch, scale):
    return whole[patch.shifted(-REGION.x, -REGION.y).times(scale).slices]


CASES = {
    "in place": {},
    "bands weighed": {"detail": 0.4, "strength": 0.8, "colour": 0.2},
    "enlarged": {"output_scale": 2, "detail": 0.5},
    "seen larger": {"working_scale": 1.5, "detail": 0.5},
    "seen smaller": {"working_scale": 0.25, "detail": 0.5},
    "seen larger than it is wanted": {"working_scale": 4.0, "detail": 0.5},
    "one residual for all channels": {"monochrome": "on", "colour": 0.5},
}


@pytest.mark.parametrize("values", CASES.values(), ids=CASES)
@pytest.mark.parametrize("masked", [False, True], ids=["box", "lasso"])
def test_a_patch_has_the_bits_of_the_whole_result(values, masked):
    pipeline = pipelines.fake(uneven, spec=MAGNIFYING)
    request = request_for(PIXELS, pipeline.spec, region=REGION, **values)
    if masked:
        mask = np.zeros((REGION.height, REGION.width), np.uint8)
        mask[20:200, 30:230] = 255
        request = replace(request, mask=mask)
    whole, _ = delivered(request, pipeline)
    assert whole.any()
    scale = request.settings.output_scale
    for patch in PATCHES.values():
        shown, _ = delivered(replace(request, patch=patch), pipeline)
        assert np.array_equal(shown, part(whole, patch, scale))


@pytest.mark.parametrize("dtype", [np.uint16, np.float32])
@pytest.mark.parametrize("alpha", [False, True])
def test_a_patch_of_other_formats_is_the_whole_results_too(dtype, alpha):
    pixels = PIXELS.astype(dtype) * (257 if dtype == np.uint16 else np.float32(1 / 255))
    if alpha:
        hidden = np.where(np.add.outer(np.arange(384), np.arange(448)) % 90 < 30, 0, pixels.max())
        pixels = np.dstack([pixels, hidden.astype(dtype)])
    pipeline = pipelines.fake(uneven, spec=MAGNIFYING)
    for scale in (1, 2):
        request = request_for(pixels, pipeline.spec, region=REGION, output_scale=scale, detail=0.5)
        whole, _ = delivered(request, pipeline)
        shown, _ = delivered(replace(request, patch=PATCHES["middle"]), pipeline)
        assert shown.tobytes() == part(whole, PATCHES["middle"], scale).tobytes()


def test_a_patch_of_a_staged_pipeline_computes_few_tiles_of_every_stage():
    pipeline = pipelines.StagedPipeline(gain=0.96875)
    request = request_for(PIXELS, STAGED, region=REGION)
    whole, all_tiles = delivered(request, pipeline)
    shown, tiles = delivered(replace(request, patch=PATCHES["corner"]), pipeline)
    assert np.array_equal(shown, part(whole, PATCHES["corner"], 1))
    for stage, count in all_tiles["tiles"].items():
        assert tiles["tiles"][stage] < count / 2


def test_the_plan_of_a_patch_is_the_whole_jobs():
    pipeline = pipelines.fake(uneven)
    request = request_for(PIXELS, pipeline.spec, region=REGION)
    _, whole = delivered(request, pipeline)
    _, patch = delivered(replace(request, patch=PATCHES["corner"]), pipeline)
    assert patch["plan"] == whole["plan"]
    assert patch["conditioning"] == whole["conditioning"]


def test_grain_on_a_patch_is_said_to_be_provisional():
    pipeline = pipelines.fake(uneven)
    request = request_for(PIXELS, pipeline.spec, region=REGION, grain=1.0)
    _, whole = delivered(request, pipeline)
    _, patch = delivered(replace(request, patch=PATCHES["middle"]), pipeline)
    assert "provisional" not in whole
    assert patch["provisional"] == ["grain"]
    assert patch["tiles"]["decode"] < whole["tiles"]["decode"] / 2


def test_tile_previews_of_a_patch_lie_in_the_patch():
    pipeline = pipelines.fake(uneven, spec=MAGNIFYING)
    patch = PATCHES["middle"]
    request = replace(request_for(PIXELS, pipeline.spec, region=REGION, output_scale=2), patch=patch)
    _, events = followed(restore(request, pipeline, memory=MemoryLadder(), previews=True))
    shown = np.zeros((patch.height * 2, patch.width * 2), bool)
    for preview in (e for e in events if isinstance(e, Preview)):
        assert Rect(0, 0, patch.width * 2, patch.height * 2).contains(preview.rect)
        shown[preview.rect.slices] = True
    assert shown.all()


@pytest.mark.parametrize("focus", [(16, 8), (415, 367), (200, 100)])
def test_tiles_nearest_to_the_focus_come_first_and_the_result_stays(focus):
    pipeline = pipelines.fake(uneven)
    request = request_for(PIXELS, pipeline.spec, region=REGION)
    plain, _ = delivered(request, pipeline)
    run = restore(replace(request, focus=focus), pipeline, memory=MemoryLadder(), previews=True)
    restoration, events = followed(run)
    first = next(e for e in events if isinstance(e, Preview)).rect.shifted(REGION.x, REGION.y)
    assert first.grown(1).contains(Rect(*focus, 1, 1))
    rows = [band.pixels for band in result_bands(restoration, rows_per_band=50)]
    assert np.array_equal(np.concatenate(rows), plain)


@pytest.mark.parametrize("values", CASES.values(), ids=CASES)
def test_a_layers_patch_may_reach_beyond_the_region(values):
    """There come restored pixels as far as the network saw, and the document's beyond."""
    pipeline = pipelines.fake(uneven, spec=MAGNIFYING)
    region = Rect(120, 100, 90, 70)
    request = replace(request_for(PIXELS, pipeline.spec, region=region, **values), layer=True)
    scale = request.settings.output_scale
    alone, _ = delivered(request, pipeline)
    around, report = delivered(replace(request, patch=request.sent), pipeline)
    unchanged = replace(request, patch=request.sent, settings=replace(request.settings, strength=0.0))
    document, _ = delivered(unchanged, pipeline)
    assert np.array_equal(around[region.times(scale).slices], alone)
    seen = covered_document(Rect(*report["plan"]["box"]), report["plan"]["working_scale"])
    assert seen.contains(region.grown(8))
    assert not seen.contains(request.sent)
    changed = np.any(around != document, axis=2)
    rows, columns = np.nonzero(changed)
    found = Rect.from_edges(columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
    assert found == seen.times(scale)
