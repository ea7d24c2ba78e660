"""From document samples to what the network sees."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from safelight.engine.prepare import network_input, reflected, working_scale_for
from safelight.engine.region_plan import RegionPlan, plan_region
from safelight.engine.request import RestoreRequest
from safelight.errors import InvalidRequest
from safelight.geometry import Rect, Size
from safelight.imaging.pixels import FloatArray
from safelight.imaging.resample import resize
from safelight.spec import PipelineSpec
from tests.engine.jobs_at_hand import photo, request_for
from tests.fakes.pipelines import ONE_STAGE, STAGED


def prepared(request: RestoreRequest, spec: PipelineSpec = ONE_STAGE, scale: float = 1) -> FloatArray:
    plan = plan_region(spec, region=request.region, sent=request.sent, working_scale=scale)
    return whole(request, plan)


def whole(request: RestoreRequest, plan: RegionPlan) -> FloatArray:
    *_, x = network_input(request, plan)
    return x


def test_reflected_positions() -> None:
    assert reflected(-5, 8, 0, 4).tolist() == [1, 2, 3, 2, 1, 0, 1, 2, 3, 2, 1, 0, 1]
    assert reflected(3, 9, 2, 5).tolist() == [1, 2, 3, 4, 3, 2]
    assert reflected(-2, 2, 0, 1).tolist() == [0, 0, 0, 0]


def test_at_scale_one_samples_are_only_divided() -> None:
    pixels = photo(150, 300)
    x = prepared(request_for(pixels, ONE_STAGE))
    assert np.array_equal(x, pixels / np.float32(255))


def test_grey_is_repeated_and_16_bit_is_not_rounded() -> None:
    pixels = np.arange(80 * 70, dtype=np.uint16).reshape(80, 70, 1) * 11
    x = prepared(request_for(pixels, ONE_STAGE))
    assert np.array_equal(x, np.repeat(pixels / np.float32(65535), 3, axis=2))


def test_beyond_the_picture_it_is_reflected() -> None:
    pixels = photo(70, 67)
    x = prepared(request_for(pixels, STAGED), STAGED)
    assert x.shape == (72, 72, 3)
    assert np.array_equal(x[67:], x[61:66][::-1])
    assert np.array_equal(x[:, 70:], x[:, 67:69][:, ::-1])


def test_floats_outside_the_range_are_clipped() -> None:
    pixels = np.linspace(-1, 2, 64 * 64 * 3, dtype=np.float32).reshape(64, 64, 3)
    x = prepared(request_for(pixels, ONE_STAGE))
    assert (x.min(), x.max()) == (0, 1)


@pytest.mark.parametrize("scale", [2.0, 0.5, 1.3])
def test_resampling_in_bands_equals_resampling_at_once(scale: float) -> None:
    pixels = photo(320, 400)
    request = request_for(pixels, ONE_STAGE)
    x = prepared(request, scale=scale)
    assert x.shape[:2] == (400 * scale, 320 * scale)
    at_once = resize(pixels / np.float32(255), Size(x.shape[1], x.shape[0]))
    assert np.array_equal(x, np.clip(at_once, 0, 1))


def test_a_region_sees_the_same_pixels_as_the_whole_picture() -> None:
    pixels = photo(300, 200)
    region = request_for(
        np.ascontiguousarray(pixels[20:180, 40:260]),
        ONE_STAGE,
        sent=Rect(40, 20, 220, 160),
        region=Rect(100, 60, 100, 80),
        document=Size(300, 200),
    )
    everything = prepared(request_for(pixels, ONE_STAGE))
    assert np.array_equal(prepared(region), everything[44:156, 84:216])


def test_hidden_colours_do_not_bleed_in() -> None:
    pixels = np.zeros((64, 96, 4), np.uint8)
    pixels[..., :3] = (255, 0, 255)  # hidden
    pixels[:, :40] = (100, 150, 50, 255)
    x = prepared(request_for(pixels, ONE_STAGE))
    np.testing.assert_allclose(x, np.broadcast_to(np.array([100, 150, 50]) / 255, x.shape), atol=1e-6)


def test_visible_samples_are_exact_beside_hidden_ones() -> None:
    pixels = np.dstack([photo(96, 64), np.zeros((64, 96), np.uint8)])
    pixels[10:50, 20:60, 3] = 1
    x = prepared(request_for(pixels, ONE_STAGE))
    assert np.array_equal(x[10:50, 20:60], pixels[10:50, 20:60, :3] / np.float32(255))
    assert x[:8].std() < x[10:50, 20:60].std()


def test_a_wholly_transparent_picture_is_grey() -> None:
    x = prepared(request_for(np.zeros((64, 64, 4), np.uint8), ONE_STAGE))
    assert np.all(x == 0.5)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_samples_that_are_no_numbers_are_refused(bad: float) -> None:
    pixels = np.full((64, 64, 3), 0.5, np.float32)
    pixels[37, 5, 1] = bad
    with pytest.raises(InvalidRequest, match="row 37") as caught:
        prepared(request_for(pixels, ONE_STAGE))
    assert caught.value.reason == "SAMPLES_NOT_FINITE"


AUTO = replace(ONE_STAGE, auto_short_side_px=512)

# name: region, what of it is selected, settings, expected working scale
SCALES: dict[str, tuple[Rect | None, Rect | None, dict[str, object], float]] = {
    "the selection's short side becomes 512": (Rect(50, 50, 256, 300), None, {}, 2.0),
    "at most four times": (Rect(50, 50, 80, 90), None, {}, 4.0),
    "the box around the mask counts": (Rect(50, 50, 300, 300), Rect(20, 30, 200, 128), {}, 4.0),
    "a whole sharp picture stays as it is": (None, None, {}, 1.0),
    "as asked": (Rect(50, 50, 256, 300), None, {"working_scale": 1.5}, 1.5),
    "the output scale": (Rect(50, 50, 256, 300), None, {"output_scale": 4}, 4.0),
}


@pytest.mark.parametrize(("region", "selected", "values", "scale"), SCALES.values(), ids=SCALES)
def test_working_scale(
    region: Rect | None, selected: Rect | None, values: dict[str, object], scale: float
) -> None:
    request = request_for(photo(512, 512), AUTO, region=region, **values)
    if selected is not None:
        mask = np.zeros((request.region.height, request.region.width), np.uint8)
        mask[selected.slices] = 255
        request = replace(request, mask=mask)
    assert working_scale_for(request, AUTO) == scale
