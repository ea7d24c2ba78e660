"""How long and how large: from what ran before, and from the pipeline's own words."""

import pytest

from safelight.client.bridge_estimate import Rates, memory_bytes, network_pixels, working_scale
from safelight.engine.pipelines.compact_spec import COMPACT
from safelight.engine.pipelines.osediff_spec import OSEDIFF, OSEDIFF_FACE
from safelight.engine.region_plan import plan_region
from safelight.geometry import Rect, Size
from safelight.settings import RestoreSettings


@pytest.fixture
def rates(tmp_path):
    return Rates(tmp_path / "cache" / "rates.json")


def report(seconds, tiles=4, **changes):
    stages = {"decode": {"plane": [100, 100], "tile": [64, 64], "grid": [2, 2]}}
    return {
        "plan": {"stages": stages},
        "tiles": {"decode": tiles},
        "stages_s": {"decode": seconds},
        **changes,
    }


def test_before_the_first_job_the_time_is_not_known(rates):
    assert rates.seconds("a GPU", COMPACT, 1e6) is None


def test_the_time_is_that_of_the_last_job_by_pixels(rates):
    rates.learn("a GPU", COMPACT, report(2.0))
    assert rates.seconds("a GPU", COMPACT, 8 * 64 * 64) == pytest.approx(4.0)
    assert rates.seconds("another", COMPACT, 1e6) is None


def test_a_slow_hour_is_forgotten(rates):
    for seconds in (10.0, *[1.0] * 8):
        rates.learn("a GPU", COMPACT, report(seconds))
    assert rates.seconds("a GPU", COMPACT, 4 * 64 * 64) == pytest.approx(1.0, rel=0.05)


@pytest.mark.parametrize(
    "told", [report(2.0, network="kept"), report(2.0, network="completed"), report(2.0, tiles=0), {}]
)
def test_jobs_without_a_whole_network_teach_nothing(rates, told):
    rates.learn("a GPU", COMPACT, told)
    assert rates.seconds("a GPU", COMPACT, 1e6) is None


def test_a_damaged_file_is_as_none(rates):
    rates.path.parent.mkdir()
    rates.path.write_text("[]")
    assert rates.seconds("a GPU", COMPACT, 1e6) is None
    rates.learn("a GPU", COMPACT, report(2.0))
    assert rates.seconds("a GPU", COMPACT, 4 * 64 * 64) == pytest.approx(2.0)


def planned_pixels(spec, region, document, working_scale):
    """What the engine plans, all pixels of the document sent."""
    plan = plan_region(spec, region=region, sent=Rect.of_size(document), working_scale=working_scale)
    total = 0
    for stage in plan.stages:
        unit = 1 if stage.name == "encode" else spec.latent_px
        steps = spec.steps if stage.name == "predict" else 1
        total += steps * len(stage.tiles.tiles) * stage.tiles.tile.area * unit * unit
    return total


CASES = {
    "compact, region": (COMPACT, Rect(500, 400, 700, 500), Size(2000, 1500), 1, 1.0),
    "compact, enlarged": (COMPACT, Rect(0, 0, 1000, 800), Size(1000, 800), 2, 2.0),
    "osediff, small region": (OSEDIFF, Rect(500, 400, 200, 256), Size(2000, 1500), 1, 2.56),
    "osediff, large region": (OSEDIFF, Rect(100, 100, 1800, 1200), Size(2000, 1500), 1, 1.0),
    "osediff-face": (OSEDIFF_FACE, Rect(500, 400, 300, 300), Size(2000, 1500), 1, 356 / 300),
}


@pytest.mark.parametrize(("spec", "region", "document", "scale", "working"), CASES.values(), ids=CASES)
def test_pixels_are_counted_about_as_the_engine_plans(spec, region, document, scale, working):
    counted = network_pixels(spec, RestoreSettings(spec.id, output_scale=scale), region.size, document)
    assert counted == pytest.approx(planned_pixels(spec, region, document, working), rel=0.25)


@pytest.mark.parametrize(("spec", "region", "document", "scale", "working"), CASES.values(), ids=CASES)
def test_the_working_scale_is_told_that_the_engine_chooses(spec, region, document, scale, working):
    settings = RestoreSettings(spec.id, output_scale=scale)
    assert working_scale(spec, settings, region.size, document) == pytest.approx(working)
    own = RestoreSettings(spec.id, output_scale=scale, working_scale=1.5)
    assert working_scale(spec, own, region.size, document) == 1.5


MEMORY = {
    "a picture of one tile": (COMPACT, Size(300, 200), 8_000_000 + 1500 * 300 * 200),
    "a picture of many tiles": (COMPACT, Size(9000, 9000), 8_000_000 + 1500 * 8 * 384 * 384),
    "latent tiles": (OSEDIFF, Size(2000, 2000), 1_900_000_000 + 1650 * 768 * 768),
}


@pytest.mark.parametrize(("spec", "picture", "expected"), MEMORY.values(), ids=MEMORY)
def test_memory_is_that_of_weights_and_a_batch(spec, picture, expected):
    assert memory_bytes(spec, RestoreSettings(spec.id), picture, picture) == expected
