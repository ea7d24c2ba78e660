"""What photographers bring: 16-bit wide gamut, linear float, lasso masks, sepia. Through `compact`."""

import numpy as np
import pytest
from PIL import Image, ImageDraw
from skimage import color, data

from safelight.geometry import Size
from safelight.imaging.files import open_picture, write_picture
from safelight.imaging.pixels import PixelFormat
from tests.fakes import icc


@pytest.fixture(scope="module")
def scene():
    """A real photo, 160 x 120, H W 3, float64 in 0..1."""
    return data.coffee()[120:240, 220:380].astype(np.float64) / 255


def write(path, pixels, profile=b"", linear=False):
    write_picture(path, pixels, PixelFormat.of(pixels, linear=linear), icc=profile)


def lasso(size):
    """A soft-edged free-hand selection as an editor saves it, H W uint8."""
    page = Image.new("L", (size.width * 4, size.height * 4))
    ImageDraw.Draw(page).polygon([(80, 60), (420, 40), (560, 260), (330, 430), (120, 330)], fill=255)
    return np.asarray(page.resize(size, Image.Resampling.BOX))


def test_a_16_bit_prophoto_tiff_keeps_profile_range_and_every_sample_outside_a_lasso(
    safelight, tmp_path, scene
):
    source, out = tmp_path / "in.tif", tmp_path / "out.tif"
    profile = icc.rgb_profile(icc.PROPHOTO, icc.gamma(1.8))
    noise = np.random.default_rng(1).normal(0, 0.02, scene.shape)
    pixels = np.clip((scene**1.2 + noise) * 65535, 0, 65535).astype(np.uint16)
    pixels[:20, :20] = (65535, 0, 65535)  # no colour of sRGB
    pixels[20:24, :20] = (0, 65535, 0)
    write(source, pixels, profile)
    mask = lasso(Size(160, 120))
    Image.fromarray(mask).save(tmp_path / "mask.png")
    run = safelight("restore", source, "-o", out, "--mask", tmp_path / "mask.png", "--pipeline", "compact")
    result = open_picture(out)
    after = result.read()
    assert run.code == 0, run.err
    assert (after.dtype, result.icc) == (np.uint16, profile)
    assert np.array_equal(after[mask == 0], pixels[mask == 0])
    inside = mask == 255
    change = np.abs(after[inside].astype(int) - pixels[inside])
    assert change.mean() > 100  # noise of 2 % was there to be removed
    assert len(np.unique(after[inside] & 0xFF)) == 256  # no 8-bit step anywhere on the way


def test_a_wide_gamut_colour_restored_stays_what_it_is(safelight, tmp_path):
    source, out = tmp_path / "in.tif", tmp_path / "out.tif"
    pixels = np.empty((96, 96, 3), np.uint16)
    pixels[:] = (1000, 60000, 2000)  # a green far outside sRGB
    write(source, pixels, icc.rgb_profile(icc.PROPHOTO, icc.gamma(1.8)))
    safelight("restore", source, "-o", out, "--scale", "1", "--pipeline", "compact")
    after = open_picture(out).read()
    assert np.abs(after[8:-8, 8:-8].astype(int) - pixels[8:-8, 8:-8]).max() < 0.02 * 65535


def test_a_linear_float_tiff_keeps_what_is_brighter_than_white(safelight, tmp_path, scene):
    source, out = tmp_path / "in.tif", tmp_path / "out.tif"
    pixels = (scene**2.2 * 1.5).astype(np.float32)
    pixels[50:60, 50:60] = 7.5
    pixels[70:80, 70:80] = -0.25
    write(source, pixels, linear=True)
    run = safelight("restore", source, "-o", out, "--scale", "1", "--pipeline", "compact")
    result = open_picture(out)
    after = result.read()
    assert run.code == 0, run.err
    assert after.dtype == np.float32
    assert result.format.linear
    assert np.isfinite(after).all()
    assert np.abs(after[53:57, 53:57] / 7.5 - 1).max() < 0.05
    assert np.abs(after[73:77, 73:77] + 0.25).max() < 0.05
    assert not np.array_equal(after, pixels)


def test_a_linear_float_tiff_outside_the_mask_is_bit_identical(safelight, tmp_path, scene):
    source, out = tmp_path / "in.tif", tmp_path / "out.tif"
    pixels = (scene**2.2 * 3).astype(np.float32)
    write(source, pixels, linear=True)
    mask = lasso(Size(160, 120))
    Image.fromarray(mask).save(tmp_path / "mask.png")
    safelight("restore", source, "-o", out, "--mask", tmp_path / "mask.png", "--pipeline", "compact")
    after = open_picture(out).read()
    assert np.array_equal(after[mask == 0].view(np.uint32), pixels[mask == 0].view(np.uint32))
    assert (after[mask == 255] != pixels[mask == 255]).any()


def test_a_sepia_scan_comes_back_without_colour_blotches(safelight, tmp_path):
    grey = data.camera()[100:292, 140:332].astype(np.float64) / 255
    paper, ink = np.array([0.96, 0.88, 0.72]), np.array([0.13, 0.08, 0.05])
    toned = ink + (paper - ink) * grey[:, :, None]
    blotchy = toned + np.random.default_rng(2).normal(0, 0.03, toned.shape[:2])[:, :, None]
    source, out = tmp_path / "scan.jpg", tmp_path / "out.png"
    Image.fromarray(np.clip(blotchy * 255, 0, 255).astype(np.uint8)).save(source, quality=60)
    run = safelight("restore", source, "-o", out, "--scale", "1", "--pipeline", "compact", "--json")
    assert run.event("done")["report"]["monochrome"] is True
    before, after = (around_the_curve(np.asarray(Image.open(p))) for p in (source, out))
    assert after.max() <= max(2.5, before.max())


def around_the_curve(pixels):
    """Standard deviation of Lab a and b around their mean at each lightness."""
    lab = color.rgb2lab(pixels)
    steps = np.rint(lab[:, :, 0]).astype(int)
    count = np.bincount(steps.ravel())
    spread = []
    for channel in (1, 2):
        mean = np.bincount(steps.ravel(), lab[:, :, channel].ravel()) / np.maximum(count, 1)
        spread.append((lab[:, :, channel] - mean[steps]).std())
    return np.array(spread)
