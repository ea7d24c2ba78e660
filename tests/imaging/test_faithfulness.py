"""What the maps show and what they leave alone, on photographs."""

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont
from scipy.ndimage import gaussian_filter
from skimage import data

from safelight.errors import InvalidRequest
from safelight.geometry import Size
from safelight.imaging.faithfulness import SHOWN, faithfulness, measure, spread
from safelight.imaging.overlay import COLOURS, overlay, plane8, sheet
from safelight.imaging.resample import resize


def random(shape, sigma, seed=0):
    return (sigma * np.random.default_rng(seed).standard_normal(shape)).astype(np.float32)


def encoded(pixels):
    return (np.asarray(pixels) / 255).astype(np.float32)


def photo(name="coffee", height=240, width=320):
    return encoded(getattr(data, name)()[:height, :width])


def lowered(picture, factor=4):
    image = Image.fromarray(np.rint(picture * 255).astype(np.uint8))
    return encoded(image.resize((image.width // factor, image.height // factor), Image.Resampling.BICUBIC))


def noisy(picture, sigma=10):
    levels = picture * 255 + random(picture.shape, sigma)
    return (np.rint(np.clip(levels, 0, 255)) / 255).astype(np.float32)


def lettered(text):
    image = Image.fromarray(data.coffee()[:320, :400].copy())
    ImageDraw.Draw(image).text((150, 200), text, fill=(20, 20, 30), font=ImageFont.load_default(20))
    return encoded(image)


LETTER = np.s_[50:56, 41:45]  # of the input; the second letter


def with_another_eye(picture):
    """The left eye of the astronaut gives way to one of the cat's."""
    eye = Image.fromarray(data.chelsea()[92:132, 155:215]).resize((30, 18), Image.Resampling.LANCZOS)
    changed = picture.copy()
    changed[92:110, 188:218] = encoded(eye)
    return changed


EYE = np.s_[23:27, 47:54]


@pytest.mark.parametrize("name", ["coffee", "astronaut", "chelsea", "rocket"])
def test_a_pure_denoise_is_no_contradiction(name):
    clean = photo(name)
    maps = faithfulness(noisy(clean), clean)
    assert maps.contradiction.mean() < 1
    assert (maps.contradiction > 4).mean() < 0.002
    assert maps.invention.mean() < 0.01


@pytest.mark.parametrize("sigma", [5, 20])
def test_nor_is_one_of_weaker_or_stronger_noise(sigma):
    clean = photo("astronaut")
    maps = faithfulness(noisy(clean, sigma), clean)
    assert (maps.contradiction > 4 * max(1, sigma / 10)).mean() < 0.005


def test_a_denoiser_that_takes_texture_shows():
    clean = photo("chelsea")
    before = noisy(clean)
    blotted, left = faithfulness(before, gaussian_filter(before, (3, 3, 0))), faithfulness(before, clean)
    assert blotted.contradiction.mean() > 5 * left.contradiction.mean()


def test_the_input_itself_is_faithful():
    before = noisy(photo())
    maps = faithfulness(before, before)
    assert not maps.contradiction.any()
    assert not maps.invention.any()


@pytest.mark.parametrize("name", ["coffee", "rocket"])
def test_plain_enlargement_invents_nothing(name):
    low = lowered(photo(name))
    maps = faithfulness(low, resize(low, Size(320, 240)))
    assert maps.invention.mean() < 1e-3
    assert maps.contradiction.mean() < 0.1


@pytest.mark.parametrize("name", ["coffee", "rocket"])
def test_true_detail_counts_as_invention_and_never_as_contradiction(name):
    picture = photo(name)
    maps = faithfulness(lowered(picture), picture)
    assert maps.invention.mean() > 0.1
    assert maps.contradiction.max() < 1


def test_a_swapped_letter_shows():
    true, swapped = lettered("RAIN"), lettered("RUIN")
    low = lowered(true)
    before, after = faithfulness(low, true), faithfulness(low, swapped)
    assert after.invention[LETTER].mean() > 1.08 * before.invention[LETTER].mean()
    assert after.invention[LETTER].mean() > 1.5 * after.invention.mean()
    assert before.contradiction[LETTER].mean() < 0.2
    assert after.contradiction[LETTER].mean() > 3
    apart = spread([true, true, swapped], 4)
    assert apart[LETTER].mean() > 10
    assert apart.mean() < 0.2


def test_a_swapped_eye_shows():
    true = encoded(data.astronaut()[:240, :320])
    swapped, low = with_another_eye(true), lowered(true)
    before, after = faithfulness(low, true), faithfulness(low, swapped)
    assert after.contradiction[EYE].mean() > 5 > 50 * before.contradiction[EYE].mean()
    assert after.invention[EYE].mean() > 1.1 * before.invention[EYE].mean()
    assert spread([true, swapped], 4)[EYE].mean() > 15


def test_invented_texture_on_a_flat_wall_is_invention():
    low = lowered(photo("rocket", 240, 320))
    after = resize(low, Size(320, 240))
    sky = np.s_[8:88, 8:88]
    after[sky] += random(after[sky].shape, 8 / 255)
    invention = faithfulness(low, after).invention
    assert invention[4:20, 4:20].mean() > 0.5 > 50 * invention[30:, 30:].mean()


def test_a_tint_is_a_contradiction_of_its_size():
    before = photo()
    after = before.copy()
    after[..., 2] += np.float32(12 / 255)
    maps = faithfulness(before, after)
    assert maps.contradiction.mean() == pytest.approx(12 / np.sqrt(3), rel=0.1)


def test_the_blur_that_explains_the_input_is_found():
    picture = photo("astronaut")
    blurred = gaussian_filter(picture, (1.5, 1.5, 0)).astype(np.float32)
    measured = measure(blurred, picture)
    assert measured.blur_px == 1.5
    assert measured.resolution < 0.5
    maps = faithfulness(blurred, picture)
    assert maps.contradiction.mean() < 0.1
    assert maps.invention.mean() > 0.1


def test_noise_is_measured_by_brightness():
    flat = np.repeat(np.linspace(0.05, 0.95, 512, dtype=np.float32)[None], 512, 0)[..., None]
    sigma = 2 + 8 * flat
    before = flat + random(flat.shape, 1) * sigma / 255
    noise = np.array(measure(before, flat).noise)
    assert noise == pytest.approx(2 + 8 * (np.arange(8) + 0.5) / 8, rel=0.1)


def test_tiles_leave_no_trace():
    picture = encoded(np.tile(data.coffee(), (1, 2, 1))[:100, :700])
    low = picture + random(picture.shape, 4 / 255)
    whole, part = faithfulness(low, picture), faithfulness(low[:, 400:], picture[:, 400:])
    inner = np.s_[:, 60:]
    assert np.abs(whole.contradiction[:, 400:][inner] - part.contradiction[inner]).mean() < 0.1


@pytest.mark.parametrize(("scale", "channels"), [(1, 1), (2, 3), (4, 1)])
def test_maps_have_the_inputs_size(scale, channels):
    before = 0.5 + random((70, 66, channels), 0.1)
    after = resize(before, Size(66 * scale, 70 * scale))
    maps = faithfulness(before, after)
    assert maps.contradiction.shape == maps.invention.shape == (70, 66)
    assert set(maps.numbers()) >= {"resolution", "blur_px", "contradiction_mean", "invention_p95"}


@pytest.mark.parametrize("shape", [(70, 67, 3), (35, 33, 3), (70, 66, 1), (140, 132, 1)])
def test_other_sizes_are_refused(shape):
    with pytest.raises(InvalidRequest, match="as large"):
        faithfulness(np.zeros((70, 66, 3), np.float32), np.zeros(shape, np.float32))


def test_tiny_pictures_have_maps():
    maps = faithfulness(np.full((2, 3, 3), 0.5, np.float32), np.full((4, 6, 3), 0.5, np.float32))
    assert not maps.contradiction.any()
    assert not maps.invention.any()


def test_spread_needs_results_of_one_size():
    with pytest.raises(InvalidRequest):
        spread([np.zeros((4, 4, 3), np.float32)], 1)
    with pytest.raises(InvalidRequest):
        spread([np.zeros((4, 4, 3), np.float32), np.zeros((4, 8, 3), np.float32)], 1)


def test_spread_is_the_standard_deviation():
    results = [np.full((4, 4, 3), level / 255, np.float32) for level in (10, 20, 30)]
    assert spread(results, 2) == pytest.approx(np.full((2, 2), 10.0), rel=1e-4)


def test_overlays_say_more_with_more_colour():
    plane = np.array([[0, SHOWN["contradiction"] / 2, 100, 1e-2]], np.float32)
    levels = plane8("contradiction", plane)
    assert levels.tolist() == [[0, 128, 255, 1]]
    shown = overlay("contradiction", levels, Size(4, 1))
    assert shown[0, :, 3].tolist() == [0, 115, 230, 1]
    assert {tuple(c) for c in shown[0, :, :3]} == {COLOURS["contradiction"]}


def test_the_sheet_shows_the_result_and_each_map():
    result = data.coffee()[:100, :120]
    maps = {"contradiction": np.full((50, 60), 255, np.uint8), "invention": np.zeros((50, 60), np.uint8)}
    paper = np.asarray(sheet(result, maps, ["a line"]))
    assert np.array_equal(paper[12:112, 12:132], result)
    orange, plain = paper[12:112, 334:454].astype(int), paper[12:112, 656:776].astype(int)
    assert (orange[..., 0] - orange[..., 2]).min() > 100
    assert (plain.max(axis=2) - plain.min(axis=2)).max() == 0
    Image.fromarray(paper).save(io.BytesIO(), "PNG")
