from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from safelight.engine.bands import HALO_PX, blur, low_band, needs_filter, split_bands, weigh_bands


def random_plane(height: int, width: int, channels: int = 3, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-1, 1, (height, width, channels)).astype(np.float32)


def convolved(plane: np.ndarray, dilation: int) -> np.ndarray:
    """The definition, written out: nine shifted copies of the plane with replicated edges."""
    height, width, _ = plane.shape
    d = dilation
    padded = np.pad(plane.astype(np.float64), ((d, d), (d, d), (0, 0)), mode="edge")
    kernel = np.outer([1, 2, 1], [1, 2, 1]) / 16
    return sum(
        kernel[i, j] * padded[i * d : i * d + height, j * d : j * d + width]
        for i in range(3)
        for j in range(3)
    )


@settings(max_examples=40, deadline=None)
@given(
    height=st.integers(1, 50), width=st.integers(1, 50), level=st.integers(0, 4), seed=st.integers(0, 1000)
)
def test_blur_is_the_dilated_binomial_kernel_with_replicated_edges(height, width, level, seed):
    plane = random_plane(height, width, 1, seed)
    assert blur(plane, 2**level) == pytest.approx(convolved(plane, 2**level), abs=1e-6)


def test_bands_sum_to_the_plane():
    plane = random_plane(70, 90)
    bands = split_bands(plane)
    assert len(bands) == 6
    assert sum(bands) == pytest.approx(plane, abs=1e-6)


def test_the_low_band_of_a_constant_is_the_constant_and_details_are_zero():
    plane = np.full((9, 40, 3), 0.375, np.float32)
    *details, low = split_bands(plane)
    assert np.array_equal(low, plane)
    assert not any(band.any() for band in details)


@pytest.mark.parametrize(
    "weights",
    [(1, 1, 1, 1, 1, 0), (0.5, 0.5, 0.8, 0.8, 0.8, 0), (0, 0, 0, 0, 0, 1), (0.1, 0.9, 0.3, 0.7, 0.2, 0.4)],
)
def test_weighing_is_the_weighted_sum_of_the_bands(weights):
    plane = random_plane(70, 90)
    expected = sum(w * band for w, band in zip(weights, split_bands(plane), strict=True))
    assert weigh_bands(plane, weights) == pytest.approx(expected, abs=1e-6)


def test_equal_weights_need_no_filter_and_keep_the_bits():
    plane = random_plane(20, 30)
    assert not needs_filter((0.5,) * 6)
    assert np.array_equal(weigh_bands(plane, (0.5,) * 6), plane * np.float32(0.5))
    assert weigh_bands(plane, (1.0,) * 6).tobytes() == plane.tobytes()


def test_low_band_zero_is_the_plane_without_its_low_band():
    plane = random_plane(40, 50)
    assert weigh_bands(plane, (1, 1, 1, 1, 1, 0)) == pytest.approx(plane - low_band(plane), abs=1e-6)


@settings(max_examples=25, deadline=None)
@given(start=st.integers(0, 119), rows=st.integers(1, 60))
def test_rows_with_their_halo_equal_the_whole_bit_for_bit(start, rows):
    plane = random_plane(120, 40)
    weights = (0.5, 0.5, 0.8, 0.8, 0.8, 0.1)
    end = min(120, start + rows)
    first, last = max(0, start - HALO_PX), min(120, end + HALO_PX)
    part = weigh_bands(plane[first:last], weights)[start - first : end - first]
    assert part.tobytes() == weigh_bands(plane, weights)[start:end].tobytes()


def test_a_single_sample_reaches_exactly_the_halo():
    plane = np.zeros((101, 101, 1), np.float32)
    plane[50, 50] = 1
    rows, columns, _ = np.nonzero(low_band(plane))
    assert (rows.min(), rows.max()) == (50 - HALO_PX, 50 + HALO_PX)
    assert (columns.min(), columns.max()) == (50 - HALO_PX, 50 + HALO_PX)
