from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from skimage import data

from safelight.engine.finish import result_bands
from safelight.engine.monochrome import MOST_DEVIATION, deviation, guarded, lab, toning_of
from safelight.imaging.pixels import FloatArray
from tests.fakes.restorations import PLAIN, restoration_of

RNG = np.random.default_rng(11)


def toned(grey: np.ndarray, name: str) -> FloatArray:
    """A grey H W picture in 0..1 as an RGB print of that toning."""
    t = grey[..., None]
    curves = {
        "grey": t * [1, 1, 1],
        "sepia": t * [1.07, 0.95, 0.74] + [0, 0, 0.02],
        "selenium": np.concatenate([t**0.9, t, t**1.1], axis=2),
        "split": t + 0.08 * np.sin(np.pi * t) * [0.5, 0, -1] + 0.05 * (1 - t) * [-1, 0, 1],
    }
    return np.clip(curves[name], 0, 1).astype(np.float32)


CAMERA = data.camera()[::2, ::2] / 255
TONINGS = ["grey", "sepia", "selenium", "split"]


@pytest.mark.parametrize(
    ("colour", "expected"),
    [
        # sRGB primaries and a grey in Lab, D65 (Lindbloom's calculator)
        ((1, 1, 1), (100, 0, 0)),
        ((1, 0, 0), (53.24, 80.09, 67.20)),
        ((0, 0, 1), (32.30, 79.19, -107.86)),
        ((0.5, 0.5, 0.5), (53.39, 0, 0)),
    ],
)
def test_lab_of_known_colours(colour, expected):
    assert lab(np.array(colour, np.float32)) == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize("name", TONINGS)
def test_toned_pictures_are_recognised_with_their_noise(name):
    picture = toned(CAMERA, name)
    assert deviation(picture) < 0.5
    noisy = np.clip(picture + RNG.normal(0, 0.01, picture.shape), 0, 1).astype(np.float32)
    assert guarded(toning_of(noisy), "auto") is not None


@pytest.mark.parametrize("name", ["astronaut", "coffee", "chelsea", "rocket"])
def test_colour_photographs_are_not(name):
    picture = (getattr(data, name)()[..., :3] / 255).astype(np.float32)
    assert deviation(picture) > MOST_DEVIATION
    assert guarded(toning_of(picture), "auto") is None
    assert guarded(toning_of(picture), "on") is not None


def test_off_is_off():
    assert guarded(toning_of(toned(CAMERA, "sepia")), "off") is None


def _blotches() -> FloatArray:
    """Lightness detail and large colour blotches, as a generative network makes them."""
    rows, columns = np.mgrid[0:256, 0:256] / 30
    colour = 0.08 * np.stack([np.sin(rows), np.sin(columns + 1), np.cos(rows + columns)], axis=2)
    detail = RNG.normal(0, 0.05, (256, 256, 1))
    return (colour + detail).astype(np.float32)


def _restored(picture: FloatArray, monochrome: str, **settings: float) -> tuple[FloatArray, object]:
    document = np.rint(picture * 255).astype(np.uint8)
    restoration = restoration_of(
        document,
        _blotches(),
        settings=replace(PLAIN, monochrome=monochrome, **settings),
        network_input=picture,
    )
    result = np.concatenate([band.pixels for band in result_bands(restoration, rows_per_band=64)])
    return result.astype(np.float32) / 255, restoration.report["monochrome"]


@pytest.mark.parametrize("name", TONINGS)
@pytest.mark.parametrize("colour", [0.0, 1.0])
def test_a_toned_print_comes_back_on_its_curve(name, colour):
    picture = toned(0.15 + 0.7 * CAMERA, name)  # blotches stay within 0..1
    result, acted = _restored(picture, "auto", colour=colour)
    assert acted is True
    assert deviation(np.concatenate([picture, result])) < 0.6  # 8-bit rounding alone is 0.3
    assert np.abs(result - picture).mean() > 0.02  # it was restored all the same


def test_without_the_guard_the_blotches_show():
    result, acted = _restored(toned(0.15 + 0.7 * CAMERA, "sepia"), "off")
    assert acted is False
    assert deviation(result) > 2 * MOST_DEVIATION


def test_a_grey_rgb_picture_stays_exactly_grey():
    result, _ = _restored(toned(CAMERA, "grey"), "auto")
    assert np.array_equal(result[..., 0], result[..., 1])
    assert np.array_equal(result[..., 0], result[..., 2])


def test_on_gives_colour_pictures_the_same_residual_in_all_channels():
    document = np.full((16, 16, 3), (60, 120, 180), np.uint8)
    document[8:] = (200, 40, 90)
    picture = np.tile(data.astronaut()[:64, :64] / np.float32(255), (1, 1, 1)).astype(np.float32)
    restoration = restoration_of(
        document, (0.5, 0.0, 0.0), settings=replace(PLAIN, monochrome="on"), network_input=picture
    )
    (band,) = result_bands(restoration, rows_per_band=16)
    assert np.all(band.pixels.astype(int) - document == 27)  # 0.2126 * 0.5 * 255 = 27.1


def test_toned_linear_floats_keep_samples_without_residual():
    picture = toned(CAMERA[:64, :64], "sepia")
    document = picture**2.2
    residual = np.zeros((64, 64, 3), np.float32)
    residual[:20] = 0.1
    restoration = restoration_of(
        document, residual, settings=replace(PLAIN, monochrome="auto"), linear=True, network_input=picture
    )
    (band,) = result_bands(restoration, rows_per_band=64)
    assert band.pixels[20:].tobytes() == document[20:].tobytes()
    assert not np.array_equal(band.pixels[:20], document[:20])
