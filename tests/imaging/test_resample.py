"""Resampling: against Pillow, and bands against the whole."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from safelight.geometry import Size
from safelight.imaging.pixels import FloatArray
from safelight.imaging.resample import Filter, resize, resize_rows, source_rows

FILTERS: dict[Filter, Image.Resampling] = {
    "lanczos": Image.Resampling.LANCZOS,
    "bicubic": Image.Resampling.BICUBIC,
}
CASES = {
    "up x2": (Size(17, 13), Size(34, 26)),
    "up x4": (Size(9, 11), Size(36, 44)),
    "down by 0.37": (Size(61, 47), Size(23, 17)),
    "down by 4": (Size(40, 48), Size(10, 12)),
    "odd ratio up": (Size(19, 23), Size(31, 29)),
    "width only": (Size(20, 15), Size(33, 15)),
    "height only": (Size(20, 15), Size(20, 37)),
    "one row": (Size(12, 1), Size(24, 2)),
    "one column to one pixel": (Size(1, 30), Size(1, 1)),
}
each_case = pytest.mark.parametrize(("before", "after"), CASES.values(), ids=CASES.keys())


def noise(size: Size, channels: int = 3) -> FloatArray:
    return np.random.default_rng(7).random((size.height, size.width, channels), dtype=np.float32)


def banded(plane: FloatArray, size: Size, rows: int, filter: Filter) -> FloatArray:
    """Every band computed from only those source rows that it asks for."""
    bands = []
    for start in range(0, size.height, rows):
        end = min(start + rows, size.height)
        first, last = source_rows(plane.shape[0], size.height, start, end, filter=filter)
        bands.append(
            resize_rows(
                plane[first:last],
                size,
                start,
                end,
                first_source_row=first,
                source_height=plane.shape[0],
                filter=filter,
            )
        )
    return np.concatenate(bands)


@each_case
@pytest.mark.parametrize("filter", FILTERS)
def test_equals_pillow(before: Size, after: Size, filter: Filter) -> None:
    plane = noise(before)
    ours = resize(plane, after, filter=filter)
    for c in range(3):
        theirs = np.asarray(Image.fromarray(plane[..., c].copy()).resize(after, FILTERS[filter]))
        np.testing.assert_allclose(ours[..., c], theirs, atol=1e-6)  # float32 sums against double


@each_case
@pytest.mark.parametrize("filter", FILTERS)
@pytest.mark.parametrize("rows", [1, 5])
def test_bands_equal_the_whole_bit_for_bit(before: Size, after: Size, filter: Filter, rows: int) -> None:
    plane = noise(before)
    np.testing.assert_array_equal(banded(plane, after, rows, filter), resize(plane, after, filter=filter))


@settings(max_examples=60, deadline=None)
@given(
    width=st.integers(1, 60), height=st.integers(1, 60), channels=st.integers(1, 4),
    factor=st.sampled_from([0.25, 0.37, 0.5, 0.999, 1.3, 2, 3.7, 4]), rows=st.integers(1, 40),
)  # fmt: skip
def test_bands_equal_the_whole_at_any_size(
    width: int, height: int, channels: int, factor: float, rows: int
) -> None:
    plane = noise(Size(width, height), channels)
    after = Size(width, height).scaled(factor)
    np.testing.assert_array_equal(banded(plane, after, rows, "lanczos"), resize(plane, after))


@each_case
def test_a_flat_plane_stays_flat(before: Size, after: Size) -> None:
    plane = np.full((before.height, before.width, 1), 40000.0, dtype=np.float32)
    np.testing.assert_allclose(resize(plane, after), 40000.0, atol=0.02)  # under 1/50 of a 16-bit step


def test_an_unchanged_size_is_a_copy() -> None:
    plane = noise(Size(7, 5))
    same = resize(plane, Size(7, 5))
    np.testing.assert_array_equal(same, plane)
    same[:] = 0
    assert plane.max() > 0


def test_needed_source_rows_are_few() -> None:
    assert source_rows(1000, 2000, 500, 600) == (247, 303)
    assert source_rows(1000, 1000, 500, 600) == (500, 600)
    assert source_rows(1000, 2000, 0, 1) == (0, 3)
    assert source_rows(1000, 2000, 1999, 2000) == (997, 1000)


def test_a_band_that_lacks_rows_is_refused() -> None:
    with pytest.raises(ValueError, match="source rows 247 to 303"):
        resize_rows(noise(Size(8, 50)), Size(16, 2000), 500, 600, first_source_row=250, source_height=1000)
