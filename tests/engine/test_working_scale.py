from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from skimage import data

from safelight.engine.working_scale import choose_working_scale, resolved_share
from safelight.geometry import Size
from safelight.imaging.pixels import FloatArray
from tests.fakes.restorations import SPEC

SHARP = ["astronaut", "coffee", "camera", "rocket", "grass"]
FILTERS = [Image.Resampling.BICUBIC, Image.Resampling.LANCZOS, Image.Resampling.BILINEAR]
NO_PREFERENCE = replace(SPEC, auto_short_side_px=None)


def photo(name: str, factor: float = 1, filter: Image.Resampling = Image.Resampling.LANCZOS) -> FloatArray:
    image = Image.fromarray(getattr(data, name)()).convert("RGB").crop((100, 40, 420, 360))
    if factor != 1:
        image = image.resize((round(image.width * factor), round(image.height * factor)), filter)
    return np.asarray(image, np.float32) / 255


@pytest.mark.parametrize("name", SHARP)
def test_sharp_photographs_use_all_of_their_sampling(name):
    assert resolved_share(photo(name)) == 1.0


@pytest.mark.parametrize("name", SHARP[1:])
@pytest.mark.parametrize("filter", FILTERS)
@pytest.mark.parametrize(("factor", "low", "high"), [(2, 0.3, 0.65), (4, 0.25, 0.4)])
def test_enlarged_photographs_are_recognised_as_oversampled(name, filter, factor, low, high):
    assert low <= resolved_share(photo(name, factor, filter)) <= high


@pytest.mark.parametrize("name", ["astronaut", "camera", "grass"])
def test_scanner_noise_does_not_hide_oversampling(name):
    enlarged = photo(name, 2)
    noisy = enlarged + np.random.default_rng(0).normal(0, 0.02, enlarged.shape)
    assert 0.35 <= resolved_share(np.rint(np.clip(noisy, 0, 1) * 255).astype(np.float32) / 255) <= 0.62


@pytest.mark.parametrize(
    ("name", "sample"),
    [
        ("flat", np.full((300, 300, 3), 0.5, np.float32)),
        ("tiny", np.random.default_rng(0).random((40, 40, 3)).astype(np.float32)),
        ("noise", np.random.default_rng(0).random((300, 300, 1)).astype(np.float32)),
        ("not finite", np.full((300, 300, 3), np.nan, np.float32)),
    ],
)
def test_pictures_that_say_nothing_count_as_sharp(name, sample):
    assert resolved_share(sample) == 1.0, name


@pytest.mark.parametrize(
    ("name", "value", "spec", "selection", "whole_picture", "output_scale", "expected"),
    [
        ("explicit value wins", 0.7, SPEC, Size(100, 100), False, 1, 0.7),
        ("explicit value wins for whole pictures", 3.0, SPEC, Size(100, 100), True, 2, 3.0),
        ("no preferred size, in place", 0.0, NO_PREFERENCE, Size(100, 100), False, 1, 1.0),
        ("no preferred size, enlarged", 0.0, NO_PREFERENCE, Size(100, 100), True, 4, 4.0),
        ("short side to 512", 0.0, SPEC, Size(400, 256), False, 1, 2.0),
        ("at most four times", 0.0, SPEC, Size(60, 400), False, 1, 4.0),
        ("a sharp large selection stays", 0.0, SPEC, Size(3000, 2000), False, 1, 1.0),
        ("a whole picture in place", 0.0, SPEC, Size(200, 200), True, 1, 1.0),
        ("a whole picture enlarged", 0.0, SPEC, Size(200, 200), True, 2, 2.0),
        ("a region enlarged", 0.0, SPEC, Size(200, 200), False, 4, 4.0),
    ],
)
def test_choice_without_oversampling(name, value, spec, selection, whole_picture, output_scale, expected):
    chosen = choose_working_scale(
        value,
        spec,
        selection=selection,
        whole_picture=whole_picture,
        output_scale=output_scale,
        sample=photo("astronaut"),
    )
    assert chosen == pytest.approx(expected), name


@pytest.mark.parametrize(
    ("selection", "whole_picture", "output_scale", "low", "high"),
    [
        (Size(2048, 2048), False, 1, 0.25, 0.36),
        (Size(2048, 2048), True, 1, 0.25, 0.36),
        (Size(1024, 1024), False, 1, 0.5, 0.5),  # 512 network pixels are enough
        (Size(2048, 2048), True, 2, 2.0, 2.0),
    ],
)
def test_an_oversampled_scan_goes_below_1_in_place(selection, whole_picture, output_scale, low, high):
    chosen = choose_working_scale(
        0.0,
        SPEC,
        selection=selection,
        whole_picture=whole_picture,
        output_scale=output_scale,
        sample=photo("astronaut", 4),
    )
    assert low <= chosen <= high
