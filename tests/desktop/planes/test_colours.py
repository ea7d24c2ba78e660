"""What a screen is sent for document samples."""

import numpy as np

from safelight.imaging.pixels import PixelFormat, Sample
from safelight_desktop.planes.colours import Colours
from tests.fakes import icc

ADOBE = icc.rgb_profile(icc.ADOBE_RGB, icc.gamma(2.2))


def shown(image):
    """H W 4 in the order red, green, blue, alpha."""
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1, 4)[:, : image.width()]
    return rows[..., [2, 1, 0, 3]]


def test_plain_srgb_is_not_touched(photo):
    found = shown(Colours(PixelFormat.of(photo), b"").image(photo))
    assert np.array_equal(found[..., :3], photo)
    assert (found[..., 3] == 255).all()


def test_16_bit_and_float_are_shown_like_their_8_bit(photo):
    deep = photo.astype(np.uint16) * 257
    assert np.array_equal(shown(Colours(PixelFormat.of(deep), b"").image(deep))[..., :3], photo)
    curve = np.where(photo <= 10, photo / 255 / 12.92, ((photo / 255 + 0.055) / 1.055) ** 2.4)
    linear = curve.astype(np.float32)
    fmt = PixelFormat(3, False, Sample.F32, linear=True)
    assert np.abs(shown(Colours(fmt, b"").image(linear))[..., :3].astype(int) - photo).max() <= 1


def test_float_beyond_its_range_is_clipped_and_nan_is_black():
    pixels = np.array([[[-1.0, 2.0, np.nan]]], np.float32)
    found = shown(Colours(PixelFormat.of(pixels), b"").image(pixels))
    assert found[0, 0, :3].tolist() == [0, 255, 0]


def test_grey_becomes_three_equal_channels():
    pixels = np.array([[[10], [200]]], np.uint8)
    assert shown(Colours(PixelFormat.of(pixels), b"").image(pixels))[0, :, :3].tolist() == [
        [10] * 3,
        [200] * 3,
    ]


def test_alpha_is_premultiplied():
    pixels = np.array([[[200, 100, 0, 128]]], np.uint8)
    assert shown(Colours(PixelFormat.of(pixels), b"").image(pixels))[0, 0].tolist() == [100, 50, 0, 128]


def test_a_wide_profile_is_converted():
    pixels = np.full((1, 1, 3), (128, 128, 128), np.uint8)
    pixels[0, 0] = (0, 200, 0)
    found = shown(Colours(PixelFormat.of(pixels), ADOBE).image(pixels))[0, 0]
    assert found[0] == 0  # out of sRGB: clipped on the screen only
    assert 196 <= found[1] <= 204


def test_the_monitors_profile_is_the_last_step():
    pixels = np.full((1, 1, 3), 128, np.uint8)
    plain = shown(Colours(PixelFormat.of(pixels), b"").image(pixels))[0, 0]
    wide = shown(Colours(PixelFormat.of(pixels), b"", ADOBE).image(pixels))[0, 0]
    same = shown(Colours(PixelFormat.of(pixels), ADOBE, ADOBE).image(pixels))[0, 0]
    assert same[:3].tolist() == [128] * 3
    assert plain[:3].tolist() == [128] * 3
    assert wide[0] == wide[1] == wide[2]


def test_a_profile_that_cannot_be_used_is_said_and_read_as_srgb(photo):
    colours = Colours(PixelFormat.of(photo), b"no profile at all")
    assert "profile" in colours.note
    assert np.array_equal(shown(colours.image(photo))[..., :3], photo)
