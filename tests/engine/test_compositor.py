from __future__ import annotations

import numpy as np
import pytest

from safelight.engine.compositor import (
    FILL_REACH_PX,
    blend_in_light,
    fill_transparent,
    luma_of,
    restore_colours,
    to_samples,
)
from safelight.imaging.pixels import PixelFormat, Sample
from safelight.imaging.profiles import encoding_for

SRGB_FLOAT = encoding_for(PixelFormat(3, False, Sample.F32), b"")
SRGB_U8 = encoding_for(PixelFormat(3, False, Sample.U8), b"")
LINEAR_U16 = encoding_for(PixelFormat(3, False, Sample.U16, linear=True), b"")


def row(*values: float) -> np.ndarray:
    """1 N 3, each value in all channels."""
    return np.repeat(np.array(values, np.float32).reshape(1, -1, 1), 3, axis=2)


@pytest.mark.parametrize(
    ("sample", "before", "after"),
    [
        (Sample.U8, [-3.0, 0.5, 1.5, 2.5, 254.49, 300.0], [0, 0, 2, 2, 254, 255]),
        (Sample.U16, [-3.0, 40000.5, 40001.5, 70000.0], [0, 40000, 40002, 65535]),
        (Sample.F32, [-3.0, 0.123, 7.5], [-3.0, np.float32(0.123), 7.5]),
    ],
)
def test_samples_are_rounded_to_even_and_clipped_unless_they_are_floats(sample, before, after):
    result = to_samples(row(*before), sample)
    assert result.dtype == sample.dtype
    assert result[0, :, 0].tolist() == pytest.approx(after, abs=0)


def test_weights_0_and_1_give_exact_numbers_and_others_mix_light():
    document, restored = row(0.1, 0.1, 0.1), row(0.9, 0.9, 0.9)
    weights = np.array([[0.0, 1.0, 0.5]], np.float32)
    result = blend_in_light(document, restored, weights, SRGB_FLOAT)
    # light of 0.1 is 0.0100229, of 0.9 is 0.7874123; their mean encodes as 0.66422 (IEC 61966-2-1)
    assert result[0, 0, 0] == np.float32(0.1)
    assert result[0, 1, 0] == np.float32(0.9)
    assert result[0, 2, 0] == pytest.approx(0.66422, abs=2e-5)


def test_a_16_bit_linear_document_keeps_finer_steps_than_8_bits():
    document = np.repeat(np.arange(20000, 20064, dtype=np.uint16).reshape(1, -1, 1), 3, axis=2)
    residual = np.full((1, 64, 3), 0.01, np.float32)
    restored = restore_colours(document, residual, LINEAR_U16, sample=Sample.U16)
    assert len(np.unique(to_samples(restored, Sample.U16))) == 64


def test_resampled_integers_are_restored_from_between_their_levels():
    between = row(100.25, 100.5, 100.75)
    restored = restore_colours(between, np.zeros((1, 3, 3), np.float32), SRGB_U8, sample=Sample.U8)
    assert restored.tolist() == between.tolist()


def test_luma_of_equal_channels_is_their_value():
    assert luma_of(row(0.25, 0.5))[0, :, 0].tolist() == pytest.approx([0.25, 0.5])
    assert luma_of(np.array([[[1.0, 0, 0]]], np.float32)).item() == pytest.approx(0.2126)


def test_hidden_colours_become_a_mean_of_visible_ones_weighted_by_alpha():
    colours = np.zeros((1, 3, 3), np.float32)
    alpha = np.array([0.25, 0.0, 0.75], np.float32).reshape(1, 3, 1)
    colours[0, 0], colours[0, 1], colours[0, 2] = 0.2, 99.0, 0.8
    filled = fill_transparent(colours, alpha)
    assert filled[0, 0].tolist() == pytest.approx([0.2] * 3)
    assert filled[0, 2].tolist() == pytest.approx([0.8] * 3)
    assert 0.5 < filled[0, 1, 0] < 0.8


def test_filling_reaches_its_distance_and_no_further():
    colours = np.full((1, 40, 3), 99.0, np.float32)
    alpha = np.zeros((1, 40, 1), np.float32)
    colours[0, 0], alpha[0, 0] = 0.5, 1
    filled = fill_transparent(colours, alpha)[0, :, 0]
    assert filled[1 : FILL_REACH_PX + 1] == pytest.approx(0.5)
    assert np.all(filled[FILL_REACH_PX + 1 :] == 99.0)


def test_without_transparency_nothing_is_touched():
    colours = row(0.1, 0.2)
    assert fill_transparent(colours, np.ones((1, 2, 1), np.float32)) is colours
