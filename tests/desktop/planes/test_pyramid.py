import numpy as np
import pytest

from safelight.geometry import Rect, Size
from safelight.imaging.pixels import PixelFormat
from safelight_desktop.planes.plane import ArrayPlane, Patch, PatchedPlane
from safelight_desktop.planes.pyramid import OVERVIEW_LEVEL, EnlargedPyramid, Pyramid, average, level_size

RANDOM = np.random.default_rng(7)


def picture(width, height, channels=3, dtype=np.uint8):
    top = 1.0 if dtype is np.float32 else np.iinfo(dtype).max + 1
    return (RANDOM.random((height, width, channels)) * top).astype(dtype)


def pyramid(pixels):
    return Pyramid(ArrayPlane(pixels, PixelFormat.of(pixels)))


def block_means(pixels, block):
    height, width, channels = pixels.shape
    return pixels.reshape(height // block, block, width // block, block, channels).mean(axis=(1, 3))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize("level", [1, 2, 3, 4])
def test_a_level_is_the_mean_of_its_blocks(dtype, level):
    pixels = picture(128, 64, dtype=dtype)
    found = pyramid(pixels).area(level, Rect.of_size(level_size(Size(128, 64), level)))
    # integers are rounded by libvips down and across, above the overview once more
    tolerance = 1e-5 if dtype is np.float32 else 1.0 if level <= OVERVIEW_LEVEL else 2.0
    assert np.abs(found - block_means(pixels.astype(np.float64), 1 << level)).max() <= tolerance


def test_narrow_blocks_at_the_edges_count():
    pixels = np.full((10, 13, 3), 200, np.uint8)
    assert (average(pixels, 4) == 200).all()
    assert average(pixels, 4).shape == (3, 4, 3)


def test_hidden_colours_do_not_bleed_into_a_level():
    pixels = np.zeros((2, 2, 4), np.uint8)
    pixels[0] = (100, 100, 100, 255)
    pixels[1] = (255, 0, 0, 0)
    assert average(pixels, 2).tolist() == [[[100, 100, 100, 128]]]


def test_parts_of_a_level_equal_the_whole():
    found = pyramid(picture(200, 120))
    whole = found.area(2, Rect(0, 0, 50, 30))
    assert np.array_equal(found.area(2, Rect(7, 5, 20, 11)), whole[5:16, 7:27])


def test_a_patch_changes_its_own_blocks_only():
    pixels = picture(256, 256)
    below = pyramid(pixels)
    patch = Patch(Rect(50, 70, 60, 40), picture(60, 40))
    patched = Pyramid(PatchedPlane(below.plane, (patch,)), below, (patch.rect,))
    expected = pixels.copy()
    expected[70:110, 50:110] = patch.pixels
    whole = pyramid(expected)
    for level in (0, 1, 3, 4):
        area = Rect.of_size(level_size(Size(256, 256), level))
        assert np.array_equal(patched.area(level, area), whole.area(level, area))


def test_the_last_patch_lies_on_top():
    below = ArrayPlane(
        np.zeros((20, 20, 1), np.uint8), PixelFormat(1, False, PixelFormat.of(picture(1, 1)).sample)
    )
    patches = (
        Patch(Rect(0, 0, 10, 10), np.full((10, 10, 1), 1, np.uint8)),
        Patch(Rect(5, 5, 10, 10), np.full((10, 10, 1), 2, np.uint8)),
    )
    found = PatchedPlane(below, patches).read(Rect(0, 0, 20, 20))[..., 0]
    assert (found[0, 0], found[5, 5], found[14, 14], found[16, 16]) == (1, 2, 2, 0)


@pytest.mark.parametrize("resampling", ["nearest", "bicubic", "lanczos"])
def test_an_enlarged_picture_keeps_flat_areas_and_its_own_levels(resampling):
    pixels = np.full((40, 60, 3), 77, np.uint8)
    source = pyramid(pixels)
    large = EnlargedPyramid(source, 1, resampling)
    assert large.plane.size == Size(120, 80)
    assert (large.area(0, Rect(30, 20, 50, 40)) == 77).all()
    assert np.array_equal(large.area(1, Rect(0, 0, 60, 40)), pixels)


def test_nearest_repeats_samples():
    pixels = picture(8, 8)
    found = EnlargedPyramid(pyramid(pixels), 1, "nearest").area(0, Rect(0, 0, 16, 16))
    assert np.array_equal(found, pixels.repeat(2, 0).repeat(2, 1))


def test_an_enlarged_part_equals_the_enlarged_whole_but_for_rounding():
    large = EnlargedPyramid(pyramid(picture(64, 64)), 1, "lanczos")
    whole = large.area(0, Rect(0, 0, 128, 128)).astype(int)
    part = large.area(0, Rect(33, 41, 50, 37)).astype(int)
    assert np.abs(part - whole[41:78, 33:83]).max() <= 1
